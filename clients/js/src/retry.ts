import { waitMs } from "./auth/remedy.js";
import type { Off } from "./connection.js";
import type { Platform } from "./platform.js";
import type { RoomkeyError } from "./wire/failure.js";

/** Runs `action` again after a refusal that passes: each time later, until something has come through. */
export class Retry {
  readonly #platform: Platform;
  readonly #action: () => void;
  #waits = 0;
  #forget: Off = () => {};

  constructor(platform: Platform, action: () => void) {
    this.#platform = platform;
    this.#action = action;
  }

  after(failure: RoomkeyError): void {
    this.#forget();
    if (!failure.isTransient) return;
    const ms = waitMs(failure, this.#waits, this.#platform.random);
    this.#waits += 1;
    this.#forget = this.#platform.clock.after(ms, this.#action);
  }

  /** It came through, or is not wanted any more. */
  cancel(): void {
    this.#forget();
    this.#waits = 0;
  }
}
