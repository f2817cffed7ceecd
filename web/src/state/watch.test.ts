import { effect } from "@preact/signals";
import type { Observable } from "roomkey";
import { expect, test } from "vitest";
import { watch } from "./watch";

function counter() {
  const listeners = new Set<() => void>();
  let value = 0;
  const source: Observable<number> = {
    get: () => value,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const set = (next: number) => {
    value = next;
    for (const listener of listeners) listener();
  };
  return { source, set, listeners };
}

test("an observable is watched for as long as somebody reads its signal, once for all", () => {
  const { source, set, listeners } = counter();
  expect(watch(source)).toBe(watch(source));
  expect(listeners.size).toBe(0);
  const seen: number[] = [];
  const ends = [effect(() => void seen.push(watch(source).value)), effect(() => void watch(source).value)];
  expect(listeners.size).toBe(1);
  set(1);
  expect(seen).toEqual([0, 1]);
  for (const end of ends) end();
  expect(listeners.size).toBe(0);
});

test("who reads again sees what has changed while nobody did", () => {
  const { source, set } = counter();
  effect(() => void watch(source).value)();
  set(5);
  const seen: number[] = [];
  effect(() => void seen.push(watch(source).value))();
  expect(seen.at(-1)).toBe(5);
});
