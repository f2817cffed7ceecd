import type { Clock } from "./platform.js";

/**
 * Something that runs for as long as anybody holds it. The end waits for a moment: a component that is mounted again at
 * once, as React's StrictMode does, finds it still running.
 */
export class Lease {
  readonly #clock: Clock;
  readonly #start: () => void;
  readonly #stop: () => void;
  #holders = 0;
  #isRunning = false;

  constructor(clock: Clock, start: () => void, stop: () => void) {
    this.#clock = clock;
    this.#start = start;
    this.#stop = stop;
  }

  /** Whether it runs. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Holds it; the function that is returned lets it go, once. */
  hold(): () => void {
    this.#holders += 1;
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#start();
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (this.#holders === 0) this.#clock.after(0, () => this.#endIfFree());
    };
  }

  #endIfFree(): void {
    if (this.#holders > 0 || !this.#isRunning) return;
    this.#isRunning = false;
    this.#stop();
  }
}
