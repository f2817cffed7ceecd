// What docs/authentication.md promises to those who come from elsewhere: the programs of the page, before and after, with
// the same clients and the same tokens.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import jwt from "jsonwebtoken";

import { connection, next } from "./support/client.mjs";
import { startServer } from "./support/server.mjs";
import { folder, listen, snippets } from "./support/snippets.mjs";

let snippet;
before(async () => (snippet = await snippets("docs/authentication.md")));

/** The files of the page with these names, in a folder: their path, and what they export. */
async function files(t, ...names) {
  const directory = await folder(t, Object.fromEntries(names.map((name) => [name, snippet(name)])));
  return { directory, load: (name) => import(pathToFileURL(`${directory}/${name}`)) };
}

/** How a client fares: in, or refused with this error. */
async function outcome(t, socket) {
  t.after(() => socket.disconnect());
  const error = await connection(socket).then(() => undefined, (error) => error);
  socket.disconnect();
  return error;
}

describe("from a JWT middleware in Node", () => {
  const secret = "a secret that a backend has had for years";

  test("the same tokens, clients and messages", async (t) => {
    process.env.JWT_SECRET = secret;
    t.after(() => delete process.env.JWT_SECRET);
    const { directory, load } = await files(t, "login.mjs", "before.mjs", "client.mjs");
    const [{ login }, { connect }] = [await load("login.mjs"), await load("client.mjs")];
    const expired = jwt.sign({ id: 7, exp: Math.floor(Date.now() / 1000) - 3600 }, secret);
    const forged = jwt.sign({ id: 7 }, "another secret of thirty-two bytes", { expiresIn: "1h" });
    const tokens = {
      good: [login({ id: 7, name: "Ada" }), undefined],
      none: [undefined, "Authentication error: No token provided", "TOKEN_MISSING"],
      expired: [expired, "Authentication error: Token expired", "TOKEN_EXPIRED"],
      forged: [forged, "Authentication error: Invalid token", "TOKEN_INVALID"],
      nonsense: ["nonsense", "Authentication error: Invalid token", "TOKEN_INVALID"],
    };
    const was = await listen(t, directory, "before.mjs", { JWT_SECRET: secret });
    const is = (await startServer(t, { env: { JWT_SECRET: secret } })).url;
    for (const [name, [token, message, code]] of Object.entries(tokens)) {
      const [then, now] = [await outcome(t, connect(was, token)), await outcome(t, connect(is, token))];
      assert.equal(then?.message, message, `before: ${name}`);
      assert.equal(now?.message, message, `after: ${name}`);
      assert.equal(now?.data.code, code, name);
    }
  });
});

test("a client whose token is renewed stays, and one whose token has ended comes back", async (t) => {
  const { load } = await files(t, "live.mjs");
  const { connect } = await load("live.mjs");
  const secret = "a secret that a backend has had for years";
  const server = await startServer(t, { env: { JWT_SECRET: secret } });
  let fetched = 0;
  const fetchToken = async () => {
    fetched += 1;
    return jwt.sign({ id: 7, n: fetched }, secret, { expiresIn: fetched === 1 ? 6 : 3600 });
  };
  const socket = connect(server.url, fetchToken, (reason) => assert.fail(`logged out: ${reason}`));
  t.after(() => socket.disconnect());
  await connection(socket);
  const { id } = socket;
  await next(socket, "auth:expiring");
  // Its answer comes behind that of the refresh, which was asked for first.
  await socket.emitWithAck("auth:refresh", { token: await fetchToken() });
  assert.ok(socket.connected && socket.id === id && fetched === 3);
});
