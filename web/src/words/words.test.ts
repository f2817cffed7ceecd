import { RoomkeyError } from "roomkey";
import { expect, test } from "vitest";
import { renewalTrouble, standingOf, tokenText, troubleText } from "./connection";
import { deviceText } from "./devices";
import { linkParts } from "./links";
import { count, displayName, typingText } from "./names";
import { endingText, passwordText, refusalText, signInText } from "./refusals";
import { agoText, briefText, countdown, dayText, soon } from "./time";

test("devices are named by their browser and system, whatever else they claim to be", () => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
  expect(deviceText(chrome)).toBe("Chrome on Linux");
  expect(deviceText(`${chrome} Edg/140.0`)).toBe("Edge on Linux");
  expect(
    deviceText("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"),
  ).toBe("Safari on iPhone");
  expect(deviceText("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe("Firefox on Windows");
  expect(deviceText("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36")).toBe(
    "Chrome on Android",
  );
  expect(deviceText("curl/8.0")).toBe("curl");
  expect(deviceText("a robot")).toBe("a robot");
  expect([deviceText(null), deviceText("")]).toEqual(["Unknown device", "Unknown device"]);
});

test("addresses in a text are links, without what ends the sentence, and nothing else is", () => {
  const hrefs = (text: string) => linkParts(text).flatMap(({ href }) => (href === undefined ? [] : [href]));
  const text = "See https://a.example/x?y=1#z, (http://b.example/) and “https://c.example/d”.";
  expect(hrefs(text)).toEqual(["https://a.example/x?y=1#z", "http://b.example/", "https://c.example/d"]);
  expect(
    linkParts(text)
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
  expect(hrefs("https://a.example/b_(c)")).toEqual(["https://a.example/b_(c)"]);
  expect(hrefs("javascript:alert(1) data:text/html,x www.a.example https:// http://")).toEqual([]);
  expect(linkParts("")).toEqual([]);
});

test("what is left of a token is counted down, and a renewal that fails says what to do", () => {
  const token = { endsAt: 271_000, isRenewing: false };
  expect(tokenText(token, 0)).toBe("Session renews by itself · token ends in 4:31");
  expect(tokenText({ ...token, isRenewing: true }, 0)).toMatch(/Renewing/);
  expect(tokenText({ endsAt: null, isRenewing: false }, 0)).toBeNull();
  expect([countdown(-5), countdown(9_999), countdown(3_661_000)]).toEqual(["0:00", "0:09", "1:01:01"]);

  const up = (error: RoomkeyError | null) => ({ phase: "connected", error }) as const;
  expect(renewalTrouble(up(null), token, 0)).toBeNull();
  expect(renewalTrouble(up(new RoomkeyError("UNAVAILABLE", "", "after")), token, 0)).toMatch(/4:31; trying again/);
  expect(renewalTrouble(up(new RoomkeyError("TOKEN_REVOKED", "")), token, 0)).toMatch(/log in again/);
});

test("a device without a network is offline, and otherwise the connection says how it stands", () => {
  const unreachable = new RoomkeyError("UNREACHABLE", "", "after");
  const lost = { phase: "reconnecting", error: unreachable } as const;
  expect([standingOf(lost, true), standingOf(lost, false)]).toEqual(["reconnecting", "offline"]);
  expect(troubleText(lost, true)).toMatch(/cannot be reached; trying again/);
  expect(troubleText(lost, false)).toMatch(/You are offline/);
  const busy = { ...lost, error: new RoomkeyError("UNAVAILABLE", "", "after", 5_000) };
  expect(troubleText(busy, true)).toMatch(/trying again in 5 seconds/);
  const stopped = { phase: "stopped", error: new RoomkeyError("DISCONNECTED", "") } as const;
  expect([standingOf(stopped, false), troubleText(stopped, true)]).toEqual([
    "stopped",
    "The server ended the connection.",
  ]);
  expect(troubleText({ phase: "connected", error: null }, true)).toBeNull();
});

test("why a login ended is said for each reason that the server gives", () => {
  const reasons = "blocked key_revoked logged_out password_changed refresh_reused revoked session_limit".split(" ");
  const texts = reasons.map((reason) => endingText(new RoomkeyError("TOKEN_REVOKED", "-", "never", undefined, reason)));
  expect(new Set(texts).size).toBe(reasons.length);
  for (const text of texts) expect(text).toMatch(/[Ll]og in/);
  expect(endingText(new RoomkeyError("TOKEN_REVOKED", "-", "never", undefined, "toString"))).toBe(
    "Your session was ended. Log in again.",
  );
  expect(endingText(new RoomkeyError("TOKEN_EXPIRED", "-"))).toMatch(/expired/);
});

test("refusals are told in words, and the time to wait with them", () => {
  const limited = (ms: number) => new RoomkeyError("RATE_LIMITED", "-", "after", ms);
  expect(signInText(limited(12_000), "login")).toBe("Too many attempts. Try again in 12 seconds.");
  expect(signInText(limited(240_000), "login")).toMatch(/in 4 minutes/);
  expect(signInText(new RoomkeyError("INVALID_CREDENTIALS", "-"), "login")).toMatch(/do not match/);
  expect(passwordText(new RoomkeyError("INVALID_CREDENTIALS", "-"))).toMatch(/current password/);
  expect(signInText(new RoomkeyError("CONFLICT", "-"), "register")).toMatch(/taken/);
  expect(refusalText(new RoomkeyError("LAST_OWNER", "-"))).toMatch(/owner/);
  expect(refusalText(new RoomkeyError("NEW_CODE", "what the server says"))).toBe("what the server says");
  expect(soon(undefined)).toBe("in a moment");
});

test("times are as near as one would say them", () => {
  const now = new Date(2026, 10, 29, 12, 0);
  const at = (day: number, hour: number) => new Date(2026, 10, day, hour).toISOString();
  expect([dayText(at(29, 1), now), dayText(at(28, 23), now)]).toEqual(["Today", "Yesterday"]);
  expect(briefText(at(29, 9), now)).toMatch(/\d/);
  expect(briefText(at(28, 9), now)).toBe("Yesterday");
  const ago = (ms: number) => agoText(new Date(now.getTime() - ms).toISOString(), now.getTime());
  expect([ago(5_000), ago(5 * 60_000), ago(3 * 3_600_000), ago(30 * 3_600_000)]).toEqual([
    "just now",
    "5 min ago",
    "3 h ago",
    "yesterday",
  ]);
});

test("people are named, and counted where they are many", () => {
  expect([displayName({ id: "u1", username: "ada" }), displayName({ id: "u1", username: null })]).toEqual([
    "ada",
    "u1",
  ]);
  const names = ["ada", "bob", "eve", "dan"];
  expect([0, 1, 2, 3, 4].map((length) => typingText(names.slice(0, length)))).toEqual([
    "",
    "ada is typing…",
    "ada and bob are typing…",
    "ada, bob and one other are typing…",
    "ada, bob and 2 others are typing…",
  ]);
  expect([count(1, "member"), count(2, "member")]).toEqual(["1 member", "2 members"]);
});
