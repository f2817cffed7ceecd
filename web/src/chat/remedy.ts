import type { Failure } from "../wire/failure";

/** What to do after the server has refused a connection. */
export type Remedy =
  | { readonly kind: "refresh" }
  | { readonly kind: "sign-out" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "stop" };

/** What has been tried since the last time the connection stood. */
export interface Attempts {
  /** A fresh token was got, so another one will not help. */
  readonly refreshed: boolean;
  /** Refusals with the advice to wait. */
  readonly waits: number;
}

const WAIT_MIN_MS = 1_000;
const WAIT_MAX_MS = 60_000;

/** Follows the server's advice, but never in a circle: one fresh token, longer and longer waits. */
export function remedy(failure: Failure, attempts: Attempts): Remedy {
  if (failure.retry === "refresh") return { kind: attempts.refreshed ? "sign-out" : "refresh" };
  if (failure.retry === "after") {
    const ms = Math.max(failure.retryAfterMs ?? 0, WAIT_MIN_MS) * 2 ** Math.min(attempts.waits, 10);
    return { kind: "wait", ms: Math.min(ms, Math.max(WAIT_MAX_MS, failure.retryAfterMs ?? 0)) };
  }
  return { kind: isAboutToken(failure) ? "sign-out" : "stop" };
}

function isAboutToken(failure: Failure): boolean {
  return failure.code.startsWith("TOKEN_") || failure.code === "PRINCIPAL_MISMATCH";
}
