import { expect, test } from "vitest";
import { maximum, pathData, ticks } from "./plot-scale";

test.each([
  [0, [0, 1]],
  [0.3, [0, 0.1, 0.2, 0.3]],
  [1, [0, 0.5, 1]],
  [7, [0, 2.5, 5, 7.5]],
  [100_000, [0, 50_000, 100_000]],
  [NaN, [0, 1]],
  [Infinity, [0, 1]],
])("round marks up to %s", (max, expected) => {
  expect(ticks(max)).toEqual(expected);
});

test("marks may be round in another unit", () => {
  expect(ticks(50 * 1024 ** 2, 1024 ** 2).map((mark) => mark / 1024 ** 2)).toEqual([0, 20, 40, 60]);
});

test("every value lies under the highest mark", () => {
  for (let max = 0.001; max < 1e9; max *= 1.37) {
    const marks = ticks(max);
    expect(marks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-6));
    expect(marks.length).toBeLessThanOrEqual(5);
  }
});

test("a line breaks where values or samples are missing, and a value alone is a dot", () => {
  const identity = (value: number) => value;
  const points = [
    { at: 0, value: 1 },
    { at: 2, value: 2 },
    { at: 4, value: null },
    { at: 6, value: 3 },
    { at: 20, value: 4 },
  ];
  expect(pathData(points, identity, identity, 5)).toBe("M0.0 1.0h0L2.0 2.0M6.0 3.0h0M20.0 4.0h0");
  expect(maximum([points, []])).toBe(4);
});
