import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** Something to be done to others, which is asked about first. */
export interface Action {
  readonly title: string;
  /** What will happen. */
  readonly text: ComponentChildren;
  /** What the button says. */
  readonly verb: string;
  readonly isDanger?: boolean;
  /** What else is asked for, beside the reason. */
  readonly fields?: ComponentChildren;
  /**
   * Does it, and says what was done. When the server wants to hear how many sockets it is expected to be about, it is
   * done again with that number, once somebody has typed it.
   */
  readonly run: (reason: string, fields: FormData, confirm: number | undefined) => Promise<string>;
  /** It is done: what is shown can be loaded anew. */
  readonly onDone?: () => void;
}

/** What is asked about now. */
export const asked = signal<Action | null>(null);

export function ask(action: Action): void {
  asked.value = action;
}

/** What was done last, for a while. */
export const told = signal<{ readonly text: string; readonly id: number } | null>(null);

const TOLD_MS = 8_000;
let count = 0;

export function tell(text: string): void {
  const id = ++count;
  told.value = { text, id };
  setTimeout(() => {
    if (told.peek()?.id === id) told.value = null;
  }, TOLD_MS);
}
