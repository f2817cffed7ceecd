import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Clock } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { Throttle } from "../throttle.js";
import type { Presence } from "../wire/records.js";

/** Whose presence is watched: these users, or the members of a channel. */
export type PresenceQuery = { readonly userIds: readonly string[] } | { readonly channelId: string };

export type Presences = ReadonlyMap<string, Presence>;

/** The server is asked again at most this often. */
const INTERVAL_MS = 500;

/** Who is online, of some users. */
export class PresenceStream implements Observable<Presences> {
  readonly #query: PresenceQuery;
  readonly #line: Line;
  readonly #lease: Lease;
  readonly #ask: Throttle;
  readonly #store = new Store<Presences>(new Map());
  #offs: Off[] = [];

  constructor(query: PresenceQuery, line: Line, clock: Clock) {
    this.#query = query;
    this.#line = line;
    this.#ask = new Throttle(clock, INTERVAL_MS, () => void this.#load());
    this.#lease = new Lease(
      clock,
      () => this.#start(),
      () => this.#stop(),
    );
  }

  /** By user id. */
  readonly get = (): Presences => this.#store.get();

  get isWatched(): boolean {
    return this.#lease.isRunning;
  }

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#store.set(new Map());
  }

  #start(): void {
    this.#offs = [
      this.#line.on("presence.update", (presence) => this.#isWatched(presence.userId) && this.#note(presence)),
      this.#line.on("member.removed", ({ channelId, userId }) => this.#left(channelId, userId)),
      this.#line.on("member.added", ({ channelId }) => this.#isOf(channelId) && this.#ask.run()),
      this.#line.onUp(() => this.#ask.run()),
    ];
    if (this.#line.isUp) this.#ask.run();
  }

  #stop(): void {
    this.#ask.cancel();
    for (const off of this.#offs.splice(0)) off();
  }

  /** Who is not in the answer is not among them any more. */
  async #load(): Promise<void> {
    if (!this.#line.isUp) return;
    const found = await this.#line.request("presence:get", this.#query).catch(() => undefined);
    if (found !== undefined) this.#store.set(new Map(found.presence.map((presence) => [presence.userId, presence])));
  }

  #isOf(channelId: string): boolean {
    return "channelId" in this.#query && this.#query.channelId === channelId;
  }

  /** Of a channel, those who were in the answer. */
  #isWatched(userId: string): boolean {
    return "userIds" in this.#query ? this.#query.userIds.includes(userId) : this.#store.get().has(userId);
  }

  #left(channelId: string, userId: string): void {
    if (!this.#isOf(channelId)) return;
    this.#store.set(new Map([...this.#store.get()].filter(([id]) => id !== userId)));
  }

  #note(presence: Presence): void {
    this.#store.set(new Map(this.#store.get()).set(presence.userId, presence));
  }
}
