// "WebSocket Authentication Documentation" of the ChatGenius backend: a chat behind tokens of Clerk. The client is in
// `chatgenius/`, in TypeScript as in the document. What it writes on the server's side is configuration here, or built in:
//
// | the document's server                                   | in its place                                             |
// |---------------------------------------------------------|----------------------------------------------------------|
// | clerkClient.verifyToken(token), WsGuard                 | [[auth.issuers]] preset = "clerk"                        |
// | TokenBlacklistService                                   | POST /api/auth/revoke; on live sockets, too              |
// | client.join(`user:${userId}`), `channel:${channelId}`   | every socket of a member is in these rooms               |
// | eventService.getUserChannels, unsubscribe               | channels and their members                               |
// | CORS configuration, WebSocket-only transport            | http.origins, engine.transports                          |
// | userId: "user_2x"                                       | "clerk:user_2x": ids of an issuer have its name in front |
// | "No Bearer prefix requirement"                          | it may be there                                          |

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { connect, next, refusal } from "../support/client.mjs";
import { now, sign, signingKey, startKeySet, startWithIssuers } from "../support/issuers.mjs";
import { load } from "../support/page.mjs";
import { createChannel, expectStatus, request } from "../support/rest.mjs";

const PAGE = "https://app.example.com";
const ISSUER = "https://mighty-cat-1.clerk.accounts.dev";
const API_KEY = "rk_end-to-end-key-of-32-characters-or-more";
const STATES = ["SENDING", "SENT", "DELIVERED", "READ", "FAILED"];
const here = fileURLToPath(new URL(".", import.meta.url));

let key;
before(async () => (key = await signingKey("key-1")));

/** A token as Clerk makes it, of this session. */
function clerkToken(sub, lifeS = 60, azp = PAGE) {
  const begin = lifeS < 0 ? now() + lifeS - 60 : now();
  const times = { exp: now() + lifeS, iat: begin, nbf: begin - 10 };
  const claims = { azp, iss: ISSUER, sid: `sess_${sub}`, sts: "active", sub, v: 2, ...times };
  return sign(key, claims, { cat: "cl_B7d4PD111AAA" });
}

async function start(t, env = {}) {
  const keySet = await startKeySet(t, [key]);
  const issuer = { name: "clerk", preset: "clerk", jwks_url: keySet.url, jwks_allow_http: true };
  const toml = `[auth]\nbuiltin = false\n\n[[auth.api_keys]]\nname = "backend"\nkey = "${API_KEY}"\nscopes = ["revoke"]\n
[http]\norigins = ["${PAGE}"]\n\n[engine]\ntransports = ["websocket"]`;
  const server = await startWithIssuers(t, [{ ...issuer, issuer: ISSUER, authorized_parties: [PAGE] }], { toml, env });
  const [connection, messages] = [await load(t, "seeds/chatgenius/connection.ts"), await load(t, "seeds/chatgenius/messages.ts")];

  /** A client of this user, once it is connected; `reports` are what its handlers have seen. */
  async function open(user, getToken = () => clerkToken(user)) {
    const reports = [];
    let socket;
    await new Promise((resolve, reject) => {
      const report = (what, detail) => {
        reports.push(what);
        if (what === "connected") resolve();
        if (what === "auth failure") reject(new Error(detail));
      };
      connection.open(server.url, getToken, report).then((opened) => (socket = opened));
      t.after(() => socket.disconnect());
    });
    const { listen } = messages;
    return { socket, reports, listen: (listeners) => listen(socket, listeners), chat: (id) => messages.chat(socket, id) };
  }
  return { server, open };
}

/** `interface Message` of the document. */
function assertMessage(message) {
  for (const field of ["id", "content", "channelId", "userId"]) assert.equal(typeof message[field], "string", field);
  for (const field of ["createdAt", "updatedAt"]) assert.ok(!Number.isNaN(Date.parse(message[field])), field);
  assert.ok(STATES.includes(message.deliveryStatus), message.deliveryStatus);
  assert.equal(message.user.id, message.userId);
}

/** `interface DeliveryStatus`. */
function assertDeliveryStatus(status) {
  for (const field of ["messageId", "recipientId"]) assert.equal(typeof status[field], "string", field);
  assert.ok(STATES.includes(status.status), status.status);
  assert.ok(!Number.isNaN(Date.parse(status.timestamp)));
}

/** `interface TypingIndicator`. */
function assertTypingIndicator(indicator) {
  for (const field of ["userId", "channelId"]) assert.equal(typeof indicator[field], "string", field);
  assert.equal(typeof indicator.isTyping, "boolean");
  assert.ok(!Number.isNaN(Date.parse(indicator.timestamp)));
}

/** `interface SocketResponse<T>`: what an ack is called with. */
function dataOf(response) {
  assert.equal(response.error, undefined, JSON.stringify(response));
  return response.data;
}

/** The data of the answer to what is called with a callback. */
const answer = (ask) => new Promise((resolve) => ask(resolve)).then(dataOf);

/** What the next of these listeners is told. */
function heard(client, listener) {
  const silent = { created() {}, updated() {}, deleted() {}, status() {}, typing() {} };
  return new Promise((resolve) => client.listen({ ...silent, [listener]: resolve }));
}

test("the client's types hold", async () => {
  const tsc = path.join(here, "../../clients/js/node_modules/.bin/tsc");
  const files = ["connection.ts", "messages.ts", "shapes.ts"].map((name) => path.join(here, "chatgenius", name));
  const args = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", ...files];
  await promisify(execFile)(tsc, args, { cwd: here }).catch(({ stdout }) => assert.fail(stdout));
});

test("every event, ack and shape of the document", async (t) => {
  const { server, open } = await start(t);
  const [ada, bob] = [await open("user_2ada"), await open("user_2bob")];
  const { id } = await createChannel(server, await clerkToken("user_2ada"), ["clerk:user_2bob"]);
  const [adas, bobs] = [ada.chat(id), bob.chat(id)];

  const created = heard(bob, "created");
  adas.send("Hello");
  const message = await created;
  assertMessage(message);
  assert.deepEqual([message.content, message.userId, message.deliveryStatus], ["Hello", "clerk:user_2ada", "SENT"]);
  const updated = heard(bob, "updated");
  adas.update(message.id, "Hello!");
  const changed = await updated;
  assertMessage(changed);
  assert.deepEqual([changed.id, changed.content], [message.id, "Hello!"]);

  const told = heard(ada, "status");
  bobs.delivered(message.id);
  assertDeliveryStatus(await told);
  const read = heard(ada, "status");
  bobs.seen(message.id);
  assert.equal((await read).status, "READ");
  const status = await answer((done) => adas.status(message.id, done));
  assert.equal(status.status, "READ");
  assert.deepEqual(status.statuses.map(({ recipientId }) => recipientId), ["clerk:user_2bob"]);
  status.statuses.forEach(assertDeliveryStatus);

  const typing = heard(bob, "typing");
  adas.typing();
  assertTypingIndicator(await typing);
  const { typing: current } = await answer((done) => bobs.whoTypes(done));
  current.forEach(assertTypingIndicator);
  assert.deepEqual(current.map(({ userId, isTyping }) => [userId, isTyping]), [["clerk:user_2ada", true]]);
  const stopped = heard(bob, "typing");
  adas.stopTyping();
  assert.equal((await stopped).isTyping, false);

  const deleted = heard(bob, "deleted");
  adas.remove(message.id);
  assert.equal(await deleted, message.id);

  // Who sends without a callback, and is refused, is told by an `error` event; with one, by the answer.
  const failed = next(ada.socket, "error");
  ada.chat("nowhere").send("Hello");
  assert.equal(typeof (await failed)[0].message, "string");
  const response = await ada.socket.emitWithAck("updateMessage", { messageId: message.id, content: "Too late" });
  assert.deepEqual([typeof response.error, response.data], ["string", undefined]);
});

test("typing ends after 5 seconds of inactivity, and when the message is sent", async (t) => {
  const { server, open } = await start(t);
  const [ada, bob] = [await open("user_2ada"), await open("user_2bob")];
  const { id } = await createChannel(server, await clerkToken("user_2ada"), ["clerk:user_2bob"]);
  const begin = performance.now();
  const updates = [];
  const ends = new Promise((resolve) => {
    bob.socket.on("typing.update", ({ isTyping }) => {
      const ended = updates.filter(({ isTyping }) => !isTyping).length;
      updates.push({ isTyping, after: performance.now() - begin });
      if (!isTyping && ended === 1) resolve();
      else if (!isTyping) ada.chat(id).typing();
      else if (ended === 1) ada.chat(id).send("Hello");
    });
  });
  ada.chat(id).typing();
  await ends;
  const first = updates.find(({ isTyping }) => !isTyping);
  assert.ok(first.after > 4900, `not before its time: ${first.after} ms`);
});

test("what was missed is counted, comes in order, and is delivered then", async (t) => {
  const { server, open } = await start(t);
  const [ada, bob] = [await open("user_2ada"), await open("user_2bob")];
  const { id } = await createChannel(server, await clerkToken("user_2ada"), ["clerk:user_2bob"]);
  bob.socket.disconnect();
  const contents = ["one", "two", "three"];
  for (const content of contents) await ada.chat(id).sendSafely(content, content);

  const back = await open("user_2bob");
  assert.equal((await answer((done) => back.chat(id).offlineCount(done))).total, 3);
  const { messages } = dataOf(await back.socket.emitWithAck("message:getOffline", { channelId: id }));
  messages.forEach(assertMessage);
  assert.deepEqual(messages.map(({ content }) => content), contents);
  const told = heard(ada, "status");
  back.chat(id).delivered(messages.at(-1).id);
  assert.equal((await told).status, "DELIVERED");
  assert.equal((await answer((done) => back.chat(id).offlineCount(done))).total, 0);
});

test("a client that sends too fast is told when to try again, and every message is there once", async (t) => {
  const env = { ROOMKEY__LIMITS__EVENTS_PER_SOCKET_PER_S: "5", ROOMKEY__LIMITS__EVENTS_PER_SOCKET_BURST: "5" };
  const { server, open } = await start(t, env);
  const ada = await open("user_2ada");
  const { id } = await createChannel(server, await clerkToken("user_2ada"));
  const contents = ["1", "2", "3", "4", "5", "6", "7", "8"];
  const sent = await Promise.all(contents.map((content) => ada.chat(id).sendSafely(content, content)));
  assert.deepEqual(sent.map(({ content }) => content), contents);
  assert.deepEqual(sent.map(({ seq }) => seq).sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("who is removed from a channel hears nothing more of it", async (t) => {
  const { server, open } = await start(t);
  const [ada, bob] = [await open("user_2ada"), await open("user_2bob")];
  const token = await clerkToken("user_2ada");
  const { id } = await createChannel(server, token, ["clerk:user_2bob"]);
  const evicted = next(bob.socket, "room:evicted");
  const removed = await request(server, "DELETE", `/api/channels/${id}/members/clerk:user_2bob`, { token });
  expectStatus(204, removed);
  assert.equal((await evicted)[0].room, `channel:${id}`);
  bob.socket.on("message.created", () => assert.fail("a message for members"));
  await ada.chat(id).sendSafely("Now", "1");
  assert.equal((await bob.socket.emitWithAck("joinRoom", `channel:${id}`)).code, "FORBIDDEN");
});

test("a token that ends is renewed, and the client stays; without a new one it ends", async (t) => {
  const { open } = await start(t);
  let asked = 0;
  const ada = await open("user_2ada", () => clerkToken("user_2ada", ++asked === 1 ? 4 : 60));
  const { id } = ada.socket;
  await next(ada.socket, "auth:expiring");
  while (asked < 2) await ada.socket.emitWithAck("joinRoom", "user:clerk:user_2ada");
  await ada.socket.emitWithAck("auth:refresh", { token: await clerkToken("user_2ada") });
  assert.deepEqual([ada.socket.id, ada.reports], [id, ["connected"]]);

  await assert.rejects(open("user_2bob", () => clerkToken("user_2bob", -60)), { message: "Authentication error: Token expired" });
});

test("a blacklisted token ends its sockets, and opens no new one", async (t) => {
  const { server, open } = await start(t);
  const token = await clerkToken("user_2ada");
  const ada = await open("user_2ada", async () => token);
  const gone = next(ada.socket, "disconnect");
  const headers = { authorization: `Bearer ${API_KEY}` };
  const revoked = await request(server, "POST", "/api/auth/revoke", { headers, body: { token } });
  assert.deepEqual(expectStatus(200, revoked), { revoked: true, socketsClosed: 1 });
  await gone;
  assert.deepEqual(ada.reports, ["connected", "server disconnect"]);
  await assert.rejects(open("user_2ada", async () => token), { message: "Authentication error: Token revoked" });
});

test("who may connect, and how: transports, origins, and where the token is", async (t) => {
  const { server } = await start(t);
  const token = await clerkToken("user_2ada");
  // "Common Mistakes to Avoid": they are none here.
  await connect(t, server, `Bearer ${token}`);
  await connect(t, server, undefined, { auth: {}, extraHeaders: { authorization: `Bearer ${token}` } });

  await connect(t, server, token, { extraHeaders: { origin: PAGE } });
  const options = { auth: { token }, transports: ["websocket"] };
  const elsewhere = { ...options, extraHeaders: { origin: "https://elsewhere.example" } };
  assert.equal((await refusal(t, server, elsewhere)).message, "websocket error");
  assert.equal((await refusal(t, server, { ...options, transports: ["polling"] })).message, "xhr poll error");
  const other = await clerkToken("user_2ada", 60, "https://elsewhere.example");
  const refused = await refusal(t, server, { ...options, auth: { token: other } });
  assert.equal(refused.data.code, "TOKEN_INVALID");

  // "Monitor failed authentication attempts".
  const audit = await readFile(path.join(server.dataDir, "audit.jsonl"), "utf8");
  assert.match(audit, /"authn_login_fail/);
});
