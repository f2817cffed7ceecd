import { computed, signal } from "@preact/signals";
import type { Decision } from "../wire/records";

/** As many of each outcome as the server keeps: a flood of the one does not drive out the other. */
export const DECISIONS_MAX = 2_000;

/** What can be looked at: only what was refused, or everything. */
export type Kind = "failures" | "all";

/** Decisions that are alike, by their event and reason. */
export interface Group {
  readonly key: string;
  readonly event: string;
  readonly reason: string | null;
  readonly outcome: Decision["outcome"];
  /** How many decisions, with those that a record stands for. */
  readonly count: number;
}

/** The security decisions that this page knows of, newest first. */
export class Decisions {
  readonly #all = signal<readonly Decision[]>([]);
  readonly #pausedAt = signal<number | null>(null);

  /** What is to be shown: everything, or what was there when it was paused. */
  readonly shown = computed(() => {
    const pausedAt = this.#pausedAt.value;
    return pausedAt === null ? this.#all.value : this.#all.value.filter(({ id }) => id <= pausedAt);
  });
  /** How many came since it was paused. */
  readonly waiting = computed(() => this.#all.value.length - this.shown.value.length);
  readonly isPaused = computed(() => this.#pausedAt.value !== null);

  /** Those of a kind, from this id on. */
  of(kind: Kind, from: number): readonly Decision[] {
    return this.shown.value.filter(({ id, outcome }) => id >= from && (kind === "all" || outcome === "failure"));
  }

  add(...decisions: readonly Decision[]): void {
    const known = new Map(this.#all.peek().map((decision) => [decision.id, decision]));
    for (const decision of decisions) known.set(decision.id, decision);
    const newestFirst = [...known.values()].sort((a, b) => b.id - a.id);
    const room = { failure: DECISIONS_MAX, success: DECISIONS_MAX };
    this.#all.value = newestFirst.filter(({ outcome }) => room[outcome]-- > 0);
  }

  /** Forgets everything: the server was started anew, and counts from one again. */
  clear(): void {
    this.#all.value = [];
    if (this.#pausedAt.peek() !== null) this.#pausedAt.value = 0;
  }

  pause(): void {
    this.#pausedAt.value = this.#all.peek()[0]?.id ?? 0;
  }

  goOn(): void {
    this.#pausedAt.value = null;
  }
}

/** How often which decision, most first. */
export function grouped(decisions: readonly Decision[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { event, outcome, reason = null, count } of decisions) {
    const key = groupKey(event, reason);
    const before = groups.get(key)?.count ?? 0;
    groups.set(key, { key, event, reason, outcome, count: before + count });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count || a.key.localeCompare(b.key));
}

/** What makes decisions alike. */
export function groupKey(event: string, reason: string | null | undefined): string {
  return `${event} ${reason ?? ""}`;
}
