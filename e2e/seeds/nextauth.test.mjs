// "Socket Authentication Implementation Plan": the backend's token is in the session of Next-Auth, and a hook connects with it.
// The client is in `nextauth/`, where the plan puts it, with Next-Auth's own provider, and runs in a browser. The tests are
// those of the plan's "Testing Plan", and what it says under "Security Considerations". On the server's side:
//
// | the plan's server                           | in its place                                              |
// |---------------------------------------------|-----------------------------------------------------------|
// | jwt.verify(token, process.env.secret)       | JWT_SECRET                                                |
// | "Authentication required"                   | "Authentication error: No token provided", TOKEN_MISSING  |
// | "Authentication failed"                     | "Authentication error: Invalid token", and a code         |
// | "Should we implement rate limiting?"        | limits.events_per_socket_per_s and others                 |
// | "Should we add connection timeout?"         | limits.auth_deadline_ms                                   |
// | "Do we need to track connected users?"      | presence:get, presence.update                             |

import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";

import jwt from "jsonwebtoken";

import { bundle, openPage, startBrowser, startSite } from "../support/page.mjs";
import { send, upgradeRequest } from "../support/raw.mjs";
import { createChannel } from "../support/rest.mjs";
import { SECRET, startServer } from "../support/server.mjs";

let program;
before(async () => {
  program = await bundle("seeds/nextauth/page.jsx", { NEXT_PUBLIC_SOCKET_URL: "http://localhost:4000" });
});

/** As the plan's backend signs them; `lifeS` may be over. */
const sign = (id, lifeS = 3600, secret = SECRET) =>
  jwt.sign({ id, username: id, exp: Math.floor(Date.now() / 1000) + lifeS }, secret);

/** The application: its session route gives `tokens` in turn, and then the last one again. */
async function start(t, tokens, env) {
  const server = await startServer(t, { env });
  let asked = 0;
  const session = () => {
    const token = tokens[Math.min(asked++, tokens.length - 1)];
    const expires = new Date(Date.now() + 86_400_000).toISOString();
    return JSON.stringify({ user: { name: "Ada", email: "ada@example.com" }, expires, token });
  };
  const answers = { "/api/auth/session": session, "/api/auth/_log": () => "{}" };
  const site = await startSite(t, program, { answers });
  const browser = await startBrowser(t, { "localhost:3000": site, "localhost:4000": server.url });
  const page = await openPage(browser, "http://localhost:3000/");
  return { server, page };
}

const CONNECTED = "Status: connected";
const GOOD = "Error: none";

test("1. socket connection with valid token", async (t) => {
  const { page } = await start(t, [sign("ada")]);
  await page.getByText(CONNECTED).waitFor();
  await page.getByText(GOOD).waitFor();
});

test("2. socket connection with invalid token, and with none", async (t) => {
  const cases = [
    [sign("ada", 3600, "another secret of thirty-two bytes"), "Error: Authentication error: Invalid token"],
    ["nonsense", "Error: Authentication error: Invalid token"],
    [undefined, "Error: No authentication token available"],
  ];
  for (const [token, error] of cases) {
    const { page } = await start(t, [token]);
    await page.getByText(error).waitFor();
    assert.equal(await page.getByText(CONNECTED).count(), 0);
  }
});

test("3. socket connection with expired token: the session is asked for a fresh one", async (t) => {
  const { page } = await start(t, [sign("ada", -3600), sign("ada")]);
  await page.getByText(CONNECTED).waitFor();
  await page.getByText(GOOD).waitFor();
});

test("4. reconnection behavior: after a restart, and with a token that is about to end", async (t) => {
  const tokens = [sign("ada", 6), sign("ada", 3600)];
  const { server, page } = await start(t, tokens);
  await page.getByText(CONNECTED).waitFor();
  // The server warns, the page shows a fresh token, and the socket stays.
  const id = await page.evaluate(() => window.socket.id);
  await page.waitForFunction((token) => window.socket.auth.token === token, tokens[1]);
  const answer = await page.evaluate(() => window.socket.emitWithAck("auth:refresh", window.socket.auth));
  assert.equal(answer.error, undefined, answer.error);
  assert.equal(await page.evaluate(() => window.socket.id), id);

  await server.stop();
  await page.getByText("Status: not connected").waitFor();
  await server.restart();
  await page.getByText(CONNECTED).waitFor();
});

test("5. event handling for authenticated users", async (t) => {
  const { server, page } = await start(t, [sign("ada")]);
  await page.getByText(CONNECTED).waitFor();
  const { id } = await createChannel(server, sign("ada"));
  const { data } = await page.evaluate(
    (channelId) => window.socket.emitWithAck("sendMessage", { channelId, content: "Hello" }),
    id,
  );
  assert.equal(data.userId, "ada", "who sent it is what the token says");
  await page.getByText("ada: Hello").waitFor();
  const users = await page.evaluate(() => window.socket.emitWithAck("presence:get", { userIds: ["ada", "bob"] }));
  assert.deepEqual(users.data.presence.map(({ userId, online }) => [userId, online]), [["ada", true]]);
});

test("connection timeout and rate limiting", async (t) => {
  const env = {
    ROOMKEY__LIMITS__AUTH_DEADLINE_MS: "3000",
    ROOMKEY__LIMITS__EVENTS_PER_SOCKET_PER_S: "1",
    ROOMKEY__LIMITS__EVENTS_PER_SOCKET_BURST: "3",
  };
  const { server, page } = await start(t, [sign("ada")], env);
  await page.getByText(CONNECTED).waitFor();
  const codes = await page.evaluate(async () => {
    const acks = [1, 2, 3, 4].map(() => window.socket.emitWithAck("joinRoom", "user:ada"));
    return (await Promise.all(acks)).map(({ code, retry }) => [code, retry]);
  });
  assert.deepEqual(codes.at(-1), ["RATE_LIMITED", "after"]);
  // Who opens a connection and shows no token does not keep it.
  await once(await send(server, upgradeRequest()), "close");
});
