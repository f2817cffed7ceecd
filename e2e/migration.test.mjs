// What docs/authentication.md promises to those who come from elsewhere: the programs of the page, before and after, with
// the same clients and the same tokens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import * as authjs from "@auth/core/jwt";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import jwt from "jsonwebtoken";
import nextauth from "next-auth/jwt";

import { connect, connection, next } from "./support/client.mjs";
import { register } from "./support/rest.mjs";
import { runBinary, startServer } from "./support/server.mjs";
import { folder, listen, snippets } from "./support/snippets.mjs";

const run = promisify(execFile);

let snippet;
before(async () => (snippet = await snippets("docs/authentication.md")));

/** The files of the page with these names, in a folder: their path, and what they export. */
const files = (t, ...names) => filesWith(t, named(...names));

const named = (...names) => Object.fromEntries(names.map((name) => [name, snippet(name)]));

async function filesWith(t, contents) {
  const directory = await folder(t, contents);
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

describe("from NextAuth and Auth.js", () => {
  const page = "https://app.example.com";
  const secret = "the value of AUTH_SECRET, of 32 bytes or more";
  const session = { sub: "42", name: "Ada", email: "ada@example.com" };

  /** A server that is configured as on the page, with these changes. */
  async function startAfter(t, preset) {
    const toml = snippet("authjs.toml").replace('preset = "authjs"', `preset = "${preset}"`);
    const { directory } = await filesWith(t, { "roomkey.toml": toml });
    return startServer(t, { args: ["--config", `${directory}/roomkey.toml`], env: { JWT_SECRET: undefined } });
  }

  const withCookie = (name, value) => ({ extraHeaders: { origin: page, ...(value && { cookie: `${name}=${value}` }) } });

  test("the same cookies and clients, version 5", async (t) => {
    const cookie = "__Secure-authjs.session-token";
    const sealed = (claims, key = secret, salt = cookie) => authjs.encode({ token: claims, secret: key, salt });
    const { directory, load } = await files(t, "before-authjs.mjs", "client-authjs.mjs");
    const { connect } = await load("client-authjs.mjs");
    const was = await listen(t, directory, "before-authjs.mjs", { AUTH_SECRET: secret });
    const is = await startAfter(t, "authjs");
    const cases = [
      [await sealed(session), undefined],
      [undefined, "TOKEN_MISSING"],
      [await sealed(session, "another secret of thirty-two bytes"), "TOKEN_INVALID"],
      [await sealed(session, secret, "__Secure-authjs.pkce.code_verifier"), "TOKEN_INVALID"],
    ];
    for (const [value, code] of cases) {
      const then = await outcome(t, connect(was, withCookie(cookie, value)));
      const now = await outcome(t, connect(is.url, withCookie(cookie, value)));
      assert.equal(then?.message, code && "Authentication error: Invalid token", `before: ${code}`);
      assert.equal(now?.data.code, code);
    }
  });

  test("version 4, and whose session it is", async (t) => {
    const { load } = await files(t, "client-authjs.mjs");
    const { connect } = await load("client-authjs.mjs");
    const is = await startAfter(t, "nextauth");
    const sealed = await nextauth.encode({ token: session, secret });
    const options = withCookie("__Secure-next-auth.session-token", sealed);
    assert.equal(await outcome(t, connect(is.url, options)), undefined);
    const me = await fetch(`${is.url}/api/auth/me`, { headers: options.extraHeaders }).then((answer) => answer.json());
    assert.equal(me.user.id, "app:42");
    const elsewhere = { extraHeaders: { ...options.extraHeaders, origin: "https://elsewhere.example" } };
    assert.ok(await outcome(t, connect(is.url, elsewhere)), "the cookie of another site's page does not count");
  });
});

describe("from Clerk", () => {
  const issuer = "https://clerk.example.com";
  const page = "https://app.example.com";
  const now = () => Math.floor(Date.now() / 1000);
  const claims = () => {
    const times = { iat: now() - 1, nbf: now() - 10, exp: now() + 59 };
    return { iss: issuer, sub: "user_2x", sid: "sess_1", azp: page, sts: "active", v: 2, fva: [0, -1], ...times };
  };

  test("the same tokens and clients", async (t) => {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const jwk = { ...(await exportJWK(publicKey)), kid: "ins_1", alg: "RS256", use: "sig" };
    const header = { alg: "RS256", kid: "ins_1", typ: "JWT", cat: "cl_B7d4PD111AAA" };
    const sign = (given) => new SignJWT(given).setProtectedHeader(header).sign(privateKey);
    const document = JSON.stringify({ keys: [jwk] });
    const published = createServer((_, answer) => answer.setHeader("content-type", "application/json").end(document));
    await once(published.listen(0, "127.0.0.1"), "listening");
    t.after(() => published.close());
    const url = `http://localhost:${published.address().port}/.well-known/jwks.json`;

    const toml = `${snippet("clerk.toml")}\njwks_url = "${url}"\njwks_allow_http = true\njwks_allow_private = true\n`;
    const { directory, load } = await filesWith(t, { ...named("before-clerk.mjs", "client-clerk.mjs"), "roomkey.toml": toml });
    const { connect } = await load("client-clerk.mjs");
    const was = await listen(t, directory, "before-clerk.mjs", { CLERK_JWKS_URL: url, CLERK_ISSUER: issuer });
    const is = await startServer(t, { args: ["--config", `${directory}/roomkey.toml`], env: { JWT_SECRET: undefined } });
    const cases = [
      ["good", claims(), true, undefined],
      ["expired", { ...claims(), iat: now() - 120, nbf: now() - 130, exp: now() - 60 }, false, "TOKEN_EXPIRED"],
      ["of another issuer", { ...claims(), iss: "https://evil.example" }, false, "TOKEN_INVALID"],
      ["for another page", { ...claims(), azp: "https://other.example.com" }, true, "TOKEN_INVALID"],
      ["of a login that is not complete", { ...claims(), sts: "pending" }, true, "TOKEN_INVALID"],
    ];
    for (const [name, given, wasIn, code] of cases) {
      const token = await sign(given);
      const then = await outcome(t, connect(was, async () => token));
      const after = await outcome(t, connect(is.url, async () => token));
      assert.equal(then === undefined, wasIn, `before: ${name}`);
      assert.equal(after?.data.code, code, name);
    }
    const token = await sign(claims());
    const headers = { authorization: `Bearer ${token}` };
    const me = await fetch(`${is.url}/api/auth/me`, { headers }).then((answer) => answer.json());
    assert.equal(me.user.id, "clerk:user_2x");
    for (const isRunning of [true, false]) {
      if (!isRunning) await is.stop();
      const where = ["--config", `${directory}/roomkey.toml`, "--data-dir", is.dataDir];
      const inspected = await runBinary(t, ["token", "inspect", token, "--json", ...where]);
      assert.equal(inspected.code, 0, inspected.stdout + inspected.stderr);
      assert.equal(JSON.parse(inspected.stdout).profile, "clerk", "the keys are fetched for this, too");
    }
  });
});

test("a backend revokes with the request of the page", async (t) => {
  const made = await runBinary(t, ["secret", "api-key", "shop"]);
  const [key, lines] = made.stdout.split(/\n([^]*)/);
  const { directory } = await filesWith(t, { "roomkey.toml": lines });
  const server = await startServer(t, { args: ["--config", `${directory}/roomkey.toml`] });
  const ada = await register(server, "ada");
  const socket = await connect(t, server, ada.token);
  const told = next(socket, "auth:revoked");
  const request = snippet("revoke.sh").replace("https://chat.example.com", server.url).replace("clerk:user_2x", ada.user.id);
  const curl = async (key) => JSON.parse((await run("sh", ["-c", request], { env: { ...process.env, ROOMKEY_API_KEY: key } })).stdout);
  assert.equal((await curl("rk_wrong")).code, "API_KEY_INVALID");
  assert.deepEqual(await curl(key), { revoked: true, socketsClosed: 1 });
  assert.equal((await told)[0].reason, "revoked");
});

test("a client whose token is about to end renews it, and stays", async (t) => {
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
