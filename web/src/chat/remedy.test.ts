import { expect, test } from "vitest";
import { Failure, type Retry } from "../wire/failure";
import { remedy } from "./remedy";

interface Case {
  code: string;
  retry: Retry;
  afterMs?: number;
  refreshed?: boolean;
  waits?: number;
  expected: string;
}

test.each<Case>([
  { code: "TOKEN_EXPIRED", retry: "refresh", expected: "refresh" },
  { code: "TOKEN_EXPIRED", retry: "refresh", refreshed: true, expected: "sign-out" },
  { code: "TOKEN_MISSING", retry: "never", expected: "sign-out" },
  { code: "TOKEN_INVALID", retry: "never", expected: "sign-out" },
  { code: "TOKEN_REVOKED", retry: "never", expected: "sign-out" },
  { code: "PRINCIPAL_MISMATCH", retry: "never", expected: "sign-out" },
  { code: "ORIGIN_DENIED", retry: "never", expected: "stop" },
  { code: "LIMIT_EXCEEDED", retry: "never", expected: "stop" },
  { code: "RATE_LIMITED", retry: "after", expected: "wait 1000" },
  { code: "RATE_LIMITED", retry: "after", afterMs: 1_500, waits: 1, expected: "wait 3000" },
  { code: "RATE_LIMITED", retry: "after", waits: 40, expected: "wait 60000" },
  { code: "RATE_LIMITED", retry: "after", afterMs: 90_000, waits: 3, expected: "wait 90000" },
])(
  "$code, retry $retry (refreshed: $refreshed, waits: $waits): $expected",
  ({ code, retry, afterMs, refreshed = false, waits = 0, expected }) => {
    const next = remedy(new Failure(code, "", retry, afterMs), { refreshed, waits });
    expect(next.kind === "wait" ? `wait ${next.ms}` : next.kind).toBe(expected);
  },
);
