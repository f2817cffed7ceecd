// Clients that speak msgpack. generations.test.mjs has them in one channel with others.

import assert from "node:assert/strict";
import { test } from "node:test";

import parser from "socket.io-msgpack-parser";

import { connect, next, refusal, TRANSPORTS } from "./support/client.mjs";
import { startExample, startServer } from "./support/server.mjs";

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`events, acks, binary and refusals over ${name}`, async (t) => {
    const server = await startExample(t, "protocol_server", ["--port", "0", "--msgpack"]);
    const socket = await connect(t, server, "abc", { transports, parser });
    socket.on("question", (value, answer) => answer([value, "indeed"]));
    const values = [null, true, 0, -1, 255, 65_536, 4_294_967_296, -1.5, "", "Ahoy \u2693", [], { a: [{ b: [null] }] }];
    for (const value of values) {
      const back = next(socket, "message-back");
      socket.emit("message", value, "second");
      assert.deepEqual(await back, [value, "second"]);
      assert.deepEqual(await socket.emitWithAck("message-with-ack", value), value);
      assert.deepEqual(await socket.emitWithAck("ask", value), [value, "indeed"]);
    }
    for (const size of [0, 1, 255, 256, 65_536, 300_000]) {
      const bytes = Buffer.alloc(size, (size % 251) + 1);
      const echoed = await socket.emitWithAck("message-with-ack", { parts: [bytes, "and", bytes] });
      assert.equal(echoed.parts[1], "and");
      assert.ok(bytes.equals(Buffer.from(echoed.parts[0])) && bytes.equals(Buffer.from(echoed.parts[2])), `${size} bytes`);
    }
    const nowhere = { ...server, url: `${server.url}/nowhere` };
    assert.equal((await refusal(t, nowhere, { transports, parser })).message, "Invalid namespace");
  });
}

test("a token is asked for in msgpack, too", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__ENGINE__MSGPACK: "true" } });
  const error = await refusal(t, server, { transports: ["websocket"], parser });
  assert.equal(error.data.code, "TOKEN_MISSING");
});
