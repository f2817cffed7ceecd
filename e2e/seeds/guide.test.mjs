// "WebSocket Authentication with JWT - Step by Step Guide": a React client for a Node server that verifies tokens. The client is
// in `guide/`, and runs in a browser at the addresses that stand in it: the page at localhost:3000, the server at
// localhost:3001. What the guide writes on the server's side is configuration here:
//
// | the guide's server                                  | in its place                                    |
// |-----------------------------------------------------|-------------------------------------------------|
// | cors: { origin: "http://localhost:3000", ... }      | http.origins                                    |
// | process.env.JWT_SECRET, io.use(...jwt.verify...)    | JWT_SECRET                                      |
// | socket.join(`user-${socket.user.id}`)               | chat.dashed_personal_rooms                      |
// | socket.on('joinRoom', ...canAccessRoom...)          | channels and their members: the rules of policy |
// | io.to(`user-${userId}`).emit('notification', ...)   | POST /api/emit, with an API key                 |

import assert from "node:assert/strict";
import { before, test } from "node:test";

import jwt from "jsonwebtoken";

import { refusal } from "../support/client.mjs";
import { bundle, line, openPage, startBrowser, startSite } from "../support/page.mjs";
import { createChannel, expectStatus, request } from "../support/rest.mjs";
import { SECRET, startServer } from "../support/server.mjs";

const API_KEY = "rk_end-to-end-key-of-32-characters-or-more";
const ENV = {
  ROOMKEY__AUTH__API_KEYS: `[{ name = "guide", key = "${API_KEY}", scopes = ["emit"] }]`,
  ROOMKEY__CHAT__DASHED_PERSONAL_ROOMS: "true",
  ROOMKEY__HTTP__ORIGINS: '["http://localhost:3000"]',
};

/** As the guide's backend signs them. */
const sign = (id, secret = SECRET) => jwt.sign({ id }, secret, { expiresIn: "1h" });

let program;
before(async () => (program = await bundle("seeds/guide/useSocket.jsx")));

async function start(t) {
  const server = await startServer(t, { env: ENV });
  const site = await startSite(t, program);
  const addresses = { "localhost:3000": site, "localhost:3001": server.url, "elsewhere.example": site };
  const browser = await startBrowser(t, addresses);
  const open = (token, page = "http://localhost:3000/") => openPage(browser, page, token ? { token } : {});
  /** What `io.to(room).emit(event, data)` is for a backend that is a process of its own. */
  const emit = async (room, event, data) => {
    const body = { to: [room], event, args: [data] };
    expectStatus(200, await request(server, "POST", "/api/emit", { headers: { "x-api-key": API_KEY }, body }));
  };
  return { server, open, emit };
}

/** Emits in the page, and resolves with the arguments of the event that answers. */
const ask = (page, event, argument, answer) =>
  page.evaluate(
    ([event, argument, answer]) =>
      new Promise((resolve) => {
        window.socket.once(answer, (...args) => resolve(args));
        window.socket.emit(event, argument);
      }),
    [event, argument, answer],
  );

test("the component connects, and its listeners hear", async (t) => {
  const { server, open, emit } = await start(t);
  const [page, other] = [await open(sign("42")), await open(sign("43"))];
  for (const one of [page, other]) await one.getByText("Status: Connected").waitFor();
  assert.ok(await page.evaluate(() => window.isTokenValid()));

  const { id } = await createChannel(server, sign("42"));
  await emit("user-42", "notification", { message: "New message received" });
  await emit(`channel:${id}`, "message", "Hello");
  await page.getByText("New message received").waitFor();
  assert.equal(await line(page, "Received:"), "Received: Hello");

  // Whatever the other one was sent would be here before this.
  await emit("user-43", "notification", { message: "Only for you" });
  await other.getByText("Only for you").waitFor();
  assert.equal(await other.getByText("New message received").count(), 0);
  assert.deepEqual(other.lines, []);
});

test("a room is joined by who has access to it", async (t) => {
  const { server, open } = await start(t);
  const [page, stranger] = [await open(sign("42")), await open(sign("43"))];
  for (const one of [page, stranger]) await one.getByText("Status: Connected").waitFor();
  const { id } = await createChannel(server, sign("42"));
  for (const room of [id, `channel:${id}`, "user-42"]) {
    assert.deepEqual(await ask(page, "joinRoom", room, "roomJoined"), [room]);
    const [error] = await ask(stranger, "joinRoom", room, "error");
    assert.equal(error.code, "FORBIDDEN", room);
  }
});

test("the errors of the guide, word for word", async (t) => {
  const { server, open } = await start(t);
  const page = await open(sign("42", "another secret of thirty-two bytes"));
  assert.equal(await line(page, "Connection failed"), "Connection failed: Authentication error: Invalid token");
  await page.getByText("Status: Disconnected").waitFor();

  // Without a token the hook does not connect. Who does is told:
  const anonymous = await open();
  await anonymous.getByText("Status: Disconnected").waitFor();
  assert.equal(await anonymous.evaluate(() => window.socket), undefined);
  const { message } = await refusal(t, server, { auth: {} });
  assert.equal(message, "Authentication error: No token provided");
});

test("a page of another origin does not get in", async (t) => {
  const { open } = await start(t);
  const page = await open(sign("42"), "http://elsewhere.example/");
  assert.equal(await line(page, "Connection failed"), "Connection failed: xhr poll error");
});

test("a token that has ended is seen before it is used", async (t) => {
  const { open } = await start(t);
  // The server gives clocks that differ 15 seconds.
  const page = await open(jwt.sign({ id: "42", exp: Math.floor(Date.now() / 1000) - 5 }, SECRET));
  await page.getByText("Status: Connected").waitFor();
  assert.equal(await page.evaluate(() => window.isTokenValid()), false);
});
