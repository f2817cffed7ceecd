import type { Clock } from "../../src/platform.js";

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** A clock that goes when it is told to. */
export class TestClock implements Clock {
  #now = Date.UTC(2026, 10, 21);
  #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and everything happen that is due. */
  async advance(ms = 0): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settled();
    }
    this.#now = end;
  }

  #due(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}

/** Until all that was promised has come. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
