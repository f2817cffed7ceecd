import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Observable } from "roomkey";

const known = new WeakMap<Observable<unknown>, Signal<unknown>>();

/** An observable of the client as a signal. It is watched for as long as something that lives reads the signal. */
export function watch<T>(source: Observable<T>): ReadonlySignal<T> {
  const made = (known.get(source) ?? make(source)) as Signal<T>;
  known.set(source, made);
  return made;
}

function make<T>(source: Observable<T>): Signal<T> {
  let off = () => {};
  const made: Signal<T> = signal(source.get(), {
    watched() {
      off = source.subscribe(() => (made.value = source.get()));
      made.value = source.get();
    },
    unwatched: () => off(),
  });
  return made;
}
