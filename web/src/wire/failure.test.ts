import { expect, test } from "vitest";
import { readFailure } from "./failure";

test.each([
  { body: { message: "No", code: "FORBIDDEN" }, expected: "FORBIDDEN No never undefined" },
  {
    body: { error: "Slow down", code: "RATE_LIMITED", retry: "after", retryAfterMs: 500 },
    expected: "RATE_LIMITED Slow down after 500",
  },
  { body: { code: "TOKEN_REVOKED", reason: "By an admin" }, expected: "TOKEN_REVOKED By an admin never undefined" },
  { body: { code: "X", retry: "sometimes", retryAfterMs: "1" }, expected: "X The server refused. never undefined" },
  { body: { data: { id: 1 } }, expected: undefined },
  { body: { code: 5 }, expected: undefined },
  { body: "<html>", expected: undefined },
  { body: null, expected: undefined },
])("the failure in $body", ({ body, expected }) => {
  const failure = readFailure(body);
  expect(failure && `${failure.code} ${failure.message} ${failure.retry} ${failure.retryAfterMs}`).toBe(expected);
});
