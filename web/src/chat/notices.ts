import { signal } from "@preact/signals";
import type { Failure } from "../wire/failure";

export interface Notice {
  readonly key: number;
  readonly failure: Failure;
}

const SHOWN_MAX = 3;

/** What a person should know and can dismiss; the same thing is not said twice at a time. */
export class Notices {
  readonly shown = signal<readonly Notice[]>([]);
  #next = 0;

  add(failure: Failure): void {
    const others = this.shown.peek().filter((notice) => notice.failure.message !== failure.message);
    this.shown.value = [...others, { key: this.#next++, failure }].slice(-SHOWN_MAX);
  }

  dismiss(key: number): void {
    this.shown.value = this.shown.peek().filter((notice) => notice.key !== key);
  }
}
