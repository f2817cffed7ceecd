// Two guides to Socket.IO with JWT, as application developers follow them, and the stock client: what they write on the
// client's side works as it is written. One is a chat backend (events, acks and types), one a tutorial (rooms and
// notifications from the server).

import assert from "node:assert/strict";
import { test } from "node:test";

import { io } from "socket.io-client";

import { connect, next, refusal } from "./support/client.mjs";
import { now, sign, signingKey, startKeySet, startWithIssuers } from "./support/issuers.mjs";
import { createChannel, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { forgedToken, token } from "./support/tokens.mjs";

const API_KEY = "rk_end-to-end-key-of-32-characters-or-more";
const KEYS = `[{ name = "tests", key = "${API_KEY}", scopes = ["emit"] }]`;

const STATES = ["SENDING", "SENT", "DELIVERED", "READ", "FAILED"];

/** `interface Message` of the guide. */
function assertMessage(message) {
  for (const field of ["id", "content", "channelId", "userId"]) assert.equal(typeof message[field], "string", field);
  for (const field of ["createdAt", "updatedAt"]) assert.ok(!Number.isNaN(Date.parse(message[field])), field);
  assert.ok(STATES.includes(message.deliveryStatus), message.deliveryStatus);
  assert.equal(message.user.id, message.userId);
}

/** `interface DeliveryStatus` of the guide. */
function assertDeliveryStatus(status) {
  for (const field of ["messageId", "recipientId"]) assert.equal(typeof status[field], "string", field);
  assert.ok(STATES.includes(status.status), status.status);
  assert.ok(!Number.isNaN(Date.parse(status.timestamp)));
}

/** `interface TypingIndicator` of the guide. */
function assertTypingIndicator(indicator) {
  for (const field of ["userId", "channelId"]) assert.equal(typeof indicator[field], "string", field);
  assert.equal(typeof indicator.isTyping, "boolean");
  assert.ok(!Number.isNaN(Date.parse(indicator.timestamp)));
}

/** `interface SocketResponse<T>` of the guide: what an ack is called with. */
function dataOf(response) {
  assert.equal(response.error, undefined, JSON.stringify(response));
  return response.data;
}

/** The next answer to an event that is sent as `emit(callback)` does. */
const answer = (emit) => new Promise((resolve) => emit(resolve)).then(dataOf);

test("the chat backend: every event, ack and type", async (t) => {
  const key = await signingKey("key-1");
  const keySet = await startKeySet(t, [key]);
  const issuer = { name: "clerk", preset: "clerk", jwks_url: keySet.url, jwks_allow_http: true };
  const clerk = { issuer: "https://mighty-cat-1.clerk.accounts.dev", azp: "https://app.example.com" };
  const server = await startWithIssuers(t, [{ ...issuer, issuer: clerk.issuer, authorized_parties: [clerk.azp] }]);
  const getToken = (sub) => {
    const claims = { azp: clerk.azp, exp: now() + 60, iat: now(), iss: clerk.issuer, nbf: now() - 10 };
    return sign(key, { ...claims, sid: `sess_${sub}`, sts: "active", sub, v: 2 }, { cat: "cl_B7d4PD111AAA" });
  };

  const BACKEND_URL = server.url;
  const open = async (user) => {
    // CORRECT Implementation
    const socket = io(BACKEND_URL, {
      auth: { token: await getToken(user) },
      transports: ['websocket'],
      autoConnect: true
    });
    t.after(() => socket.disconnect());
    await new Promise((resolve, reject) => socket.on("connect", resolve).on("connect_error", reject));
    return socket;
  };
  const [socket, other] = [await open("user_2ada"), await open("user_2bob")];
  const channel = await createChannel(server, await getToken("user_2ada"), ["clerk:user_2bob"]);
  const channelId = channel.id;

  // Sending/Receiving Messages
  const created = next(other, 'message.created');
  socket.emit('sendMessage', { content: "Hello", channelId });
  const [message] = await created;
  assertMessage(message);
  assert.deepEqual([message.content, message.userId, message.deliveryStatus], ["Hello", "clerk:user_2ada", "SENT"]);
  const messageId = message.id;

  const updated = next(other, 'message.updated');
  socket.emit('updateMessage', { messageId, content: "Hello!" });
  const [changed] = await updated;
  assertMessage(changed);
  assert.deepEqual([changed.id, changed.content], [messageId, "Hello!"]);

  // Delivery Status
  const told = next(socket, 'message.status');
  other.emit('message:delivered', { messageId });
  assertDeliveryStatus((await told)[0]);
  other.emit('message:seen', { messageId });
  const seen = await answer((done) => other.emit('message:seen', { messageId }, done));
  assert.equal(seen.seenSeq, message.seq);
  const status = await answer((done) => socket.emit('message:getStatus', { messageId }, (response) => {
    // Get message delivery status
    done(response);
  }));
  assert.equal(status.status, "READ");
  assert.deepEqual(status.statuses.map(({ recipientId }) => recipientId), ["clerk:user_2bob"]);
  status.statuses.forEach(assertDeliveryStatus);

  // Typing Indicators
  const typing = next(other, "typing.update");
  socket.emit('typing', { channelId });
  assertTypingIndicator((await typing)[0]);
  const { typing: current } = await answer((done) => other.emit('typing:get', { channelId }, (response) => {
    // Get currently typing users
    done(response);
  }));
  current.forEach(assertTypingIndicator);
  assert.deepEqual(current.map(({ userId, isTyping }) => [userId, isTyping]), [["clerk:user_2ada", true]]);
  const stopped = next(other, "typing.update");
  socket.emit('typing:stop', { channelId });
  assert.equal((await stopped)[0].isTyping, false);

  // Offline Messages
  other.disconnect();
  dataOf(await socket.emitWithAck('sendMessage', { content: "Are you there?", channelId }));
  const back = await open("user_2bob");
  const counts = await answer((done) => back.emit('message:getOfflineCount', (response) => {
    // Get count of missed messages
    done(response);
  }));
  assert.equal(counts.total, 1);
  const { messages } = dataOf(await back.emitWithAck("message:getOffline", { channelId }));
  messages.forEach(assertMessage);
  assert.deepEqual(messages.map(({ content }) => content), ["Are you there?"]);

  const deleted = next(back, 'message.deleted');
  socket.emit('deleteMessage', { messageId });
  const [{ messageId: gone }] = await deleted;
  assert.equal(gone, messageId);

  // 1. Authentication Errors; and handle message failures
  const failed = next(socket, 'error');
  socket.emit('sendMessage', { content: "Hello", channelId: "nowhere" });
  const [error] = await failed;
  assert.equal(typeof error.message, "string");
  assert.equal(error.message.includes('authentication'), false);
  const response = await socket.emitWithAck('updateMessage', { messageId, content: "Too late" });
  assert.equal(typeof response.error, "string");
  assert.equal(response.data, undefined);

  // "WRONG: Including Bearer prefix": it means the same here.
  await connect(t, server, `Bearer ${await getToken("user_2ada")}`);
});

test("the tutorial: rooms with an access check, notifications, and errors", async (t) => {
  const env = { ROOMKEY__AUTH__API_KEYS: KEYS, ROOMKEY__CHAT__DASHED_PERSONAL_ROOMS: "true" };
  const server = await startServer(t, { env });
  const userId = "42";
  const socket = await connect(t, server, token(userId));
  const stranger = await connect(t, server, token("43"));

  // Room-Based Authorization
  const { id: roomId } = await createChannel(server, token(userId));
  for (const room of [roomId, `channel:${roomId}`, `user-${userId}`]) {
    const joined = next(socket, 'roomJoined');
    socket.emit('joinRoom', room);
    assert.deepEqual(await joined, [room]);
  }
  for (const room of [roomId, `user-${userId}`]) {
    const failed = next(stranger, "error");
    stranger.emit('joinRoom', room);
    assert.equal((await failed)[0].code, "FORBIDDEN");
  }

  // Custom Events: what `io.to(...).emit(...)` is for a backend of another process
  const emit = (to, event, ...args) => {
    const headers = { "x-api-key": API_KEY };
    return request(server, "POST", "/api/emit", { headers, body: { to: [to], event, args } });
  };
  const notified = next(socket, 'notification');
  const overheard = [];
  stranger.onAny((event) => overheard.push(event));
  // io.to(`user-${socket.user.id}`).emit('notification', {...})
  const answered = await emit(`user-${userId}`, 'notification', { message: 'New message received' });
  assert.ok(answered.status < 300, answered.text);
  assert.deepEqual(await notified, [{ message: 'New message received' }]);
  const received = next(socket, 'message');
  await emit(`channel:${roomId}`, 'message', "Hello");
  assert.deepEqual(await received, ["Hello"]);
  assert.deepEqual(overheard, []);

  // Connection Issues
  const message = async (auth) => (await refusal(t, server, { auth, transports: ["websocket"] })).message;
  assert.equal(await message({}), "Authentication error: No token provided");
  assert.equal(await message({ token: forgedToken(userId) }), "Authentication error: Invalid token");
});
