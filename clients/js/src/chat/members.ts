import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Platform } from "../platform.js";
import { Retry } from "../retry.js";
import { type Observable, Store } from "../store.js";
import { Throttle } from "../throttle.js";
import { asFailure, type RoomkeyError } from "../wire/failure.js";
import type { Member, Role, Time } from "../wire/records.js";
import type { Method } from "../wire/rest.js";

export interface MembersState {
  readonly isLoaded: boolean;
  /** Why the members could not be loaded, the last time. */
  readonly error: RoomkeyError | null;
  /** The members in the order of their ids: the first thousand, where there are more. */
  readonly members: readonly Member[];
}

/** Whom to add: by id, or by the user name of an account of Roomkey's own. */
export type Invitee = { readonly userId: string } | { readonly username: string };

export interface InviteOptions {
  readonly role?: Role;
  /** For this user only. */
  readonly userId?: string;
  readonly expiresInS?: number;
  readonly uses?: number;
}

/** What the members of a channel need of their client. */
export interface MembersHost {
  readonly line: Line;
  readonly platform: Platform;
  /** A request to the HTTP API in the user's name. */
  request<T>(method: Method, path: string, body?: unknown): Promise<T>;
}

/** The server is asked again at most this often. */
const INTERVAL_MS = 500;
const PAGE = 100;
const PAGES_MAX = 10;

const EMPTY: MembersState = { isLoaded: false, error: null, members: [] };

/** The members of a channel, for as long as anybody watches, and what those who manage them do. */
export class MembersStream implements Observable<MembersState> {
  readonly channelId: string;
  readonly #host: MembersHost;
  readonly #lease: Lease;
  readonly #ask: Throttle;
  readonly #retry: Retry;
  readonly #store = new Store<MembersState>(EMPTY);
  #offs: Off[] = [];
  #generation = 0;

  constructor(channelId: string, host: MembersHost) {
    this.channelId = channelId;
    this.#host = host;
    const { clock } = host.platform;
    this.#ask = new Throttle(clock, INTERVAL_MS, () => void this.#load());
    this.#retry = new Retry(host.platform, () => this.#ask.run());
    this.#lease = new Lease(
      clock,
      () => this.#start(),
      () => this.#stop(),
    );
  }

  readonly get = (): MembersState => this.#store.get();

  get isWatched(): boolean {
    return this.#lease.isRunning;
  }

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Makes a user a member, or gives a member another role. */
  readonly add = async (who: Invitee, role: Role = "member"): Promise<void> => {
    const path = `/api/channels/${encodeURIComponent(this.channelId)}/members`;
    await this.#host.request("POST", path, { ...who, role });
    this.#refresh();
  };

  readonly remove = async (userId: string): Promise<void> => {
    await this.#host.line.request("channel:removeMember", { channelId: this.channelId, userId });
    this.#removed(userId);
  };

  /** Makes an invite. Its text is told once; whoever has it may `join`. */
  readonly invite = (options: InviteOptions = {}): Promise<{ invite: string; expiresAt: Time }> =>
    this.#host.line.request("channel:invite", { channelId: this.channelId, ...options });

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#generation += 1;
    this.#store.set(EMPTY);
  }

  #start(): void {
    const { line } = this.#host;
    const isHere = (channelId: string) => channelId === this.channelId;
    this.#offs = [
      line.onUp(() => this.#ask.run()),
      line.on("member.added", ({ channelId }) => isHere(channelId) && this.#ask.run()),
      line.on("member.removed", ({ channelId, userId }) => isHere(channelId) && this.#removed(userId)),
    ];
    if (line.isUp) this.#ask.run();
  }

  #stop(): void {
    this.#ask.cancel();
    this.#retry.cancel();
    for (const off of this.#offs.splice(0)) off();
  }

  #refresh(): void {
    if (this.#offs.length > 0) this.#ask.run();
  }

  #removed(userId: string): void {
    this.#store.set({ ...this.get(), members: this.get().members.filter(({ user }) => user.id !== userId) });
    // A page on its way may still have them.
    this.#refresh();
  }

  async #load(): Promise<void> {
    if (!this.#host.line.isUp) return;
    const generation = ++this.#generation;
    try {
      const members = await this.#all();
      if (generation !== this.#generation) return;
      this.#retry.cancel();
      this.#store.set({ isLoaded: true, error: null, members });
    } catch (thrown) {
      // Without a connection, the next one asks again.
      if (generation !== this.#generation || !this.#host.line.isUp) return;
      const error = asFailure(thrown);
      this.#store.set({ ...this.get(), error });
      if (this.#offs.length > 0) this.#retry.after(error);
    }
  }

  async #all(): Promise<Member[]> {
    const found: Member[] = [];
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const last = found.at(-1)?.user.id;
      const cursor = last === undefined ? {} : { after: last };
      const payload = { channelId: this.channelId, limit: PAGE, ...cursor };
      const { members } = await this.#host.line.request("channel:members", payload);
      found.push(...members);
      if (members.length < PAGE) break;
    }
    return found;
  }
}
