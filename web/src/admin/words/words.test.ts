import { expect, test } from "vitest";
import { device } from "./device";
import { considerationText, explanationText, reasonText } from "./decision";
import { endingText, failureText } from "./ending";
import { bytes, counted, fine, milliseconds, whole } from "./number";
import { ago, clock, duration, exact, left } from "./time";
import { Failure } from "../wire/failure";

const CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0";

test.each([
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36`, "Chrome 141 on Windows"],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/141.0.0.0`, "Edge 141 on Windows"],
  [`Mozilla/5.0 (Linux; Android 15) ${CHROME} Mobile Safari/537.36`, "Chrome 141 on Android"],
  ["Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/141.0.0.0 Safari/537.36", "Headless Chrome 141 on Linux"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox 132 on Linux"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1",
    "Safari 18 on iPhone",
  ],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Something/1", "A browser on macOS"],
  ["node-XMLHttpRequest", "Node.js"],
  ["Python/3.12 aiohttp/3.10.5", "Python"],
  ["okhttp/4.12.0", "OkHttp 4"],
  ["acme-robot/2.1 (+https://acme.example)", "acme-robot/2.1"],
  ["x".repeat(300), `${"x".repeat(40)}…`],
  ["<b>bold</b>", "<b>bold</b>"],
  ["  ", "Not said"],
  [null, "Not said"],
])("the device of %s", (userAgent, expected) => {
  expect(device(userAgent)).toBe(expected);
});

test("numbers have no more digits than mean something", () => {
  expect([0, 1204, 99_999.6].map(whole)).toEqual(["0", "1,204", "100,000"]);
  expect([0, 0.4249, 17.34, 104.6].map(fine)).toEqual(["0", "0.425", "17.3", "105"]);
  expect([0, 1023, 1024, 50.5 * 1024 ** 2, 3 * 1024 ** 3].map(bytes)).toEqual([
    "0 B",
    "1,023 B",
    "1 KiB",
    "50.5 MiB",
    "3 GiB",
  ]);
  expect([0.4, 999, 1_250].map(milliseconds)).toEqual(["0.4 ms", "999 ms", "1.25 s"]);
  expect([1, 2, 0].map((count) => counted(count, "socket"))).toEqual(["1 socket", "2 sockets", "0 sockets"]);
});

test("times are said in their two largest units", () => {
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000];
  const lengths = [0, 59 * second, minute, 125 * second, hour + minute, day + 30 * minute, 3 * day + 2 * hour];
  expect(lengths.map(duration)).toEqual(["0 s", "59 s", "1 min", "2 min 5 s", "1 h 1 min", "1 d", "3 d 2 h"]);
});

test("what was and what will be is said from now", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  expect(ago("2026-11-29T11:59:58Z", now)).toBe("just now");
  expect(ago("2026-11-29T11:00:00Z", now)).toBe("1 h ago");
  // The clocks differ a little.
  expect(ago("2026-11-29T12:00:03Z", now)).toBe("just now");
  expect(left("2026-11-29T12:01:30Z", now)).toBe("in 1 min 30 s");
  expect(left("2026-11-29T12:00:00Z", now)).toBe("expired");
});

test("exact times have what the audit log has, and broken ones stay as they are", () => {
  expect(exact("2026-11-29T12:00:00.5Z")).toContain("(2026-11-29T12:00:00.500Z)");
  expect(exact("whenever")).toBe("whenever");
  expect(clock("2026-11-29T12:00:00Z")).toMatch(/^\d\d:\d\d:\d\d$/);
});

const FACTS = { user: "ada", token: true, roles: [], scopes: [], claims: {}, membership: "visitor" };

test("a decision is a sentence with its rule", () => {
  const facts = { ...FACTS, action: "send", room: "channel:1" };
  expect(explanationText({ decision: "allowed", rule: "staff", facts, considered: [] })).toBe(
    "ada may send to channel:1: by the rule “staff”.",
  );
  expect(
    explanationText({
      decision: "denied",
      rule: null,
      facts: { ...facts, action: "create", room: null },
      considered: [],
    }),
  ).toBe("ada may not create channels: no rule allows it.");
});

test("a rule says why it decided or not", () => {
  const rule = { rule: "staff", effect: "allow", origin: "configured", matches: true } as const;
  expect(considerationText(rule, true)).toBe("Applies, and allows it.");
  expect(considerationText({ ...rule, effect: "deny" }, true)).toBe("Applies, and denies it.");
  expect(considerationText(rule, false)).toContain("not needed");
  expect(considerationText({ ...rule, matches: false, mismatch: "role" }, false)).toContain("asks for a role");
  expect(considerationText({ ...rule, matches: false, mismatch: "moon" }, false)).toContain("does not match");
});

test("ends and failures are sentences", () => {
  expect(endingText("password_changed")).toContain("password was changed");
  expect(endingText("Something else.")).toBe("Something else.");
  expect(failureText(new Failure("RATE_LIMITED", "Slow down.", { retryAfterMs: 90_000 }))).toBe(
    "Slow down. Try again in 1 min.",
  );
});

test("the way of a login is said in words, and what is a sentence already is kept", () => {
  expect(reasonText({ event: "authn_login_fail", reason: "password" })).toBe("wrong name or password");
  expect(reasonText({ event: "authn_login_success", reason: "password" })).toBe("with a password");
  expect(reasonText({ event: "authn_login_fail", reason: "the token has ended" })).toBe("the token has ended");
  expect(reasonText({ event: "authz_fail", reason: "password" })).toBe("password");
  expect(reasonText({ event: "authz_fail" })).toBeNull();
});
