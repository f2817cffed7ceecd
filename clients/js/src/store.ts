/** A value that changes, in the shape that React's `useSyncExternalStore` takes. */
export interface Observable<T> {
  /** The value now; the same object for as long as it has not changed. */
  get(): T;
  /** Calls `listener` after each change, until the function that is returned is called. */
  subscribe(listener: () => void): () => void;
}

/** An observable that its owner sets. */
export class Store<T> implements Observable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    // Wrapped, so that one listener that subscribes twice is two.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }
}
