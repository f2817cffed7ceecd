import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { asFailure, type Failure } from "../wire/failure";

/** One thing from the server, as far as it has come. */
export interface Loaded<T> {
  readonly value: Signal<T | null>;
  readonly failure: Signal<Failure | null>;
  readonly reload: () => void;
}

/** Loads when `key` changes. What was there for another key is gone at once; a reload keeps it until the new has come. */
export function useLoaded<T>(key: string, load: () => Promise<T>): Loaded<T> {
  const value = useSignal<T | null>(null);
  const failure = useSignal<Failure | null>(null);
  const turn = useSignal(0);

  const reload = () => {
    const mine = ++turn.value;
    load().then(
      (loaded) => {
        if (mine !== turn.peek()) return;
        value.value = loaded;
        failure.value = null;
      },
      (thrown: unknown) => {
        if (mine === turn.peek()) failure.value = asFailure(thrown);
      },
    );
  };
  useEffect(() => {
    value.value = null;
    failure.value = null;
    reload();
    return () => void ++turn.value;
  }, [key]);
  return { value, failure, reload };
}
