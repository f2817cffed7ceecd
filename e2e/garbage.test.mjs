// Whoever sends garbage loses their own connection and nobody else's.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import net from "node:net";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { upgradeRequest } from "./support/raw.mjs";
import { createChannel, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

/** What is sent on a fresh connection, raw. */
const RAW = {
  "random bytes": randomBytes(4096),
  "a TLS hello": Buffer.from("16030100c8010000c40303", "hex"),
  "zeros": Buffer.alloc(4096),
  "an endless header": Buffer.from(`GET / HTTP/1.1\r\nx: ${"a".repeat(64 * 1024)}`),
  "too many headers": Buffer.from(`GET / HTTP/1.1\r\n${"a: b\r\n".repeat(5000)}\r\n`),
  "a bad version": Buffer.from("GET / HTTP/9.9\r\n\r\n"),
  "two lengths": Buffer.from("POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
  "an unmasked frame": Buffer.from(`${upgradeRequest()}\x81\x02hi`, "latin1"),
  "a reserved opcode": Buffer.from(`${upgradeRequest()}\x83\x80\0\0\0\0`, "latin1"),
  "a frame of an exabyte": Buffer.from(`${upgradeRequest()}\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0`, "latin1"),
  "invalid UTF-8": Buffer.from(`${upgradeRequest()}\x81\x82\0\0\0\0\xff\xfe`, "latin1"),
};

for (const [name, bytes] of Object.entries(RAW)) {
  test(`${name} on a raw connection`, async (t) => {
    const server = await startServer(t);
    const ada = await register(server, "ada");
    const channel = await createChannel(server, ada.token);
    const bystander = await connect(t, server, ada.token);

    const answer = await sendRaw(server, bytes);
    assert.ok(answer.length < 64 * 1024);
    const ack = await bystander.emitWithAck("sendMessage", { channelId: channel.id, content: "unharmed" });
    assert.equal(ack.data.seq, 1);
    assert.equal((await request(server, "GET", "/healthz")).status, 200);
  });
}

/** Text frames that end the connection of an authenticated client: Engine.IO and Socket.IO violations. */
const PACKETS = [
  "", "7", "x", "2", "2probe", "9[1]", "4", "4x", "42{}", "42[]", "42[null]", '42["m"', '42["m",1]x', '42["disconnect"]',
  '42["connect_error"]', '42a["m"]', '42/["m",1]', '42/other,["m"]', "431{}", '41{"a":1}', "40", '44{"message":"x"}',
  '451["m"]', '450-["m"]', '4511-["m"]', "bAQID",
];

test("every malformed packet ends its own connection only", async (t) => {
  const server = await startServer(t);
  const bystander = await connect(t, server, token("ada"));
  for (const packet of PACKETS) {
    const socket = await connect(t, server, token("eve"));
    const closed = new Promise((resolve) => socket.once("disconnect", resolve));
    socket.io.engine.transport.ws.send(packet);
    await closed;
  }
  const ack = await bystander.emitWithAck("joinRoom", "");
  assert.equal(ack.code, "BAD_PAYLOAD");
  assert.ok(bystander.connected);
});

/** Sends the bytes and waits until the server has closed the connection, as it must. */
function sendRaw(server, bytes) {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const received = [];
    const socket = net.connect(Number(port), hostname, () => socket.end(bytes));
    socket.on("data", (data) => received.push(data));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(received)));
  });
}
