import type { Line } from "../connection.js";
import type { Clock } from "../platform.js";
import { Throttle } from "../throttle.js";
import type { Message } from "../wire/records.js";

const INTERVAL_MS = 500;

/** Tells the server how far I have got and read a channel: the newest message, at most twice a second. */
export class Receipts {
  readonly #line: Line;
  readonly #send: Throttle;
  #delivered: Message | undefined;
  #seen: Message | undefined;
  #deliveredSeq = 0;
  #seenSeq = 0;
  #isClosed = false;

  readonly #onSeen: () => void;

  /** `onSeen` is called each time that the server has noted what was seen. */
  constructor(line: Line, clock: Clock, onSeen: () => void) {
    this.#line = line;
    this.#onSeen = onSeen;
    this.#send = new Throttle(clock, INTERVAL_MS, () => this.#tell());
  }

  /** This message, and all before it, are here. */
  delivered(message: Message): void {
    if (message.seq <= Math.max(this.#deliveredSeq, this.#seenSeq, this.#delivered?.seq ?? 0)) return;
    this.#delivered = message;
    this.#send.run();
  }

  /** This message, and all before it, were on screen. */
  seen(message: Message): void {
    if (message.seq <= Math.max(this.#seenSeq, this.#seen?.seq ?? 0)) return;
    this.#seen = message;
    this.#send.run();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    this.#send.cancel();
  }

  /** What could not be told while there was no connection. */
  resume(): void {
    if (this.#delivered !== undefined || this.#seen !== undefined) this.#send.run();
  }

  #tell(): void {
    if (!this.#line.isUp || this.#isClosed) return;
    const [delivered, seen] = [this.#delivered, this.#seen];
    this.#delivered = this.#seen = undefined;
    if (seen !== undefined) {
      this.#seenSeq = seen.seq;
      this.#line.request("message:seen", { messageId: seen.id }).then(this.#onSeen, () => this.#again("seen", seen));
    }
    if (delivered !== undefined && delivered.seq > this.#seenSeq) {
      this.#deliveredSeq = delivered.seq;
      this.#line
        .request("message:delivered", { messageId: delivered.id })
        .catch(() => this.#again("delivered", delivered));
    }
  }

  /** Kept for the next connection; while this one stands, the next message will tell. */
  #again(mark: "seen" | "delivered", message: Message): void {
    if (this.#line.isUp) return;
    if (mark === "seen") {
      this.#seenSeq = 0;
      this.#seen ??= message;
    } else {
      this.#deliveredSeq = 0;
      this.#delivered ??= message;
    }
  }
}
