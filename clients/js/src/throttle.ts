import type { Clock } from "./platform.js";

/** Runs `action` at once, and then at most once in `ms`: what is asked meanwhile is one run at the end. */
export class Throttle {
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #action: () => void;
  #forget: (() => void) | undefined;
  #isAsked = false;

  constructor(clock: Clock, ms: number, action: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#action = action;
  }

  run(): void {
    if (this.#forget !== undefined) {
      this.#isAsked = true;
      return;
    }
    this.#forget = this.#clock.after(this.#ms, () => {
      this.#forget = undefined;
      if (this.#isAsked) this.run();
    });
    this.#isAsked = false;
    this.#action();
  }

  /** What was asked is not run any more, and the next run is at once. */
  cancel(): void {
    this.#forget?.();
    this.#forget = undefined;
    this.#isAsked = false;
  }
}
