/** A line of a plot: times in milliseconds, values, and gaps where there is no value. */
export interface Point {
  readonly at: number;
  readonly value: number | null;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Round values, in multiples of `unit`, from nothing up to at least `max`, about as many as there is room for. */
export function ticks(max: number, unit = 1, count = 3): readonly number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, unit];
  if (unit !== 1) return ticks(max / unit, 1, count).map((tick) => tick * unit);
  const rough = max / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = magnitude * (STEPS.find((step) => step * magnitude >= rough * (1 - 1e-9)) ?? 10);
  const last = Math.ceil(max / step - 1e-9);
  return Array.from({ length: last + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

/**
 * The line as SVG path data. It breaks where a value is missing, or where samples lie further apart than `gapMs`; a
 * point alone becomes a line without length, which round ends make a dot.
 */
export function pathData(
  points: readonly Point[],
  x: (at: number) => number,
  y: (value: number) => number,
  gapMs: number,
): string {
  let data = "";
  let before: Point | undefined;
  for (const point of points) {
    if (point.value !== null) {
      const isJoined = before !== undefined && before.value !== null && point.at - before.at <= gapMs;
      const place = `${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
      data += isJoined ? `L${place}` : `M${place}h0`;
    }
    before = point;
  }
  return data;
}

export function maximum(lines: readonly (readonly Point[])[]): number {
  let max = 0;
  for (const line of lines) for (const { value } of line) if (value !== null && value > max) max = value;
  return max;
}
