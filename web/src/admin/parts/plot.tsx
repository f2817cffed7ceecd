import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { nearest, timeOf } from "../live/samples";
import type { Sample } from "../wire/records";
import { maximum, pathData, type Point, ticks } from "./plot-scale";

export interface Line {
  readonly label: string;
  readonly of: (sample: Sample) => number | null;
}

interface PlotProps {
  title: string;
  samples: readonly Sample[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** The time that is pointed at, in all plots of the page at once. */
  pointed: Signal<number | null>;
  /** How many seconds the plot is wide, at most. */
  seconds: number;
  unit?: number;
}

const HEIGHT = 132;
const TOP = 8;
const BOTTOM = 6;
/** For what the marks say. */
const GUTTER = 60;
const WIDTH_MIN_MS = 60_000;
/** Samples come each two seconds; further apart, some are missing. */
const GAP_MS = 7_000;

/** Lines over time, with what they are worth now, or where the pointer is. */
export function Plot({ title, samples, lines, format, pointed, seconds, unit = 1 }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => (width.value = entry?.contentRect.width ?? 0));
    if (box.current !== null) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);

  const newest = samples.at(-1);
  const end = newest === undefined ? 0 : timeOf(newest);
  // A server that was just started has little to show: that is stretched.
  const known = samples[0] === undefined ? 0 : end - timeOf(samples[0]);
  const start = end - Math.min(seconds * 1_000, Math.max(known, WIDTH_MIN_MS));
  const series = lines.map(({ of }) => samples.map((sample): Point => ({ at: timeOf(sample), value: of(sample) })));
  const marks = ticks(maximum(series), unit);
  const top = marks.at(-1) ?? 1;
  const room = Math.max(width.value - GUTTER, 1);
  const x = (at: number) => GUTTER + ((at - start) / (end - start || 1)) * room;
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);

  const shown = pointed.value === null ? newest : nearest(samples, pointed.value);
  const point = (event: PointerEvent) => {
    const frame = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - frame.left - GUTTER) / room;
    pointed.value = start + Math.min(Math.max(share, 0), 1) * (end - start);
  };

  return (
    <figure class="plot">
      <figcaption>
        <h3>{title}</h3>
        <dl>
          {lines.map(({ label, of }, index) => (
            <div key={label} class={`line-${index}`}>
              <dt>{label}</dt>
              <dd>{valueText(shown && of(shown), format)}</dd>
            </div>
          ))}
        </dl>
      </figcaption>
      <div ref={box} class="plot-box">
        <svg
          width={width.value}
          height={HEIGHT}
          role="img"
          aria-label={summary(title, lines, series, format)}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={() => (pointed.value = null)}
        >
          {marks.map((mark) => (
            <g key={mark} class="mark">
              <line x1={GUTTER} x2={width.value} y1={y(mark)} y2={y(mark)} />
              <text x={GUTTER - 8} y={y(mark) + 4}>
                {mark === 0 ? "0" : format(mark)}
              </text>
            </g>
          ))}
          {series.map((points, index) => (
            <path key={index} class={`line-${index}`} d={pathData(points, x, y, GAP_MS)} />
          ))}
          {pointed.value !== null && shown !== undefined && (
            <line class="pointed" x1={x(timeOf(shown))} x2={x(timeOf(shown))} y1={0} y2={HEIGHT} />
          )}
        </svg>
      </div>
    </figure>
  );
}

function valueText(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "–" : format(value);
}

/** The plot in a sentence, for those who do not see it. */
function summary(
  title: string,
  lines: readonly Line[],
  series: readonly (readonly Point[])[],
  format: (value: number) => string,
): string {
  const parts = lines.map(({ label }, index) => {
    const values = (series[index] ?? []).map(({ value }) => value).filter((value) => value !== null);
    if (values.length === 0) return `${label}: no values`;
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    return `${label}: between ${format(low)} and ${format(high)}, last ${format(values.at(-1)!)}`;
  });
  return `${title}. ${parts.join("; ")}.`;
}
