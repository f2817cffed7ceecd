"use client";
import { useSyncExternalStore } from "react";

import type { Observable } from "../store.js";

/** The value of an observable, also while a server renders. */
export function useObservable<T>(observable: Observable<T>): T {
  return useSyncExternalStore(observable.subscribe, observable.get, observable.get);
}
