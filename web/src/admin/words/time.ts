const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
// 24 hours, as in logs.
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** A length of time in its two largest units: `2 h 5 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [unit, size] = UNITS[first]!;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1]);
  const large = `${Math.floor(seconds / size)} ${unit}`;
  return rest === 0 ? large : `${large} ${rest} ${next![0]}`;
}

/** A length of time in its largest unit: `2 h`. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? (["s", 1] as const);
  return `${Math.floor(seconds / size)} ${unit}`;
}

export function ago(time: string, now: number): string {
  const passed = now - Date.parse(time);
  return passed < 5_000 ? "just now" : `${roughly(passed)} ago`;
}

/** What is left until then: `in 4 min 10 s`, or that it is over. */
export function left(time: string, now: number): string {
  const rest = Date.parse(time) - now;
  return rest <= 0 ? "expired" : `in ${duration(rest)}`;
}

/** The moment where the reader is, and as the audit log writes it. */
export function exact(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : `${EXACT.format(date)} (${date.toISOString()})`;
}

export function clock(time: string | number): string {
  return CLOCK.format(new Date(time));
}
