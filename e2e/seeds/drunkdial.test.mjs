// "DrunkDial WebSocket Authentication Integration": the token of the login is the token of the socket. The client is in
// `drunkdial/`, and runs in a browser at http://localhost. What the document writes on the server's side is built in here:
//
// | the document's server                                | in its place                                           |
// |------------------------------------------------------|--------------------------------------------------------|
// | jwt.verify(token, process.env.JWT_SECRET)            | JWT_SECRET: the same secret signs logins               |
// | "Authentication error: Token required"               | "Authentication error: No token provided", and a code  |
// | socket.userId = decoded.id                           | `id` is a user's name in a token without `sub`         |
// | the login route, and a refresh of the token          | /api/auth/login, /api/auth/refresh                     |

import assert from "node:assert/strict";
import { before, test } from "node:test";

import jwt from "jsonwebtoken";

import { bundle, openPage, startBrowser, startSite } from "../support/page.mjs";
import { PASSWORD, register } from "../support/rest.mjs";
import { SECRET, startServer } from "../support/server.mjs";

let program;
before(async () => (program = await bundle("seeds/drunkdial/page.js")));

async function start(t, env = {}) {
  const server = await startServer(t, { env });
  const site = await startSite(t, program, { server });
  const browser = await startBrowser(t, { "localhost:80": site });
  return { server, open: () => openPage(browser, "http://localhost/") };
}

/** Logs in as the page does, and waits until it is connected. */
const logIn = (page, email) =>
  page.evaluate(
    async ([email, password]) => {
      window.client = await window.loginUser(email, password);
      window.connects = 0;
      window.errors = [];
      window.client?.socket.on("connect", () => window.connects++);
      window.client?.socket.on("connect_error", (error) => window.errors.push(error.message));
      await new Promise((resolve) => window.client?.socket.on("connect", resolve) ?? resolve());
      return { token: localStorage.getItem("authToken"), shown: window.client?.token };
    },
    [email, PASSWORD],
  );

const request = (page, path) =>
  page.evaluate(async (path) => {
    const response = await window.client.request(path);
    return { status: response.status, body: await response.json() };
  }, path);

test("one token, from the login, for requests and for the socket", async (t) => {
  const { server, open } = await start(t);
  const { user } = await register(server, "ada");
  const page = await open();
  const { token, shown } = await logIn(page, user.email);
  assert.equal(shown, token);
  assert.equal(jwt.verify(token, SECRET, { algorithms: ["HS256"] }).sub, user.id, "a backend with the secret takes it, too");
  const me = await request(page, "/api/auth/me");
  assert.equal(me.body.user.id, user.id);
  const joined = await page.evaluate((room) => window.client.socket.emitWithAck("joinRoom", room), `user:${user.id}`);
  assert.equal(joined.error, undefined, "the socket is the user's");
});

test("a login that fails saves nothing", async (t) => {
  const { open } = await start(t);
  const page = await open();
  const { token, shown } = await logIn(page, "nobody@example.com");
  assert.deepEqual([token, shown], [null, undefined]);
});

test("a token of the application's own backend, with an `id`", async (t) => {
  const { open } = await start(t);
  const page = await open();
  const connect = (token) =>
    page.evaluate(
      (token) =>
        new Promise((resolve) => {
          const client = new window.DrunkDialClient("http://localhost", token);
          client.connect();
          client.socket.on("connect_error", (error) => resolve(error.message));
          client.socket.on("connect", async () => resolve(await client.socket.emitWithAck("joinRoom", "user:7")));
        }),
      token,
    );
  assert.deepEqual(await connect(jwt.sign({ id: 7 }, SECRET, { expiresIn: "1h" })), { data: "user:7" });
  assert.equal(await connect(undefined), "Authentication error: No token provided");
  const forged = jwt.sign({ id: 7 }, "another secret of thirty-two bytes", { expiresIn: "1h" });
  assert.equal(await connect(forged), "Authentication error: Invalid token");
});

test("a token that expires on a live socket: the client refreshes it and reconnects", async (t) => {
  const { server, open } = await start(t, { ROOMKEY__AUTH__ACCESS_TOKEN_LIFETIME_S: "3" });
  const { user } = await register(server, "ada");
  const page = await open();
  const { token } = await logIn(page, user.email);
  await page.waitForFunction(() => window.connects === 2);
  assert.deepEqual(await page.evaluate(() => window.errors), ["Authentication error: Token expired"]);
  assert.notEqual(await page.evaluate(() => localStorage.getItem("authToken")), token);
  const { user: still } = (await request(page, "/api/auth/me")).body;
  assert.equal(still.id, user.id);
});
