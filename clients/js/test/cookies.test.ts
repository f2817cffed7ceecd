import assert from "node:assert/strict";
import { test } from "node:test";

import { createCookieSession } from "../src/index.js";
import { tabs } from "./support/tabs.js";
import { response, world } from "./support/world.js";

/** A server that keeps tokens in cookies, and a browser that keeps the cookies; its tabs share it. */
function browser() {
  const asked: string[] = [];
  /** Whose the cookies are, and whether the access token in them is still good. */
  const jar: { user: { id: string } | null; isFresh: boolean } = { user: null, isFresh: false };
  const refusal = (code: string, retry = "never") => response(401, { code, retry, message: code });
  const fetch = (async (url: unknown, init?: RequestInit) => {
    const path = String(url).replace("http://roomkey/api/auth/", "");
    asked.push(path);
    assert.equal(init?.credentials, "include", path);
    assert.equal((init?.headers as Record<string, string>)["authorization"], undefined);
    if (path === "login") {
      Object.assign(jar, { user: { id: JSON.parse(String(init?.body)).username }, isFresh: true });
      return response(200, { user: jar.user, expiresIn: 600 });
    }
    if (jar.user === null) return refusal("TOKEN_MISSING");
    if (path === "refresh") {
      jar.isFresh = true;
      return response(200, { user: jar.user, expiresIn: 600 });
    }
    if (path === "logout") return ((jar.user = null), response(204, undefined));
    if (!jar.isFresh) return refusal("TOKEN_EXPIRED", "refresh");
    if (path === "sessions") return response(200, { sessions: [{ id: "s", current: true }] });
    if (path === "ticket") return response(201, { ticket: `rkt_${jar.user.id}_${asked.length}`, expiresIn: 30 });
    return response(200, { user: { ...jar.user, roles: [] } });
  }) as typeof globalThis.fetch;
  return { asked, jar, fetch };
}

const credentials = (username: string) => ({ username, password: "secret" });

test("a connection shows a ticket, and in band the next one", async () => {
  const { clock, server, platform, client } = world();
  const { asked, fetch } = browser();
  const session = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch } });
  await session.logIn(credentials("ada"));
  const one = client({ session, platform: { ...platform, fetch } });
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  assert.deepEqual(server.shown, ["rkt_ada_2"]);
  assert.equal((await one.me()).id, "ada");
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  assert.deepEqual(server.askedFor("auth:refresh"), [{ token: "rkt_ada_6" }]);
  assert.deepEqual(asked, ["login", "ticket", "me", "me", "refresh", "ticket", "me"]);
});

test("whatever is asked over HTTP is asked with the cookies, and once more where the token in them had ended", async () => {
  const { platform, client } = world();
  const { asked, jar, fetch } = browser();
  const session = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch } });
  await session.logIn(credentials("ada"));
  jar.isFresh = false;
  assert.deepEqual(await session.logins.list(), [{ id: "s", current: true }]);
  const one = client({ session, platform: { ...platform, fetch } });
  assert.deepEqual(await one.request("GET", "/api/auth/sessions"), { sessions: [{ id: "s", current: true }] });
  assert.deepEqual(asked, ["login", "sessions", "refresh", "sessions", "sessions"]);
});

test("a login survives the page, also where its access token has ended; without one nobody is asked twice", async () => {
  const { platform } = world();
  const { asked, jar, fetch } = browser();
  const session = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch } });
  assert.equal(await session.resume(), null);
  assert.equal(await session.getToken({ skipCache: false }), null);
  assert.deepEqual(asked.splice(0), ["me", "ticket"]);
  Object.assign(jar, { user: { id: "ada" }, isFresh: false });
  assert.equal((await session.resume())?.id, "ada");
  assert.deepEqual(asked, ["me", "refresh", "me"]);
  assert.equal(session.user.get()?.id, "ada");
});

test("where another user has logged in in another tab, the connection stops, and forgets before it begins as the other", async () => {
  const { clock, server, platform, client } = world();
  const { fetch } = browser();
  const session = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch } });
  const other = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch } });
  await session.logIn(credentials("ada"));
  const one = client({ session, platform: { ...platform, fetch } });
  one.connect();
  await clock.advance();
  server.write("c1", "for ada");
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  await clock.advance();
  assert.equal(channel.get().messages.length, 1);
  await other.logIn(credentials("bob"));
  server.sockets[0]!.drop();
  await clock.advance(60_000);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "PRINCIPAL_MISMATCH");
  assert.equal(server.shown.length, 1, "no ticket of the other was shown");
  assert.equal(session.user.get()?.id, "bob");
  server.messages.length = 0;
  one.connect();
  await clock.advance();
  assert.deepEqual([one.connection.get().phase, channel.get().messages.length], ["connected", 0]);
});

test("logging out needs the server, which alone can take the cookies back", async () => {
  const { platform } = world();
  const { jar, fetch } = browser();
  let isAway = true;
  const flaky = ((url, init) =>
    isAway && String(url).endsWith("logout")
      ? Promise.reject(new TypeError("down"))
      : fetch(url, init)) as typeof fetch;
  const session = createCookieSession({ url: "http://roomkey", platform: { ...platform, fetch: flaky } });
  await session.logIn(credentials("ada"));
  await assert.rejects(session.logOut(), { code: "UNREACHABLE" });
  assert.equal(session.user.get()?.id, "ada");
  isAway = false;
  await session.logOut();
  assert.deepEqual([session.user.get(), jar.user], [null, null]);
});

/** Two tabs of one browser that hear each other, the first with a client. */
async function twoTabs() {
  const all = world();
  const { asked, jar, fetch } = browser();
  const platform = { ...all.platform, ...tabs(), fetch };
  const [session, other] = [1, 2].map(() => createCookieSession({ url: "http://roomkey", platform }));
  await session!.logIn(credentials("ada"));
  const one = all.client({ session: session!, platform });
  one.connect();
  await all.clock.advance();
  return { ...all, asked, jar, session: session!, other: other!, one };
}

const logins = "/api/auth/sessions";

test("another user logs in in another tab: the first stops at once, and asks nothing in their name before it begins as them", async () => {
  const { clock, server, asked, session, other, one } = await twoTabs();
  await other.logIn(credentials("bob"));
  await clock.advance();
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "PRINCIPAL_MISMATCH");
  assert.equal(session.user.get()?.id, "bob");
  const before = asked.length;
  await assert.rejects(one.request("GET", logins), { code: "PRINCIPAL_MISMATCH" });
  await assert.rejects(session.logins.endOthers(), { code: "PRINCIPAL_MISMATCH" });
  assert.equal(asked.length, before);
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  assert.match(String(server.shown.at(-1)), /^rkt_bob/);
  await one.request("GET", logins);
});

test("a logout in another tab ends this one, also for what is asked when the next user is there", async () => {
  const { clock, asked, session, other, one } = await twoTabs();
  assert.equal((await other.resume())?.id, "ada");
  await other.logOut();
  await clock.advance();
  const state = one.connection.get();
  assert.deepEqual(state.phase === "stopped" && [state.error.code, state.error.reason], [
    "TOKEN_REVOKED",
    "logged_out",
  ]);
  assert.equal(session.user.get(), null);
  await other.logIn(credentials("bob"));
  await clock.advance();
  const before = asked.length;
  await assert.rejects(one.request("GET", logins), { code: "TOKEN_MISSING" });
  assert.equal(asked.length, before);
  assert.equal((await session.resume())?.id, "bob");
  await one.request("GET", logins);
});

test("the same user may log in in as many tabs as they like", async () => {
  const { clock, other, one } = await twoTabs();
  await other.logIn(credentials("ada"));
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  await one.request("GET", logins);
});

test("another user who logs in in the same tab is who the next connection is for", async () => {
  const { clock, server, session, one } = await twoTabs();
  await session.logIn(credentials("bob"));
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "PRINCIPAL_MISMATCH");
  one.connect();
  await clock.advance();
  assert.match(String(server.shown.at(-1)), /^rkt_bob/);
});

test("a login that the server has ended speaks for nobody, whoever is the next", async () => {
  const { clock, server, asked, jar, one } = await twoTabs();
  server.tell("auth:revoked", { code: "TOKEN_REVOKED", reason: "blocked", message: "" });
  await clock.advance();
  Object.assign(jar, { user: { id: "bob" }, isFresh: true });
  const before = asked.length;
  await assert.rejects(one.request("GET", logins), { code: "TOKEN_MISSING" });
  assert.equal(asked.length, before);
});

test("who has only the tokens of a session is told in the place of the next one", async () => {
  const { clock, other, session, one } = await twoTabs();
  one.close();
  await other.logIn(credentials("bob"));
  await clock.advance();
  await assert.rejects(async () => session.getToken({ skipCache: false }), { code: "PRINCIPAL_MISMATCH" });
  assert.match(String(await session.getToken({ skipCache: false })), /^rkt_bob/);
});
