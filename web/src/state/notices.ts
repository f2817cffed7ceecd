import { signal } from "@preact/signals";

export interface Notice {
  readonly key: number;
  readonly kind: "error" | "done";
  readonly text: string;
  readonly code?: string;
}

const SHOWN_MAX = 3;
const DONE_MS = 4_000;

/** What a person should know and can dismiss; the same thing is not said twice at a time. */
export class Notices {
  readonly shown = signal<readonly Notice[]>([]);
  #next = 0;

  /** Something went wrong: it stays until it is dismissed. */
  fail(text: string, code: string): void {
    this.#add({ kind: "error", text, code });
  }

  /** Something was done: it goes by itself. */
  tell(text: string): void {
    const key = this.#add({ kind: "done", text });
    setTimeout(() => this.dismiss(key), DONE_MS);
  }

  dismiss(key: number): void {
    this.shown.value = this.shown.peek().filter((notice) => notice.key !== key);
  }

  #add(notice: Omit<Notice, "key">): number {
    const key = this.#next++;
    const others = this.shown.peek().filter(({ text }) => text !== notice.text);
    this.shown.value = [...others, { key, ...notice }].slice(-SHOWN_MAX);
    return key;
  }
}
