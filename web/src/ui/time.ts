const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
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
  const date = new Date(time);
  if (date.toDateString() === now.toDateString()) return "Today";
  if (date.toDateString() === new Date(now.getTime() - DAY_MS).toDateString()) return "Yesterday";
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(date);
}
