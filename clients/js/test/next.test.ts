import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { claimsOf } from "../src/auth/claims.js";
import { createSocket, routeToken, tokenRoute } from "../src/next/index.js";
import { refusal } from "./support/server.js";
import { world } from "./support/world.js";

const secret = "a secret that a backend and Roomkey share";
const post = (headers: Record<string, string> = {}) =>
  new Request("http://app/api/roomkey", { method: "POST", headers });

test("createSocket connects with the session's token, and throws without one", async () => {
  const { clock, server, platform } = world();
  for (const none of [null, undefined, {}, { token: null }, { token: "" }]) {
    assert.throws(() => createSocket(none), { message: "No authentication token available" });
  }
  const socket = createSocket({ token: "one" }, { url: "http://roomkey", platform });
  await clock.advance();
  assert.equal(socket.connected, true);
  assert.deepEqual(server.shown, ["one"]);
  socket.disconnect();
  await clock.advance(60_000);
  assert.equal(socket.connected, false);
  assert.equal(clock.pending, 0);
});

test("createSocket asks getSession for the next token; without it, the end of the token is the end", async () => {
  const { clock, server, platform } = world();
  server.admit = (token) => (token === "old" ? refusal("TOKEN_EXPIRED", "refresh") : undefined);
  const getSession = async () => ({ token: "new" });
  const socket = createSocket({ token: "old" }, { platform, getSession });
  await clock.advance();
  assert.equal(socket.connected, true);
  const other = createSocket({ token: "old" }, { platform });
  await clock.advance(60_000);
  assert.equal(other.connected, false);
  assert.deepEqual(server.shown, ["old", "new", "old", "old"]);
});

test("createSocket knows NEXT_PUBLIC_SOCKET_URL", () => {
  const { server, platform } = world();
  const urls: unknown[] = [];
  const connect: typeof server.connect = (url, options) => (urls.push(url), server.connect(url, options));
  process.env["NEXT_PUBLIC_SOCKET_URL"] = "https://chat.example.com";
  createSocket({ token: "one" }, { platform: { ...platform, connect } }).disconnect();
  delete process.env["NEXT_PUBLIC_SOCKET_URL"];
  createSocket({ token: "one" }, { platform: { ...platform, connect } }).disconnect();
  assert.deepEqual(urls, ["https://chat.example.com", undefined]);
});

test("tokenRoute mints a short token for whoever has a session", async () => {
  const { clock } = world();
  const auth = async () => ({ user: { id: "42", name: "Zoë", email: "zoe@example.com" } });
  const answer = await tokenRoute({ auth, secret, clock, issuer: "shop", audience: "chat" })(post());
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const { token, expiresIn } = (await answer.json()) as { token: string; expiresIn: number };
  assert.equal(expiresIn, 300);
  const iat = clock.now() / 1000;
  assert.deepEqual(claimsOf(token), { sub: "42", name: "Zoë", iss: "shop", aud: "chat", iat, exp: iat + 300 });
  const [header, claims, signature] = token.split(".");
  assert.equal(signature, createHmac("sha256", secret).update(`${header}.${claims}`).digest("base64url"));
});

test("tokenRoute gives none without a session, without a user, and to other sites", async () => {
  const given = async (session: object | null, headers = {}) => {
    const answer = await tokenRoute({ auth: async () => session, secret })(post(headers));
    return `${answer.status} ${((await answer.json()) as { code: string }).code}`;
  };
  const session = { user: { id: "42" } };
  assert.equal(await given(null), "401 TOKEN_MISSING");
  assert.equal(await given({}), "401 TOKEN_MISSING");
  assert.equal(await given({ user: { name: "Ada" } }), "401 TOKEN_MISSING");
  assert.equal(await given(session, { "sec-fetch-site": "cross-site" }), "403 FORBIDDEN");
  assert.equal(await given(session, { "sec-fetch-site": "same-site" }), "403 FORBIDDEN");
  assert.equal(await given(session, { "sec-fetch-site": "same-origin" }), "200 undefined");
});

test("tokenRoute takes claims of one's own, and refuses a short secret and a browser", async () => {
  const auth = async () => ({ user: { email: "ada@example.com" } });
  const claims = ({ user }: Awaited<ReturnType<typeof auth>>) => ({ sub: user.email, roles: ["admin"] });
  const answer = await tokenRoute({ auth, secret, claims, lifetimeS: 60 })(post());
  const said = claimsOf(((await answer.json()) as { token: string }).token);
  assert.equal(said?.sub, "ada@example.com");
  // Not before there is a request: an application is built without its secrets.
  await assert.rejects(tokenRoute({ auth, secret: "short" })(post()), /5 bytes/);
  await assert.rejects(tokenRoute({ auth, secret: undefined })(post()), /no secret/);
  Object.assign(globalThis, { window: {} });
  await assert.rejects(tokenRoute({ auth, secret })(post()), /browser/);
  delete (globalThis as { window?: unknown }).window;
});

test("routeToken gets tokens from the route, and nothing where nobody is logged in", async () => {
  let session: object | null = { user: { id: "42" } };
  const route = tokenRoute({ auth: async () => session, secret });
  const fetch: typeof globalThis.fetch = (input, init) =>
    route(new Request(new URL(String(input), "http://app"), init));
  const getToken = routeToken("/api/roomkey", fetch);
  assert.equal(claimsOf((await getToken({ skipCache: false })) ?? "")?.sub, "42");
  session = null;
  assert.equal(await getToken({ skipCache: false }), null);
  const broken = routeToken("/api/roomkey", async () => new Response("<html>", { status: 502 }));
  await assert.rejects(async () => broken({ skipCache: false }), { retry: "after" });
  const redirected = routeToken("/api/roomkey", async () => new Response("<html>a login page"));
  await assert.rejects(async () => redirected({ skipCache: false }), { code: "UNEXPECTED", retry: "never" });
});

test("createSocket's socket is closed by disconnect() whatever it does at that moment, and comes back by connect()", async () => {
  const { clock, server, platform } = world();
  server.admit = () => refusal("UNAVAILABLE", "after", 3_000);
  const socket = createSocket({ token: "one" }, { platform });
  await clock.advance();
  socket.disconnect();
  await clock.advance(60_000);
  assert.deepEqual(server.shown, ["one"], "it does not come back from its wait");
  assert.equal(clock.pending, 0);
  server.admit = () => undefined;
  socket.connect();
  await clock.advance();
  assert.equal(socket.connected, true);
});
