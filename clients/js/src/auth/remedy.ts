import type { RoomkeyError } from "../wire/failure.js";

/** What to do after a connection was refused. */
export type Remedy =
  { readonly kind: "refresh" } | { readonly kind: "wait"; readonly ms: number } | { readonly kind: "stop" };

/** What has been tried since the last time that the connection stood. */
export interface Attempts {
  /** A fresh token was got: another one will not help. */
  readonly refreshed: boolean;
  /** How many times it was waited. */
  readonly waits: number;
}

const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 60_000;
/** As long as the stock client waits where there is no network: it may be back at any moment. */
const AWAY_WAIT_MAX_MS = 5_000;

/** Follows the server's advice, but never in a circle: one fresh token, longer and longer waits. */
export function remedy(failure: RoomkeyError, attempts: Attempts, random: () => number): Remedy {
  switch (failure.retry) {
    case "refresh":
      return { kind: attempts.refreshed ? "stop" : "refresh" };
    case "after":
      return { kind: "wait", ms: waitMs(failure, attempts.waits, random) };
    case "never":
      return { kind: "stop" };
  }
}

/** How long to wait before attempt `waits + 1`: never less than the server said, and not all clients at once. */
export function waitMs(failure: RoomkeyError, waits: number, random: () => number): number {
  const said = failure.retryAfterMs ?? 0;
  const max = failure.code === "UNREACHABLE" ? AWAY_WAIT_MAX_MS : WAIT_MAX_MS;
  const backoff = Math.min(WAIT_MIN_MS * 2 ** Math.min(waits, 10), max);
  return Math.round(Math.max(said, backoff) * (1 + random() / 2));
}
