import { waitMs } from "../auth/remedy.js";
import type { Line, Off } from "../connection.js";
import type { Platform } from "../platform.js";
import { Throttle } from "../throttle.js";
import { asFailure } from "../wire/failure.js";
import type { Message } from "../wire/records.js";

const INTERVAL_MS = 500;

/** Tells the server how far I have got and read a channel: the newest message, at most twice a second. */
export class Receipts {
  readonly #line: Line;
  readonly #platform: Platform;
  readonly #send: Throttle;
  #delivered: Message | undefined;
  #seen: Message | undefined;
  #deliveredSeq = 0;
  #seenSeq = 0;
  #isClosed = false;
  #attempts = 0;
  /** Set while a refusal is waited out. */
  #forgetRetry: Off | undefined;

  readonly #onSeen: () => void;

  /** `onSeen` is called each time that the server has noted what was seen. */
  constructor(line: Line, platform: Platform, onSeen: () => void) {
    this.#line = line;
    this.#platform = platform;
    this.#onSeen = onSeen;
    this.#send = new Throttle(platform.clock, INTERVAL_MS, () => this.#tell());
  }

  /** This message, and all before it, are here. */
  delivered(message: Message): void {
    if (message.seq <= Math.max(this.#deliveredSeq, this.#seenSeq, this.#delivered?.seq ?? 0)) return;
    this.#delivered = message;
    this.#run();
  }

  /** This message, and all before it, were on screen. */
  seen(message: Message): void {
    if (message.seq <= Math.max(this.#seenSeq, this.#seen?.seq ?? 0)) return;
    this.#seen = message;
    this.#run();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#isClosed = true;
    this.#forgetRetry?.();
    this.#send.cancel();
  }

  /** What could not be told while there was no connection. */
  resume(): void {
    this.#attempts = 0;
    this.#goOn();
  }

  #goOn(): void {
    this.#forgetRetry?.();
    this.#forgetRetry = undefined;
    if (this.#delivered !== undefined || this.#seen !== undefined) this.#send.run();
  }

  #run(): void {
    if (this.#forgetRetry === undefined) this.#send.run();
  }

  #tell(): void {
    if (!this.#line.isUp || this.#isClosed) return;
    const [delivered, seen] = [this.#delivered, this.#seen];
    this.#delivered = this.#seen = undefined;
    if (seen !== undefined) {
      this.#seenSeq = seen.seq;
      this.#line.request("message:seen", { messageId: seen.id }).then(
        () => ((this.#attempts = 0), this.#onSeen()),
        (thrown) => this.#failed("seen", seen, thrown),
      );
    }
    if (delivered !== undefined && delivered.seq > this.#seenSeq) {
      this.#deliveredSeq = delivered.seq;
      this.#line.request("message:delivered", { messageId: delivered.id }).then(
        () => (this.#attempts = 0),
        (thrown) => this.#failed("delivered", delivered, thrown),
      );
    }
  }

  /** Kept for the next connection, or for when a refusal has passed; where it does not, the next message will tell. */
  #failed(mark: "seen" | "delivered", message: Message, thrown: unknown): void {
    const { isUp } = this.#line;
    const error = asFailure(thrown);
    if (this.#isClosed || (isUp && !error.isTransient)) return;
    if (mark === "seen") {
      this.#seenSeq = 0;
      this.#seen ??= message;
    } else {
      this.#deliveredSeq = 0;
      this.#delivered ??= message;
    }
    if (!isUp || this.#forgetRetry !== undefined) return;
    const ms = waitMs(error, this.#attempts, this.#platform.random);
    this.#attempts += 1;
    this.#forgetRetry = this.#platform.clock.after(ms, () => this.#goOn());
  }
}
