import assert from "node:assert/strict";
import { test } from "node:test";

import { createSession, type Grant, type GrantStorage, Session } from "../src/index.js";
import type { Platform } from "../src/platform.js";
import type { TestClock } from "./support/clock.js";
import { jwt, response, world } from "./support/world.js";

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const user = { id: "me", username: "me" };
const login = { username: "me", password: "secret" };
const refusal = (code: string): Answer => ({ status: 401, body: { code, message: code, retry: "never" } });

/** Answers requests in turn, and keeps what was asked. */
function http(platform: Partial<Platform>, ...answers: Answer[]) {
  const asked: string[] = [];
  const fetch = async (url: unknown, init?: RequestInit) => {
    asked.push(
      `${String(url).replace("http://roomkey/api/auth/", "")} ${JSON.parse(String(init?.body)).refreshToken ?? ""}`,
    );
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError("fetch failed");
    return response(answer.status, answer.body);
  };
  return { asked, platform: { ...platform, fetch: fetch as typeof globalThis.fetch } };
}

const grant = (clock: TestClock, seconds: number, refreshToken: string): Answer => ({
  status: 200,
  body: { token: jwt(clock, seconds, { sid: "s", refreshToken }), refreshToken, user },
});

const make = (platform: Partial<Platform>, storage?: GrantStorage): Session =>
  createSession({ url: "http://roomkey/", platform, ...(storage && { storage }) });

const rejects = (promise: unknown, code: string) => assert.rejects(promise as Promise<unknown>, { code });

test("a token is exchanged before it ends, once for all who ask", async () => {
  const { clock, platform } = world();
  const { asked, platform: on } = http(platform, grant(clock, 60, "r1"), grant(clock, 600, "r2"));
  const session = make(on);
  await session.logIn(login);
  assert.deepEqual(session.user.get(), user);
  const first = await session.getToken({ skipCache: false });
  await clock.advance(41_000);
  const [second, same] = await Promise.all([1, 2].map(() => session.getToken({ skipCache: false })));
  assert.notEqual(first, second);
  assert.equal(second, same);
  assert.deepEqual(asked, ["login ", "refresh r1"]);
});

test("a refresh token that is refused ends the session; a server that is away does not", async () => {
  const { clock, platform } = world();
  const answers = [grant(clock, 600, "r1"), { status: 502, body: null }, refusal("TOKEN_REVOKED")];
  const session = make(http(platform, ...answers).platform);
  await session.logIn(login);
  await rejects(session.getToken({ skipCache: true }), "UNEXPECTED");
  assert.deepEqual(session.user.get(), user);
  await rejects(session.getToken({ skipCache: true }), "TOKEN_REVOKED");
  assert.equal(session.user.get(), null);
  assert.equal(await session.getToken({ skipCache: false }), null);
});

test("an exchange that is answered after the logout logs nobody in", async () => {
  const { clock, platform } = world();
  const all = [grant(clock, 600, "r1"), grant(clock, 600, "r2"), { status: 204, body: null }];
  const session = make(http(platform, ...all).platform);
  await session.logIn(login);
  const token = session.getToken({ skipCache: true });
  const out = session.logOut();
  await Promise.all([rejects(token, "TOKEN_MISSING"), out]);
  assert.equal(session.user.get(), null);
});

test("an exchange that is answered after the next login gives its user no token of the last one's", async () => {
  const { clock, platform } = world();
  const bob = {
    status: 200,
    body: { token: jwt(clock, 600, { sub: "bob" }), refreshToken: "b1", user: { id: "bob" } },
  };
  const { platform: on } = http(platform, grant(clock, 600, "r1"), grant(clock, 600, "r2"), bob);
  let answer = () => {};
  const fetch = (async (url, init) => {
    const answered = await on.fetch!(url, init);
    if (String(url).endsWith("refresh")) await new Promise<void>((resolve) => (answer = resolve));
    return answered;
  }) as typeof globalThis.fetch;
  const session = make({ ...on, fetch });
  await session.logIn(login);
  const token = session.getToken({ skipCache: true });
  await clock.advance();
  session.end();
  await session.logIn({ username: "bob", password: "secret" });
  answer();
  await rejects(token, "CLOSED");
  assert.equal(session.user.get()?.id, "bob");
});

test("tabs that share a storage use each refresh token once", async () => {
  const { clock, platform } = world();
  let kept: Grant | null = null;
  const storage = { load: () => kept, save: (grant: Grant | null) => void (kept = grant) };
  const { asked, platform: on } = http(platform, grant(clock, 60, "r1"), grant(clock, 600, "r2"));
  const tab = make(on, storage);
  await tab.logIn(login);
  const other = make(on, storage);
  assert.deepEqual(other.user.get(), user);
  const token = await tab.getToken({ skipCache: true });
  assert.equal(await other.getToken({ skipCache: true }), token);
  assert.deepEqual(asked, ["login ", "refresh r1"]);
});

test("logins are listed and ended in the name of who is logged in, with a fresh token where the last one has just ended", async () => {
  const { clock, platform } = world();
  const asked: string[] = [];
  const list = [
    { id: "s", current: true },
    { id: "a/b", current: false },
    { id: "c", current: false },
  ];
  const ended: Answer = { status: 401, body: { code: "TOKEN_EXPIRED", message: "Token expired", retry: "refresh" } };
  const done: Answer = { status: 204, body: undefined };
  const answers = [grant(clock, 600, "r1"), ended, grant(clock, 600, "r2"), { status: 200, body: { sessions: list } }];
  answers.push(done, done, done);
  const fetch = async (url: unknown, init?: RequestInit) => {
    const token = new Headers(init?.headers).get("authorization") === null ? "" : " with a token";
    asked.push(`${init?.method} ${String(url).replace("http://roomkey/api/auth/", "")}${token}`);
    const answer = answers.shift()!;
    return response(answer.status, answer.body);
  };
  const session = make({ ...platform, fetch: fetch as typeof globalThis.fetch });
  await session.logIn(login);
  await session.logins.endOthers();
  await session.logins.changePassword("old", "new");
  assert.deepEqual(asked, [
    "POST login",
    "GET sessions with a token",
    "POST refresh",
    "GET sessions with a token",
    "DELETE sessions/a%2Fb with a token",
    "DELETE sessions/c with a token",
    "POST password with a token",
  ]);
  session.end();
  await rejects(session.logins.list(), "TOKEN_MISSING");
});

test("a client with credentials logs in by itself, and again only when it is told to connect", async () => {
  const { clock, server, platform, client } = world();
  const { asked, platform: on } = http(platform, grant(clock, 600, "r1"), grant(clock, 600, "r2"));
  const one = client({ login: async () => login, platform: on });
  assert.deepEqual(asked, []);
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  server.tell("auth:revoked", { code: "TOKEN_REVOKED", reason: "logged_out", message: "" });
  await clock.advance(60_000);
  assert.deepEqual(asked, ["login "]);
  one.connect();
  await clock.advance();
  assert.deepEqual(asked, ["login ", "login "]);
  assert.equal(one.connection.get().phase, "connected");
});

test("wrong credentials stop it with the reason", async () => {
  const { clock, platform, client } = world();
  const { asked, platform: on } = http(platform, refusal("INVALID_CREDENTIALS"));
  const one = client({ login: () => login, platform: on });
  one.connect();
  await clock.advance(60_000);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "INVALID_CREDENTIALS");
  assert.equal(asked.length, 1);
});

test("a machine whose clock is an hour fast exchanges a token when its time is over, not each time it is asked", async () => {
  const { clock, platform } = world();
  const slow = (seconds: number, refreshToken: string): Answer => {
    const { status, body } = grant(clock, seconds - 3_600, refreshToken);
    return { status, body: { ...(body as Grant), expiresIn: seconds } };
  };
  const { asked, platform: on } = http(platform, slow(600, "r1"), slow(600, "r2"));
  const session = make(on);
  await session.logIn(login);
  for (let count = 0; count < 3; count += 1) await session.getToken({ skipCache: false });
  assert.deepEqual(asked, ["login "]);
  await clock.advance(581_000);
  await session.getToken({ skipCache: false });
  assert.deepEqual(asked, ["login ", "refresh r1"]);
});

test("a tab whose login was ended leaves the newer login of another tab in the storage", async () => {
  const { clock, platform } = world();
  let kept: Grant | null = null;
  const storage = { load: () => kept, save: (grant: Grant | null) => void (kept = grant) };
  const other = {
    status: 200,
    body: { token: jwt(clock, 600, { sub: "bob" }), refreshToken: "b1", user: { id: "bob" } },
  };
  const { platform: on } = http(platform, grant(clock, 600, "r1"), { status: 204, body: null }, other);
  const tab = make(on, storage);
  await tab.logIn(login);
  const old = make(on, storage);
  await tab.logOut();
  await tab.logIn({ username: "bob", password: "secret" });
  old.end();
  assert.equal(old.user.get(), null);
  assert.equal((kept as Grant | null)?.user.id, "bob");
});

test("a tab that renews its login leaves what another tab has stored since: a newer login, or none", async () => {
  const { clock, platform } = world();
  let kept: Grant | null = null;
  const storage = { load: () => kept, save: (grant: Grant | null) => void (kept = grant) };
  const other = {
    status: 200,
    body: { token: jwt(clock, 600, { sub: "bob" }), refreshToken: "b1", user: { id: "bob" } },
  };
  const answers = [grant(clock, 600, "r1"), other, grant(clock, 600, "r2"), grant(clock, 600, "r3")];
  const { asked, platform: on } = http(platform, ...answers);
  const [old, tab] = [make(on, storage), make(on, storage)];
  await old.logIn(login);
  await tab.logIn({ username: "bob", password: "secret" });
  await old.getToken({ skipCache: true });
  assert.equal((kept as Grant | null)?.user.id, "bob");
  tab.end();
  assert.equal(kept, null);
  await old.getToken({ skipCache: true });
  assert.equal(kept, null);
  assert.deepEqual(asked.slice(2), ["refresh r1", "refresh r2"], "the old login goes on in its own tab");
});

test("a proxy that answers in the server's place does not end a session", async () => {
  const { clock, platform } = world();
  const session = make(http(platform, grant(clock, 600, "r1"), { status: 404, body: null }).platform);
  await session.logIn(login);
  await rejects(session.getToken({ skipCache: true }), "UNEXPECTED");
  assert.deepEqual(session.user.get(), user);
});

test("me() gets itself a fresh token where the one at hand has just ended", async () => {
  const { clock, platform, client } = world();
  const shown: unknown[] = [];
  const fetch = (async (_url: unknown, init?: RequestInit) => {
    const { authorization } = init?.headers as Record<string, string>;
    shown.push(authorization);
    if (authorization === "Bearer old") return response(401, { code: "TOKEN_EXPIRED", retry: "refresh" });
    return response(200, { user });
  }) as typeof globalThis.fetch;
  const one = client({
    getToken: ({ skipCache }) => (skipCache ? "new" : "old"),
    platform: { ...platform, fetch },
  });
  assert.deepEqual(await one.me(), user);
  assert.deepEqual(shown, ["Bearer old", "Bearer new"]);
  assert.equal(clock.pending, 0);
});

test("a login whose tokens are in cookies is none without createCookieSession", async () => {
  const { platform } = world();
  const session = make(http(platform, { status: 200, body: { user, expiresIn: 600 } }).platform);
  await rejects(session.logIn(login), "UNEXPECTED");
  assert.equal(session.user.get(), null);
});
