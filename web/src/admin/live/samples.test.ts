import { expect, test } from "vitest";
import type { Sample } from "../wire/records";
import { append, lastSeconds, nearest } from "./samples";

const at = (seconds: number): Sample => ({
  at: new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString(),
  connections: seconds,
  sockets: 0,
  users: 0,
  rooms: 0,
  parked: 0,
  memoryBytes: 0,
  cpu: 0,
  rates: { connects: 0, refusals: 0, events: 0, deliveries: 0, writes: 0, messages: 0 },
  latencyMs: { p50: null, p99: null, max: null },
  lagMs: null,
});
const numbers = (samples: readonly Sample[]) => samples.map(({ connections }) => connections);

test("the window slides, and takes each sample once and in order", () => {
  let samples: readonly Sample[] = [];
  for (const seconds of [0, 2, 4, 2, 6, 8, 8]) samples = append(samples, at(seconds), 3);
  expect(numbers(samples)).toEqual([4, 6, 8]);
});

test("a shorter time is cut from the newest sample on", () => {
  const samples = [0, 2, 4, 6, 8].map(at);
  expect(numbers(lastSeconds(samples, 4))).toEqual([4, 6, 8]);
  expect(numbers(lastSeconds(samples, 3_600))).toEqual([0, 2, 4, 6, 8]);
  expect(lastSeconds([], 4)).toEqual([]);
});

test("what is pointed at is the nearest sample", () => {
  const samples = [0, 2, 4].map(at);
  const find = (seconds: number) => nearest(samples, Date.UTC(2026, 0, 1) + seconds * 1_000)?.connections;
  expect([-5, 0.9, 1.1, 3.2, 99].map(find)).toEqual([0, 0, 2, 4, 4]);
  expect(nearest([], 0)).toBeUndefined();
});
