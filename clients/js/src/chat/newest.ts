import { waitMs } from "../auth/remedy.js";
import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Platform } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { asFailure } from "../wire/failure.js";
import type { Channel, Message } from "../wire/records.js";
import type { ChannelList } from "./channel-list.js";
import { newest } from "./window.js";

export type NewestMessages = ReadonlyMap<string, Message>;

/** The newest message of each channel that I am in, by the channel's id: what a list of channels shows. */
export class Newest implements Observable<NewestMessages> {
  readonly #line: Line;
  readonly #platform: Platform;
  readonly #list: ChannelList;
  readonly #lease: Lease;
  readonly #store = new Store<NewestMessages>(new Map());
  /** Up to where a channel was asked about: there may be nothing that can be read. */
  readonly #asked = new Map<string, number>();
  #offs: Off[] = [];
  #isAsking = false;

  constructor(line: Line, platform: Platform, list: ChannelList) {
    this.#line = line;
    this.#platform = platform;
    this.#list = list;
    this.#lease = new Lease(
      platform.clock,
      () => this.#start(),
      () => this.#offs.splice(0).forEach((off) => off()),
    );
  }

  readonly get = (): NewestMessages => this.#store.get();

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#asked.clear();
    this.#store.set(new Map());
  }

  #start(): void {
    this.#offs = [
      this.#list.subscribe(() => void this.#fill()),
      this.#line.onUp(() => void this.#fill()),
      this.#line.on("message.created", (message) => this.#note(message, true)),
      this.#line.on("message.updated", (message) => this.#note(message, true)),
      this.#line.on("message.deleted", ({ channelId, messageId }) => {
        const known = this.get().get(channelId);
        const deletedAt = new Date(this.#platform.clock.now()).toISOString();
        if (known?.id === messageId) this.#note({ ...known, content: "", deletedAt }, true);
      }),
    ];
    void this.#fill();
  }

  /** Asks for one after the other: there may be many, and a client is given so many answers in a second. */
  async #fill(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    // The list may hear of a message before this does.
    await undefined;
    let attempts = 0;
    for (let next = this.#next(); next !== undefined && this.#line.isUp; next = this.#next()) {
      const { id: channelId, lastSeq } = next;
      try {
        const { messages } = await this.#line.request("message:history", { channelId, limit: 1 });
        messages.forEach((message) => this.#note(message, false));
        this.#asked.set(channelId, lastSeq);
        attempts = 0;
      } catch (thrown) {
        const error = asFailure(thrown);
        if (!error.isTransient) this.#asked.set(channelId, lastSeq);
        else if (this.#line.isUp) await this.#pause(waitMs(error, attempts++, this.#platform.random));
      }
    }
    this.#isAsking = false;
  }

  #next(): Channel | undefined {
    if (this.#offs.length === 0) return undefined;
    const isBehind = ({ id, role, lastSeq }: Channel) =>
      role !== undefined && lastSeq > Math.max(this.get().get(id)?.seq ?? 0, this.#asked.get(id) ?? 0);
    return [...this.#list.get().channels.values()].find(isBehind);
  }

  #note(message: Message, isAnnounced: boolean): void {
    const known = this.get().get(message.channelId);
    if (known !== undefined && message.seq < known.seq) return;
    const version = known?.id === message.id ? newest(known, message, isAnnounced) : message;
    // An edit of a message before the newest, in a channel of which nothing is known yet.
    if (known === undefined && isAnnounced && message.editedAt !== null) return;
    this.#store.set(new Map(this.get()).set(message.channelId, version));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#platform.clock.after(ms, resolve));
  }
}
