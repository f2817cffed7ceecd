import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Clock } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { Throttle } from "../throttle.js";
import type { ChannelCount } from "../wire/records.js";

export interface InboxState {
  /** Messages that I have not seen, in all channels. */
  readonly unread: number;
  /** What waits in each channel, by its id. */
  readonly channels: ReadonlyMap<string, ChannelCount>;
  /** What your backend has sent as `notification`, newest first. */
  readonly notifications: readonly unknown[];
}

/** The server is asked again at most this often. */
const INTERVAL_MS = 1_000;
const NOTIFICATIONS_MAX = 100;

/** What waits for me. */
export class Inbox implements Observable<InboxState> {
  readonly #line: Line;
  readonly #lease: Lease;
  readonly #ask: Throttle;
  readonly #store = new Store<InboxState>({ unread: 0, channels: new Map(), notifications: [] });
  #offs: Off[] = [];

  constructor(line: Line, clock: Clock) {
    this.#line = line;
    this.#ask = new Throttle(clock, INTERVAL_MS, () => void this.#count());
    this.#lease = new Lease(
      clock,
      () => this.#start(),
      () => this.#stop(),
    );
  }

  readonly get = (): InboxState => this.#store.get();

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Asks the server again, if anybody watches. Happens by itself after a message was written or seen. */
  readonly refresh = (): void => {
    if (this.#offs.length > 0) this.#ask.run();
  };

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#store.set({ unread: 0, channels: new Map(), notifications: [] });
  }

  readonly clearNotifications = (): void => this.#store.set({ ...this.#store.get(), notifications: [] });

  #start(): void {
    const ask = () => this.#ask.run();
    this.#offs = [
      this.#line.onUp(ask),
      this.#line.on("message.created", ask),
      this.#line.on("message.deleted", ask),
      this.#line.on("roomJoined", ask),
      this.#line.on("room:evicted", ask),
      this.#line.on("notification", (notification) => {
        const { notifications, ...counts } = this.#store.get();
        this.#store.set({ ...counts, notifications: [notification, ...notifications].slice(0, NOTIFICATIONS_MAX) });
      }),
    ];
    if (this.#line.isUp) ask();
  }

  #stop(): void {
    this.#ask.cancel();
    for (const off of this.#offs.splice(0)) off();
  }

  async #count(): Promise<void> {
    if (!this.#line.isUp) return;
    const found = await this.#line.request("message:getOfflineCount", {}).catch(() => undefined);
    if (found === undefined) return;
    const channels = new Map(found.channels.map((channel) => [channel.channelId, channel]));
    this.#store.set({ ...this.#store.get(), unread: found.unread, channels });
  }
}
