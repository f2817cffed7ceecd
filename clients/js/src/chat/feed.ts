import { waitMs } from "../auth/remedy.js";
import type { Line, Off } from "../connection.js";
import type { Platform } from "../platform.js";
import { asFailure, type RoomkeyError } from "../wire/failure.js";
import type { Message } from "../wire/records.js";
import { history } from "./history.js";

/** Live messages that wait for those before them. What does not fit comes from the history. */
const WAITING_MAX = 1_000;

export interface FeedEvents {
  /** The next messages: in order, each once, none left out. */
  messages(messages: readonly Message[]): void;
  /** All there was has been given; from now on they come as they are written. */
  caughtUp(): void;
  /** The channel cannot be read: the feed has ended. */
  failed(error: RoomkeyError): void;
  /** So many messages came since it began to catch up. Tells whether to go on now, or when `goOn` is called. */
  hasRoom?(count: number): boolean;
}

/**
 * Joins the history of a channel and what is written meanwhile into one stream without gaps: live messages wait until
 * all before them are here, and those are asked for, also after a connection was lost.
 */
export class Feed {
  readonly #line: Line;
  readonly #platform: Platform;
  readonly #channelId: string;
  readonly #events: FeedEvents;
  readonly #waiting = new Map<number, Message>();
  readonly #offs: Off[];
  #last: number;
  /** The first number that was announced on this connection: what is written after it is announced as well. */
  #heard = Infinity;
  #isAsking = false;
  #isBehind = true;
  #isPaused = false;
  #given = 0;
  #attempts = 0;
  #isClosed = false;
  #forgetRetry: Off = () => {};

  /** Gives what comes after the message with the number `after`. */
  constructor(line: Line, platform: Platform, channelId: string, after: number, events: FeedEvents) {
    this.#line = line;
    this.#platform = platform;
    this.#channelId = channelId;
    this.#last = after;
    this.#events = events;
    this.#offs = [line.on("message.created", (message) => this.#announced(message)), line.onUp(() => this.#resume())];
  }

  /** Begins; until then, messages that are written are kept. */
  start(): void {
    void this.#catchUp();
  }

  /** There is room again. */
  goOn(): void {
    if (this.#isPaused) void this.#catchUp();
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetRetry();
    for (const off of this.#offs) off();
  }

  /** Takes a message that the server has stored, in whatever order. */
  receive(message: Message): void {
    if (message.channelId !== this.#channelId || message.seq <= this.#last) return;
    if (this.#waiting.size < WAITING_MAX) this.#waiting.set(message.seq, message);
    else this.#miss();
    if (this.#isAsking || !this.#hasRoom(0)) return;
    this.#give(this.#inOrder());
    if (this.#waiting.size > 0) void this.#catchUp();
  }

  #hasRoom(count: number): boolean {
    const hasRoom = this.#events.hasRoom?.(count) !== false;
    if (!hasRoom) this.#isPaused = true;
    return hasRoom;
  }

  #announced(message: Message): void {
    if (message.channelId === this.#channelId) this.#heard = Math.min(this.#heard, message.seq);
    this.receive(message);
  }

  #resume(): void {
    this.#attempts = 0;
    this.#miss();
    void this.#catchUp();
  }

  /** Something may have been written that nobody has told, or for which there was no room. */
  #miss(): void {
    this.#isBehind = true;
    this.#heard = Infinity;
  }

  /** Asks for page after page until nothing is missing. */
  async #catchUp(): Promise<void> {
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    this.#isPaused = false;
    this.#given = 0;
    let isCaughtUp = false;
    while (!isCaughtUp && !this.#isClosed && this.#line.isUp) {
      if (!this.#hasRoom(this.#given)) break;
      try {
        isCaughtUp = await this.#nextPage();
        this.#attempts = 0;
      } catch (thrown) {
        this.#failed(asFailure(thrown));
        break;
      }
    }
    this.#isAsking = false;
    if (isCaughtUp && !this.#isClosed) this.#events.caughtUp();
  }

  /** Tells whether nothing is missing any more. */
  async #nextPage(): Promise<boolean> {
    this.#isBehind = false;
    const waited = Math.min(...this.#waiting.keys());
    const range = { channelId: this.#channelId, after: this.#last };
    const messages = await history(this.#line, range).catch((thrown: unknown) => {
      this.#isBehind = true;
      throw thrown;
    });
    if (this.#isClosed) return false;
    const next = this.#follow(messages);
    // The server has nothing more, also nothing before what was announced ahead of the question.
    const isEnd = messages.length === 0;
    if (isEnd && this.#waiting.has(waited)) this.#last = waited - 1;
    this.#give([...next, ...this.#inOrder()]);
    // Any other page may be shorter than it could be. The end is also where it meets what is announced.
    const isComplete = isEnd || this.#last >= this.#heard - 1;
    return isComplete && !this.#isBehind && this.#waiting.size === 0;
  }

  /** A page says what comes next, also where numbers are left out because the messages are gone for good. */
  #follow(page: readonly Message[]): Message[] {
    const next = page.filter((message) => message.seq > this.#last).sort((a, b) => a.seq - b.seq);
    this.#last = next.at(-1)?.seq ?? this.#last;
    for (const seq of this.#waiting.keys()) if (seq <= this.#last) this.#waiting.delete(seq);
    return next;
  }

  /** Those of the waiting that come next. */
  #inOrder(): Message[] {
    const next: Message[] = [];
    for (let message = this.#waiting.get(this.#last + 1); message; message = this.#waiting.get(this.#last + 1)) {
      this.#waiting.delete(message.seq);
      this.#last = message.seq;
      next.push(message);
    }
    return next;
  }

  #give(messages: readonly Message[]): void {
    this.#given += messages.length;
    if (messages.length > 0) this.#events.messages(messages);
  }

  #failed(error: RoomkeyError): void {
    if (!this.#line.isUp || this.#isClosed) return;
    if (!error.isTransient) {
      this.close();
      this.#events.failed(error);
      return;
    }
    const ms = waitMs(error, this.#attempts, this.#platform.random);
    this.#forgetRetry();
    this.#forgetRetry = this.#platform.clock.after(ms, () => void this.#catchUp());
    this.#attempts += 1;
  }
}
