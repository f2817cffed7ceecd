const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const DAY_MS = 24 * 60 * 60_000;

export function clockText(time: string): string {
  return CLOCK.format(new Date(time));
}

export function fullText(time: string): string {
  return FULL.format(new Date(time));
}

export function dayText(time: string, now: Date = new Date()): string {
  const near = nearDay(time, now);
  if (near !== undefined) return near;
  const date = new Date(time);
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}

/** For a list: the time of today, and otherwise the day. */
export function briefText(time: string, now: Date = new Date()): string {
  const near = nearDay(time, now);
  if (near === "Today") return clockText(time);
  return near ?? SHORT_DAY.format(new Date(time));
}

/** How long ago something was. */
export function agoText(time: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(time)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  return hours < 48 ? "yesterday" : SHORT_DAY.format(new Date(time));
}

/** What is left of a span, as a clock shows it. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** How long to wait, for people. */
export function soon(ms: number | undefined): string {
  if (ms === undefined || ms < 2_000) return "in a moment";
  return ms < 90_000 ? `in ${Math.ceil(ms / 1_000)} seconds` : `in ${Math.ceil(ms / 60_000)} minutes`;
}

function nearDay(time: string, now: Date): "Today" | "Yesterday" | undefined {
  const day = new Date(time).toDateString();
  if (day === now.toDateString()) return "Today";
  return day === new Date(now.getTime() - DAY_MS).toDateString() ? "Yesterday" : undefined;
}
