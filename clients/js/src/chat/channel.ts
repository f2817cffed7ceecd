import { waitMs } from "../auth/remedy.js";
import { asFailure, RoomkeyError } from "../wire/failure.js";
import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Platform } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { Throttle } from "../throttle.js";
import type { Message, StatusChange } from "../wire/records.js";
import { Feed } from "./feed.js";
import { history } from "./history.js";
import type { Outbox, Outgoing } from "./outbox.js";
import { Receipts } from "./receipts.js";
import { append, newest, prepend, reach, update, type Window } from "./window.js";

/** What is known of a channel. */
export interface ChannelState {
  /** `live`: nothing is missing after the first message here. `behind`: what came meanwhile is being loaded. */
  readonly phase: "loading" | "live" | "behind" | "failed";
  /** Why the channel cannot be read, or not yet, or why older messages could not be loaded. */
  readonly error: RoomkeyError | null;
  /** One stretch of the channel by `seq`, without gaps; edits of mine are in it at once. */
  readonly messages: readonly Message[];
  /** What I wrote and the server has not confirmed, oldest first: to be shown below the messages. */
  readonly outgoing: readonly Outgoing[];
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
}

/** What a channel needs of its client. */
export interface ChannelHost {
  readonly line: Line;
  readonly platform: Platform;
  readonly outbox: Outbox;
  /** The id of the user who is logged in. */
  me(): Promise<string>;
  send(channelId: string, content: string): Promise<Message>;
  /** The server has noted that something was seen. */
  seen(): void;
}

/**
 * Messages that are kept, but for older ones that were asked for, and that are loaded to catch up; with more it begins
 * anew at the end. Also: how many are looked at again.
 */
const KEPT_MAX = 1_000;
/** Versions of messages that are kept for pages which are on their way. */
const VERSIONS_MAX = 500;
const STATUS_INTERVAL_MS = 500;

const EMPTY = { messages: [] as Window, hasOlder: false, isLoadingOlder: false };

/** One channel, for as long as anybody watches it: its messages, and what one does with them. */
export class ChannelStream implements Observable<ChannelState> {
  readonly channelId: string;
  readonly #host: ChannelHost;
  readonly #lease: Lease;
  /** What this user has got and seen: another one after `forget`. */
  #receipts: Receipts;
  readonly #status: Throttle;
  readonly #store: Store<ChannelState>;

  #feed: Feed | undefined;
  #offs: Off[] = [];
  /** The state without what is mine and unconfirmed. */
  #known: Omit<ChannelState, "outgoing"> = { phase: "loading", error: null, ...EMPTY };
  /** Newer versions than a page on its way may have. */
  readonly #versions = new Map<string, Message>();
  /** Deleted messages, which a page on its way may still have. */
  readonly #gone = new Set<string>();
  /** Edits and deletions of mine that the server has not confirmed. */
  readonly #pending = new Map<string, string>();
  /** Confirmed messages of mine that still wait for those before them. */
  readonly #confirmed = new Map<string, Outgoing>();
  #changed: StatusChange | undefined;
  #me: string | undefined;
  #generation = 0;
  #forgetRetry: Off = () => {};

  constructor(channelId: string, host: ChannelHost) {
    this.channelId = channelId;
    this.#host = host;
    const { clock } = host.platform;
    this.#lease = new Lease(
      clock,
      () => this.#start(),
      () => this.#stop(),
    );
    this.#receipts = this.#newReceipts();
    this.#status = new Throttle(clock, STATUS_INTERVAL_MS, () => void this.#askStatus());
    this.#store = new Store<ChannelState>({ ...this.#known, outgoing: [] });
  }

  readonly get = (): ChannelState => this.#store.get();

  get isWatched(): boolean {
    return this.#lease.isRunning;
  }

  /** Watches the channel: it is loaded and kept up to date for as long as anybody does. */
  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** Sends a message. It is in `outgoing` at once, and resolves when the server has it on disk. */
  readonly send = (content: string): Promise<Message> => this.#host.send(this.channelId, content);

  readonly retry = (clientId: string): Promise<Message> => this.#host.outbox.retry(clientId);

  readonly discard = (clientId: string): void => this.#host.outbox.discard(clientId);

  /** Changes a message: here at once, and back again where the server refuses. */
  readonly edit = async (messageId: string, content: string): Promise<void> => {
    const done = this.#host.line.request("updateMessage", { messageId, content });
    await this.#optimistic(messageId, content, async () => this.#learn(await done, false));
  };

  /** Deletes a message: here at once, and back again where the server refuses. */
  readonly remove = async (messageId: string): Promise<void> => {
    const done = this.#host.line.request("deleteMessage", { messageId });
    await this.#optimistic(messageId, "", async () => (await done, this.#deleted(messageId)));
  };

  /** The messages up to here (without an argument: all) were on screen. */
  readonly markSeen = (messageId?: string): void => {
    const { messages } = this.#known;
    const last = messages.findLastIndex(({ id }) => messageId === undefined || id === messageId);
    const seen = messages.slice(0, last + 1).findLast(({ userId }) => userId !== this.#me);
    if (seen !== undefined) this.#receipts.seen(seen);
  };

  /** Loads the page before the first message; without a connection, nothing. */
  readonly loadOlder = async (): Promise<void> => {
    const { hasOlder, isLoadingOlder, messages } = this.#known;
    const before = messages[0]?.seq;
    if (!hasOlder || isLoadingOlder || before === undefined || !this.#host.line.isUp) return;
    const generation = this.#generation;
    this.#set({ isLoadingOlder: true });
    try {
      const page = await this.#page({ before });
      if (generation !== this.#generation) return;
      const window = prepend(this.#known.messages, page);
      this.#set({ messages: window, hasOlder: hasMore(page), isLoadingOlder: false, error: null });
    } catch (thrown) {
      if (generation === this.#generation) this.#set({ isLoadingOlder: false, error: asFailure(thrown) });
    }
  };

  /** Forgets what is known: it was another user's. */
  forget(): void {
    this.#unfollow();
    this.#receipts.close();
    this.#receipts = this.#newReceipts();
    this.#status.cancel();
    this.#changed = undefined;
    this.#versions.clear();
    this.#gone.clear();
    this.#pending.clear();
    this.#confirmed.clear();
    this.#me = undefined;
    this.#set({ ...EMPTY, phase: "loading", error: null });
  }

  #start(): void {
    const { line, outbox } = this.#host;
    this.#offs = [
      line.onUp((isRecovered) => this.#up(isRecovered)),
      line.on("message.updated", (message) => this.#learn(message, true)),
      line.on("message.deleted", ({ messageId }) => this.#deleted(messageId)),
      line.on("message.status", (change) => this.#statusChanged(change)),
      line.on("roomJoined", (room) => this.#isMine(room) && this.#known.phase === "failed" && void this.#load()),
      line.on("member.added", (added) => this.#isMe(added) && this.#known.phase === "failed" && void this.#load()),
      line.on("room:evicted", ({ room }) => this.#isMine(room) && this.#fail(evicted())),
      line.state.subscribe(() => !line.isUp && this.#known.phase === "live" && this.#set({ phase: "behind" })),
      outbox.outgoing.subscribe(() => this.#show()),
      outbox.onConfirmed((outgoing, message) => this.#onConfirmed(outgoing, message)),
    ];
    if (this.#known.messages.length > 0) this.#follow();
    this.#show();
    if (line.isUp) this.#up(false);
  }

  #newReceipts(): Receipts {
    const { line, platform, seen } = this.#host;
    return new Receipts(line, platform, seen);
  }

  async #learnMe(): Promise<void> {
    const receipts = this.#receipts;
    const me = await this.#host.me().catch(() => undefined);
    if (me === undefined || receipts !== this.#receipts) return;
    this.#me = me;
    this.#gave(this.#known.messages);
  }

  #stop(): void {
    for (const off of this.#offs) off();
    this.#unfollow();
    this.#status.cancel();
    this.#confirmed.clear();
    if (this.#known.phase === "live") this.#set({ phase: "behind" });
  }

  /** The connection stands: what is here may be old. */
  #up(isRecovered: boolean): void {
    this.#receipts.resume();
    void this.#learnMe();
    if (this.#feed === undefined) void this.#load();
    else if (!isRecovered) this.#lookAgain();
  }

  /** Loads the newest page, and goes on from there. */
  async #load(attempts = 0): Promise<void> {
    this.#unfollow();
    const generation = this.#generation;
    try {
      const page = await this.#page({});
      if (generation !== this.#generation) return;
      this.#set({ ...EMPTY, phase: "behind", error: null, messages: page, hasOlder: hasMore(page) });
      this.#gave(page);
      this.#follow();
    } catch (thrown) {
      // Without a connection the next one tries again.
      if (generation !== this.#generation || !this.#host.line.isUp) return;
      const error = asFailure(thrown);
      if (!error.isTransient) return this.#fail(error);
      this.#set({ phase: this.#known.messages.length === 0 ? "loading" : "behind", error });
      this.#later(error, attempts, () => void this.#load(attempts + 1));
    }
  }

  /** Does something when a refusal may have passed, unless the channel is left or loaded anew before that. */
  #later(error: RoomkeyError, attempts: number, action: () => void): void {
    const { clock, random } = this.#host.platform;
    this.#forgetRetry();
    this.#forgetRetry = clock.after(waitMs(error, attempts, random), action);
  }

  #follow(): void {
    const { line, platform } = this.#host;
    const after = this.#known.messages.at(-1)?.seq ?? 0;
    this.#feed = new Feed(line, platform, this.channelId, after, {
      messages: (messages) => this.#append(messages),
      caughtUp: () => this.#set({ phase: "live" }),
      failed: (error) => this.#fail(error),
      hasRoom: (count) => count <= KEPT_MAX || (void this.#load(), false),
    });
    this.#feed.start();
  }

  #unfollow(): void {
    this.#generation += 1;
    this.#forgetRetry();
    this.#feed?.close();
    this.#feed = undefined;
    if (this.#known.isLoadingOlder) this.#set({ isLoadingOlder: false });
  }

  /** Asks again for what is loaded: it may have been edited while there was no connection. */
  #lookAgain(): void {
    const kept = this.#known.messages.slice(-KEPT_MAX);
    const isCut = kept.length < this.#known.messages.length;
    this.#set({ phase: "behind", messages: kept, hasOlder: this.#known.hasOlder || isCut });
    this.#forgetRetry();
    void this.#reread((kept[0]?.seq ?? 1) - 1, kept.at(-1)?.seq ?? 0, 0);
  }

  async #reread(after: number, last: number, attempts: number): Promise<void> {
    const generation = this.#generation;
    try {
      while (after < last) {
        const page = await this.#page({ after });
        if (generation !== this.#generation || page.length === 0) return;
        this.#set({ messages: update(this.#known.messages, page, false) });
        after = page.at(-1)?.seq ?? last;
        attempts = 0;
      }
    } catch (thrown) {
      // Without a connection the next one does the same; and what is refused for good, the feed is refused as well.
      const error = asFailure(thrown);
      if (generation !== this.#generation || !this.#host.line.isUp || !error.isTransient) return;
      this.#later(error, attempts, () => void this.#reread(after, last, attempts + 1));
    }
  }

  #append(messages: readonly Message[]): void {
    const newer = messages.map((message) => this.#current(message));
    const { messages: known, hasOlder, isLoadingOlder } = this.#known;
    const all = append(known, newer);
    // A page of older messages on its way has to find the first one where it was.
    const kept = isLoadingOlder ? all : all.slice(-Math.max(KEPT_MAX, known.length));
    this.#set({ messages: kept, hasOlder: hasOlder || kept.length < all.length });
    this.#gave(newer);
  }

  /** Messages of others have arrived. */
  #gave(messages: readonly Message[]): void {
    const theirs = messages.findLast(({ userId }) => userId !== this.#me);
    if (theirs !== undefined && this.#me !== undefined) this.#receipts.delivered(theirs);
  }

  #learn(message: Message, isAnnounced: boolean): void {
    if (message.channelId !== this.channelId) return;
    const version = newest(this.#versions.get(message.id), message, isAnnounced);
    this.#versions.delete(message.id);
    this.#versions.set(message.id, version);
    forgetOldest(this.#versions);
    this.#set({ messages: update(this.#known.messages, [version], isAnnounced) });
  }

  #deleted(messageId: string): void {
    this.#gone.add(messageId);
    forgetOldest(this.#gone);
    this.#set({ messages: this.#known.messages.map((message) => this.#current(message)) });
  }

  /** The message as it is by now, whenever the answer was written that it came in. */
  #current(message: Message): Message {
    const newer = newest(this.#versions.get(message.id), message, false);
    if (!this.#gone.has(message.id) || newer.deletedAt) return newer;
    return { ...newer, content: "", deletedAt: new Date(this.#host.platform.clock.now()).toISOString() };
  }

  async #optimistic(messageId: string, content: string, confirm: () => Promise<void>): Promise<void> {
    this.#pending.set(messageId, content);
    this.#show();
    try {
      await confirm();
    } finally {
      if (this.#pending.get(messageId) === content) this.#pending.delete(messageId);
      this.#show();
    }
  }

  #onConfirmed(outgoing: Outgoing, message: Message): void {
    if (outgoing.channelId !== this.channelId) return;
    this.#me = message.userId;
    this.#confirmed.set(outgoing.clientId, outgoing);
    this.#feed?.receive(message);
    this.#show();
  }

  #statusChanged(change: StatusChange): void {
    if (change.channelId !== this.channelId) return;
    if (change.seq >= (this.#changed?.seq ?? 0)) this.#changed = change;
    this.#status.run();
  }

  /** How far a message has come with all recipients: so far have all of mine before it come. */
  async #askStatus(): Promise<void> {
    const [changed, receipts] = [this.#changed, this.#receipts];
    this.#changed = undefined;
    if (changed === undefined) return;
    const { messageId, seq } = changed;
    const found = await this.#host.line.request("message:getStatus", { messageId }).catch(() => undefined);
    const sender = this.#known.messages.find(({ id }) => id === messageId)?.userId ?? this.#me;
    if (found === undefined || sender === undefined || receipts !== this.#receipts) return;
    this.#set({ messages: reach(this.#known.messages, sender, seq, found.status) });
  }

  #isMe({ channelId, userId }: { channelId: string; userId: string }): boolean {
    return channelId === this.channelId && userId === this.#me;
  }

  #isMine(room: string): boolean {
    return room === `channel:${this.channelId}` || room === this.channelId;
  }

  #fail(error: RoomkeyError): void {
    this.#unfollow();
    this.#set({ phase: "failed", error });
  }

  async #page(range: { before?: number; after?: number }): Promise<readonly Message[]> {
    const messages = await history(this.#host.line, { channelId: this.channelId, ...range });
    return messages.map((message) => this.#current(message)).sort((a, b) => a.seq - b.seq);
  }

  #set(change: Partial<Omit<ChannelState, "outgoing">>): void {
    this.#known = { ...this.#known, ...change };
    this.#show();
  }

  #show(): void {
    const shown = new Set(this.#known.messages.map(({ clientId }) => clientId));
    for (const clientId of shown) if (clientId !== undefined) this.#confirmed.delete(clientId);
    const mine = new Map(this.#confirmed);
    for (const outgoing of this.#host.outbox.outgoing.get()) mine.set(outgoing.clientId, outgoing);
    this.#store.set({
      ...this.#known,
      messages:
        this.#pending.size === 0 ? this.#known.messages : this.#known.messages.map((one) => this.#asIWantIt(one)),
      outgoing: [...mine.values()].filter(
        ({ channelId, clientId }) => channelId === this.channelId && !shown.has(clientId),
      ),
    });
  }

  #asIWantIt(message: Message): Message {
    const content = this.#pending.get(message.id);
    return content === undefined ? message : { ...message, content };
  }
}

function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  const oldest = kept.keys().next();
  if (kept.size > VERSIONS_MAX && !oldest.done) kept.delete(oldest.value);
}

/** Whether there may be messages before this page, however short it is: where there are none, the next one is empty. */
function hasMore(page: readonly Message[]): boolean {
  return (page[0]?.seq ?? 1) > 1;
}

function evicted(): RoomkeyError {
  return new RoomkeyError("FORBIDDEN", "You are not in this channel any more.");
}
