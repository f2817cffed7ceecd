// "Authentication with JWT (JSON Web Token) in Socket.io", notes whose client shows its token in the query. The client is in
// `notes/`, and runs in a browser, on a page of another origin than the server. On the server's side:
//
// | the notes' server                                   | in its place                                              |
// |-----------------------------------------------------|-----------------------------------------------------------|
// | socket.handshake.query.token                        | auth.query_token: off by default, since URLs are logged   |
// | const SECRET_KEY = 'your-secret-key'                | JWT_SECRET; one of 15 bytes needs auth.allow_weak_secret  |
// | app.post('/login', ...)                             | /login                                                    |
// | payload = { username: username }                    | the user, in a token without `sub` or `id`                |
// | 'Authentication error: Token expired'               | the same                                                  |
// | 'Authentication error: Invalid token'               | the same                                                  |
// | 'Authentication error: Token missing'               | 'Authentication error: No token provided': another word   |
// |                                                     | for it; a client that looks for it takes TOKEN_MISSING    |

import assert from "node:assert/strict";
import { before, test } from "node:test";

import jwt from "jsonwebtoken";

import { bundle, openPage, startBrowser, startSite } from "../support/page.mjs";
import { PASSWORD, register } from "../support/rest.mjs";
import { startServer } from "../support/server.mjs";

const SECRET_KEY = "your-secret-key";
const ENV = {
  JWT_SECRET: SECRET_KEY,
  ROOMKEY__AUTH__ALLOW_WEAK_SECRET: "true",
  ROOMKEY__AUTH__QUERY_TOKEN: "true",
};

let program;
before(async () => (program = await bundle("seeds/notes/page.js")));

async function start(t, env = ENV) {
  const server = await startServer(t, { env });
  const site = await startSite(t, program);
  const browser = await startBrowser(t, { "localhost:3000": server.url, "localhost:8080": site });
  const page = await openPage(browser, "http://localhost:8080/");
  return { server, page };
}

const open = (page, login) => page.evaluate((login) => window.open(login), login);
const logIn = (page, ...words) => page.evaluate((words) => window.login(...words), words);
const room = (page, name) => page.evaluate((name) => window.socket.emitWithAck("joinRoom", name), name);

test("who logs in gets a token, and connects with it in the query", async (t) => {
  const { server, page } = await start(t);
  const { user } = await register(server, "user");
  const refused = await logIn(page, "user", "password");
  assert.deepEqual([refused.status, refused.message], [401, "Invalid credentials"]);
  const { status, token } = await logIn(page, "user", PASSWORD);
  assert.equal(status, 200);
  assert.equal(await open(page, { token }), "connected");
  assert.deepEqual(await room(page, `user:${user.id}`), { data: `user:${user.id}` });
});

test("a token as the notes sign it", async (t) => {
  const { page } = await start(t);
  const username = "user";
  const payload = { username: username };
  const token = jwt.sign(payload, SECRET_KEY, { expiresIn: "1h" });
  assert.equal(await open(page, { token }), "connected");
  assert.deepEqual(await room(page, "user:user"), { data: "user:user" });
});

test("the errors of the notes", async (t) => {
  const { page } = await start(t);
  const expired = jwt.sign({ username: "user" }, SECRET_KEY, { expiresIn: "-1h" });
  const forged = jwt.sign({ username: "user" }, "another-key", { expiresIn: "1h" });
  assert.equal(await open(page, { token: expired }), "Authentication error: Token expired");
  assert.equal(await open(page, { token: forged }), "Authentication error: Invalid token");
  assert.equal(await open(page, { token: "" }), "Authentication error: No token provided");
});

test("a token that has expired is exchanged for a new one with the refresh token", async (t) => {
  const { server, page } = await start(t);
  const { user } = await register(server, "user");
  const { token, refreshToken } = await logIn(page, "user", PASSWORD);
  const { exp, ...claims } = jwt.decode(token);
  const expired = jwt.sign({ ...claims, iat: exp - 7200, exp: exp - 3600 }, SECRET_KEY);
  assert.equal(await open(page, { token: expired, refreshToken }), "connected");
  assert.deepEqual(await room(page, `user:${user.id}`), { data: `user:${user.id}` });
});

test("\"store JWTs in httpOnly cookies\": the login sets them, and they are enough to connect", async (t) => {
  const { server, page } = await start(t, { ...ENV, ROOMKEY__AUTH__SESSION_COOKIES: "true" });
  await register(server, "user");
  await page.goto("http://localhost:3000/healthz");
  await page.evaluate(program);
  const login = await logIn(page, "user", PASSWORD);
  assert.equal(login.status, 200);
  assert.equal(login.token, undefined, "no script of the page has it");
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.equal(await open(page, { token: "" }), "connected");
});

test("without the setting a token in the query is none", async (t) => {
  const { page } = await start(t, { ...ENV, ROOMKEY__AUTH__QUERY_TOKEN: undefined });
  const token = jwt.sign({ username: "user" }, SECRET_KEY, { expiresIn: "1h" });
  assert.equal(await open(page, { token }), "Authentication error: No token provided");
});
