import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Platform } from "../platform.js";
import { Retry } from "../retry.js";
import { type Observable, Store } from "../store.js";
import { Throttle } from "../throttle.js";
import { asFailure, type RoomkeyError } from "../wire/failure.js";
import type { Channel, Retention, Visibility } from "../wire/records.js";

export interface ChannelListState {
  /** Whether it has been loaded at all. */
  readonly isLoaded: boolean;
  /** Why the list could not be loaded, the last time. */
  readonly error: RoomkeyError | null;
  /** By id: those that I am in, which have a `role`, and public ones that I could join. */
  readonly channels: ReadonlyMap<string, Channel>;
}

/** What an owner may change. */
export interface ChannelChange {
  readonly name?: string;
  readonly visibility?: Visibility;
  readonly archived?: boolean;
  readonly retention?: Retention;
}

/** What a list of channels needs of its client. */
export interface ChannelListHost {
  readonly line: Line;
  readonly platform: Platform;
  /** The id of the user who is logged in. */
  me(): Promise<string>;
}

/** The server is asked again at most this often. */
const INTERVAL_MS = 500;
const PAGE = 100;
/** Pages of each kind: there may be any number of public channels. */
const PAGES_MAX = 10;

const EMPTY: ChannelListState = { isLoaded: false, error: null, channels: new Map() };

/** The channels that there are for me, for as long as anybody watches, and what one does with them. */
export class ChannelList implements Observable<ChannelListState> {
  readonly #host: ChannelListHost;
  readonly #lease: Lease;
  readonly #ask: Throttle;
  readonly #retry: Retry;
  readonly #store = new Store<ChannelListState>(EMPTY);
  #offs: Off[] = [];
  #me: string | undefined;
  #generation = 0;
  /** What has changed while a load runs: its answer may be older than that. */
  #changes: Set<string> | undefined;

  constructor(host: ChannelListHost) {
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

  readonly get = (): ChannelListState => this.#store.get();

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Asks the server again, if anybody watches: it does not tell of new public channels. */
  readonly refresh = (): void => {
    if (this.#offs.length > 0) this.#ask.run();
  };

  /** Makes a channel, and owns it. */
  readonly create = async (name: string, visibility: Visibility = "private"): Promise<Channel> =>
    this.#learn(await this.#host.line.request("channel:create", { name, visibility }));

  /** Becomes a member of a public channel, or of the one that an invite is for. */
  readonly join = async (channel: { channelId: string } | { invite: string }): Promise<Channel> =>
    this.#learn(await this.#host.line.request("channel:join", channel));

  readonly leave = async (channelId: string): Promise<void> => {
    await this.#host.line.request("channel:leave", { channelId });
    this.#left(channelId);
  };

  readonly update = async (channelId: string, change: ChannelChange): Promise<void> => {
    this.#changed(await this.#host.line.request("channel:update", { channelId, ...change }));
  };

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#generation += 1;
    this.#me = undefined;
    this.#store.set(EMPTY);
  }

  #start(): void {
    const { line } = this.#host;
    this.#offs = [
      line.onUp((isRecovered) => this.#up(isRecovered)),
      line.on("roomJoined", () => this.#ask.run()),
      line.on("room:evicted", ({ room }) => this.#left(room.replace(/^channel:/, ""))),
      line.on("channel.updated", (channel) => this.#changed(channel)),
      line.on("member.added", ({ channelId, userId, role }) => {
        const known = this.get().channels.get(channelId);
        if (userId === this.#me && known !== undefined && role !== undefined) this.#learn({ ...known, role });
      }),
      line.on("message.created", ({ channelId, seq }) => {
        const known = this.get().channels.get(channelId);
        if (known !== undefined && seq > known.lastSeq) this.#put({ ...known, lastSeq: seq });
      }),
    ];
    if (line.isUp) this.#up(false);
  }

  #stop(): void {
    this.#ask.cancel();
    this.#retry.cancel();
    for (const off of this.#offs.splice(0)) off();
  }

  #up(isRecovered: boolean): void {
    this.#host.me().then(
      (me) => (this.#me = me),
      () => undefined,
    );
    if (!isRecovered || !this.get().isLoaded) this.#ask.run();
  }

  async #load(): Promise<void> {
    if (!this.#host.line.isUp) return;
    const generation = ++this.#generation;
    const changes = (this.#changes = new Set<string>());
    try {
      const open = await this.#all("public");
      const mine = await this.#all("mine");
      if (generation !== this.#generation) return;
      const before = this.get().channels;
      // The answer may be older than a message that was announced meanwhile.
      const current = ({ lastSeq, ...channel }: Channel): Channel => {
        return { ...channel, lastSeq: Math.max(lastSeq, before.get(channel.id)?.lastSeq ?? 0) };
      };
      const channels = new Map([...open, ...mine].map((channel) => [channel.id, current(channel)]));
      for (const id of changes) {
        const known = before.get(id);
        if (known === undefined) channels.delete(id);
        else channels.set(id, known);
      }
      this.#changes = undefined;
      this.#retry.cancel();
      this.#store.set({ isLoaded: true, error: null, channels });
      if (changes.size > 0) this.refresh();
    } catch (thrown) {
      // Without a connection, the next one asks again.
      if (generation !== this.#generation || !this.#host.line.isUp) return;
      const error = asFailure(thrown);
      this.#store.set({ ...this.get(), error });
      if (this.#offs.length > 0) this.#retry.after(error);
    }
  }

  /** Page after page until one is empty: one may be shorter because of what may not be seen. */
  async #all(scope: "mine" | "public"): Promise<Channel[]> {
    const found: Channel[] = [];
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const last = found.at(-1)?.id;
      const cursor = last === undefined ? {} : { after: last };
      const { channels } = await this.#host.line.request("channel:list", { scope, limit: PAGE, ...cursor });
      if (channels.length === 0) break;
      found.push(...channels);
    }
    return found;
  }

  #put(channel: Channel): void {
    this.#store.set({ ...this.get(), channels: new Map(this.get().channels).set(channel.id, channel) });
  }

  #learn(channel: Channel): Channel {
    this.#changes?.add(channel.id);
    this.#put(channel);
    return channel;
  }

  /** What everybody is told of a channel says nothing of my role. */
  #changed(channel: Channel): void {
    const role = this.get().channels.get(channel.id)?.role;
    if (role !== undefined) this.#learn({ ...channel, role });
    else this.refresh();
  }

  /** A public one can be joined again: whether it is there to be seen, only the server knows. */
  #left(channelId: string): void {
    this.#changes?.add(channelId);
    const channels = new Map(this.get().channels);
    if (!channels.delete(channelId)) return;
    this.#store.set({ ...this.get(), channels });
    this.refresh();
  }
}
