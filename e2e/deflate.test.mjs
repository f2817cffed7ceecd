// Compressed messages: the stock client offers it, and the server takes it where it is switched on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, connect, TRANSPORTS } from "./support/client.mjs";
import { createChannel, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const DEFLATE = { env: { ROOMKEY__ENGINE__DEFLATE: "true" } };
/** Above the 1024 bytes from which both sides compress, and easily made smaller. */
const LONG = "the harbour is quiet tonight ⚓ ".repeat(200);

const extensions = (socket) => socket.io.engine.transport.ws.extensions;
const bytesRead = (socket) => socket.io.engine.transport.ws._socket.bytesRead;

async function metric(server, name) {
  const { text } = await request(server, "GET", "/metrics");
  return Number(text.match(new RegExp(`^${name} (\\d+)$`, "m"))[1]);
}

test("a broadcast is compressed once, and everybody reads it", async (t) => {
  const server = await startServer(t, DEFLATE);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const compressing = await Promise.all(
    [["websocket"], ["websocket"], ["polling", "websocket"]].map((transports) =>
      connect(t, server, ada.token, { transports, perMessageDeflate: true }),
    ),
  );
  const plain = await connect(t, server, ada.token, { perMessageDeflate: false });
  const polling = await connect(t, server, ada.token, { transports: TRANSPORTS["polling only"] });
  for (const socket of compressing) {
    assert.equal(extensions(socket), "permessage-deflate");
  }
  assert.equal(extensions(plain), "");

  const everybody = [...compressing, plain, polling];
  const before = compressing.map(bytesRead);
  const plainBefore = bytesRead(plain);
  const heard = everybody.map((socket) => collect(socket, "message.created", 3));
  for (const content of ["short", LONG, "short again"]) {
    const { data, error } = await plain.emitWithAck("sendMessage", { channelId: channel.id, content });
    assert.ok(data, error?.message);
  }
  for (const messages of await Promise.all(heard)) {
    assert.deepEqual(messages.map(({ content }) => content), ["short", LONG, "short again"]);
  }
  compressing.forEach((socket, index) => assert.ok(bytesRead(socket) - before[index] < LONG.length / 2));
  assert.ok(bytesRead(plain) - plainBefore > LONG.length);
  assert.equal(await metric(server, "roomkey_deflate_messages_total"), 1);
  const [bytesBefore, bytesAfter] = await Promise.all(
    ["before", "after"].map((when) => metric(server, `roomkey_deflate_bytes_${when}_total`)),
  );
  assert.ok(bytesBefore > LONG.length && bytesAfter < bytesBefore / 4, `${bytesBefore} became ${bytesAfter}`);

  const { data } = await compressing[0].emitWithAck("sendMessage", { channelId: channel.id, content: LONG });
  assert.equal(data.seq, 4, "what a client compresses is understood");
});

test("nothing is compressed where it is not switched on", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token, { perMessageDeflate: true });
  assert.equal(extensions(socket), "");
  const heard = collect(socket, "message.created", 1);
  await socket.emitWithAck("sendMessage", { channelId: channel.id, content: LONG });
  assert.equal((await heard)[0].content, LONG);
  assert.equal(await metric(server, "roomkey_deflate_messages_total"), 0);
});
