// Channels, members, messages, rooms: the main job.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, next, TRANSPORTS } from "./support/client.mjs";
import { addMember, createChannel, history, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`a message reaches the other member and is acknowledged, over ${name}`, async (t) => {
    const server = await startServer(t);
    const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
    const channel = await createChannel(server, ada.token, [bob.user.id]);
    const adaSocket = await connect(t, server, ada.token, { transports });
    const bobSocket = await connect(t, server, bob.token, { transports });

    const received = next(bobSocket, "message.created");
    const sent = { channelId: channel.id, content: "Ahoy ⚓", clientId: "first" };
    const ack = await adaSocket.emitWithAck("sendMessage", sent);
    assert.equal(ack.error, undefined, JSON.stringify(ack));
    assert.equal(ack.data.content, "Ahoy ⚓");
    assert.equal(ack.data.channelId, channel.id);
    assert.equal(ack.data.userId, ada.user.id);
    assert.equal(ack.data.user.username, "ada");
    assert.equal(ack.data.seq, 1);
    assert.equal(ack.data.clientId, "first");
    assert.equal(ack.data.deliveryStatus, "SENT");
    assert.equal(ack.data.editedAt, null);
    assert.match(ack.data.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

    const [message] = await received;
    assert.deepEqual(message, ack.data);
    const kept = await history(server, bob.token, channel.id);
    assert.deepEqual(kept.map(({ id, content }) => ({ id, content })), [{ id: message.id, content: "Ahoy ⚓" }]);
  });
}

test("a retry with the same clientId is the same message", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  const message = { channelId: channel.id, content: "once", clientId: "c-1" };
  const [first, second] = [await socket.emitWithAck("sendMessage", message), await socket.emitWithAck("sendMessage", message)];
  assert.equal(second.data.id, first.data.id);
  assert.equal((await history(server, ada.token, channel.id)).length, 1);
});

test("who sent it is decided by the server, whatever the payload says", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
  const channel = await createChannel(server, ada.token, [bob.user.id]);
  const socket = await connect(t, server, bob.token);
  const forged = { channelId: channel.id, content: "I am Ada", userId: ada.user.id, user: { id: ada.user.id } };
  const ack = await socket.emitWithAck("sendMessage", forged);
  if (ack.error) {
    assert.equal(ack.code, "BAD_PAYLOAD");
  } else {
    assert.equal(ack.data.userId, bob.user.id);
    assert.equal(ack.data.user.id, bob.user.id);
  }
});

test("strangers neither send, nor read, nor listen", async (t) => {
  const server = await startServer(t);
  const [ada, eve] = await Promise.all([register(server, "ada"), register(server, "eve")]);
  const channel = await createChannel(server, ada.token);
  const adaSocket = await connect(t, server, ada.token);
  const eveSocket = await connect(t, server, eve.token);
  const overheard = [];
  eveSocket.on("message.created", (message) => overheard.push(message));

  const attempts = [
    ["joinRoom", `channel:${channel.id}`],
    ["joinRoom", `user:${ada.user.id}`],
    ["joinRoom", adaSocket.id],
    ["sendMessage", { channelId: channel.id, content: "hello?" }],
    ["sendMessage", { channelId: "no-such-channel", content: "hello?" }],
  ];
  for (const [event, payload] of attempts) {
    const ack = await eveSocket.emitWithAck(event, payload);
    assert.equal(ack.code, "FORBIDDEN", `${event} ${JSON.stringify(payload)}: ${JSON.stringify(ack)}`);
    assert.equal(typeof ack.error, "string");
    assert.equal(ack.retry, "never");
  }
  await adaSocket.emitWithAck("sendMessage", { channelId: channel.id, content: "private" });
  await adaSocket.emitWithAck("sendMessage", { channelId: channel.id, content: "also private" });
  // An answer to Eve comes after whatever was on its way to her.
  await eveSocket.emitWithAck("joinRoom", `channel:${channel.id}`);
  assert.deepEqual(overheard, []);
});

test("joinRoom is answered by roomJoined and an ack", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  const joined = next(socket, "roomJoined");
  const ack = await socket.emitWithAck("joinRoom", `channel:${channel.id}`);
  assert.equal(ack.error, undefined, JSON.stringify(ack));
  assert.deepEqual(await joined, [`channel:${channel.id}`]);
});

test("who is added while connected hears the channel at once", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
  const channel = await createChannel(server, ada.token);
  const adaSocket = await connect(t, server, ada.token);
  const bobSocket = await connect(t, server, bob.token);
  await addMember(server, ada.token, channel.id, bob.user.id);
  const received = next(bobSocket, "message.created");
  await adaSocket.emitWithAck("sendMessage", { channelId: channel.id, content: "welcome" });
  const [message] = await received;
  assert.equal(message.content, "welcome");
});

test("payloads of the wrong shape are refused, and the socket lives on", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  const attempts = [
    ["sendMessage", undefined],
    ["sendMessage", null],
    ["sendMessage", "text"],
    ["sendMessage", [channel.id, "text"]],
    ["sendMessage", { channelId: channel.id }],
    ["sendMessage", { channelId: channel.id, content: 5 }],
    ["sendMessage", { channelId: channel.id, content: "" }],
    ["sendMessage", { channelId: [channel.id], content: "x" }],
    ["joinRoom", ["admin"]],
    ["joinRoom", ""],
    ["joinRoom", "a\u0000b"],
  ];
  for (const [event, payload] of attempts) {
    const ack = await socket.emitWithAck(event, payload);
    assert.equal(ack.code, "BAD_PAYLOAD", `${event} ${JSON.stringify(payload)}: ${JSON.stringify(ack)}`);
    assert.equal(ack.retry, "never");
  }
  const ack = await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "still here" });
  assert.equal(ack.data.seq, 1);
});

test("every tab of a user hears the channel, and what it sent itself", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const tabs = await Promise.all([1, 2, 3].map(() => connect(t, server, ada.token)));
  const received = tabs.map((tab) => next(tab, "message.created"));
  await tabs[0].emitWithAck("sendMessage", { channelId: channel.id, content: "everywhere" });
  for (const [message] of await Promise.all(received)) {
    assert.equal(message.content, "everywhere");
  }
});
