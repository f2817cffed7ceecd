import type { Sample } from "../wire/records";

/** As many as the server keeps: half an hour, one every two seconds. */
export const SAMPLES_MAX = 900;

/** The samples with one more, without the oldest ones beyond the limit. One that is not newer is left out. */
export function append(samples: readonly Sample[], sample: Sample, max = SAMPLES_MAX): readonly Sample[] {
  const newest = samples.at(-1);
  if (newest !== undefined && timeOf(sample) <= timeOf(newest)) return samples;
  return [...samples.slice(Math.max(0, samples.length + 1 - max)), sample];
}

/** Those of the last so many seconds before the newest one. */
export function lastSeconds(samples: readonly Sample[], seconds: number): readonly Sample[] {
  const newest = samples.at(-1);
  if (newest === undefined) return samples;
  const from = timeOf(newest) - seconds * 1000;
  const first = samples.findIndex((sample) => timeOf(sample) >= from);
  return samples.slice(first);
}

/** The sample nearest to a moment. */
export function nearest(samples: readonly Sample[], moment: number): Sample | undefined {
  let low = 0;
  let high = samples.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(samples[middle]!) < moment) low = middle + 1;
    else high = middle;
  }
  const after = samples[low];
  const before = samples[low - 1];
  if (after === undefined || before === undefined) return after ?? before;
  return moment - timeOf(before) < timeOf(after) - moment ? before : after;
}

export function timeOf(sample: Sample): number {
  return Date.parse(sample.at);
}
