import { computed, signal } from "@preact/signals";
import { asFailure, type Failure } from "../wire/failure";

/** A page of a list, as the server cuts it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  readonly total: number;
}

export type Load<T> = (cursor: string | null) => Promise<Page<T>>;

/** A list that stays on the server: the page that is shown, and the way to the ones beside it. */
export class Listing<T> {
  readonly #page = signal<Page<T> | null>(null);
  readonly #cursors = signal<readonly (string | null)[]>([null]);
  readonly #isLoading = signal(false);
  readonly #failure = signal<Failure | null>(null);
  #load: Load<T> | undefined;
  #turn = 0;

  readonly items = computed(() => this.#page.value?.items ?? []);
  readonly total = computed(() => this.#page.value?.total ?? 0);
  readonly isLoading = computed(() => this.#isLoading.value);
  /** Nothing has come yet. */
  readonly isFirst = computed(() => this.#page.value === null && this.#failure.value === null);
  readonly failure = computed(() => this.#failure.value);
  /** Counted from one. */
  readonly number = computed(() => this.#cursors.value.length);
  readonly hasNext = computed(() => this.#page.value !== null && this.#page.value.next !== null);
  readonly hasPrevious = computed(() => this.#cursors.value.length > 1);

  /** Shows another list from its beginning. What was there stays until the new one has come. */
  show(load: Load<T>): Promise<void> {
    this.#load = load;
    return this.#turnTo([null]);
  }

  reload(): Promise<void> {
    return this.#turnTo(this.#cursors.peek());
  }

  next(): Promise<void> {
    const next = this.#page.peek()?.next;
    return next === null || next === undefined ? Promise.resolve() : this.#turnTo([...this.#cursors.peek(), next]);
  }

  previous(): Promise<void> {
    const cursors = this.#cursors.peek();
    return cursors.length < 2 ? Promise.resolve() : this.#turnTo(cursors.slice(0, -1));
  }

  async #turnTo(cursors: readonly (string | null)[]): Promise<void> {
    if (this.#load === undefined) return;
    const turn = ++this.#turn;
    this.#isLoading.value = true;
    try {
      const page = await this.#load(cursors.at(-1) ?? null);
      // Another page was asked for meanwhile: this one is not wanted any more.
      if (turn !== this.#turn) return;
      this.#page.value = page;
      this.#cursors.value = cursors;
      this.#failure.value = null;
    } catch (thrown) {
      if (turn === this.#turn) this.#failure.value = asFailure(thrown);
    } finally {
      if (turn === this.#turn) this.#isLoading.value = false;
    }
  }
}
