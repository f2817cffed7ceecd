// A program that uses the library, with handlers of its own: events, acks, binary, rooms.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, connect, next, refusal, TRANSPORTS } from "./support/client.mjs";
import { startExample } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

/** The secret that `bench_server` and its peers share with the load test. */
const ada = token("ada", {}, "perf-secret-perf-secret-perf-secret-32");

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`values come back in the ack as they went, over ${name}`, async (t) => {
    const server = await startExample(t, "bench_server");
    const socket = await connect(t, server, ada, { transports });
    const values = [null, true, 0, -1.5, "", "Ahoy ⚓ \u2028", [], {}, [1, [2, { three: [null] }]], { _placeholder: false }];
    for (const value of values) {
      assert.deepEqual(await socket.emitWithAck("echo", value), value);
    }
  });

  test(`binary goes in and out, over ${name}`, async (t) => {
    const server = await startExample(t, "bench_server");
    const socket = await connect(t, server, ada, { transports });
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      const bytes = Buffer.alloc(size, (size % 251) + 1);
      const echoed = await socket.emitWithAck("echo", { name: "file", parts: [bytes, "and", bytes] });
      assert.equal(echoed.name, "file");
      assert.equal(echoed.parts[1], "and");
      assert.ok(bytes.equals(Buffer.from(echoed.parts[0])) && bytes.equals(Buffer.from(echoed.parts[2])), `${size} bytes`);
    }
  });
}

test("a room hears a broadcast, binary too, over every transport; others do not", async (t) => {
  const server = await startExample(t, "bench_server");
  const members = await Promise.all(Object.values(TRANSPORTS).map((transports) => connect(t, server, ada, { transports })));
  const outsider = await connect(t, server, ada);
  let overheard = 0;
  outsider.on("msg", () => (overheard += 1));
  for (const member of members) {
    assert.equal(await member.emitWithAck("join", "harbour"), "ok");
  }
  const text = members.map((member) => next(member, "msg"));
  outsider.emit("bcast", "harbour", { from: "outside" });
  for (const [payload] of await Promise.all(text)) {
    assert.deepEqual(payload, { from: "outside" });
  }
  const bytes = Buffer.from([0, 1, 2, 254, 255]);
  const binary = members.map((member) => next(member, "msg"));
  outsider.emit("bcast", "harbour", { bytes });
  for (const [payload] of await Promise.all(binary)) {
    assert.ok(bytes.equals(Buffer.from(payload.bytes)));
  }
  await outsider.emitWithAck("echo", "after whatever was on its way");
  assert.equal(overheard, 0);
});

test("what one socket broadcasts arrives in order, around its own acks too", async (t) => {
  const server = await startExample(t, "bench_server");
  const socket = await connect(t, server, ada);
  await socket.emitWithAck("join", "harbour");
  const heard = collect(socket, "msg", 500);
  for (let number = 0; number < 500; number += 1) {
    socket.emit("bcast", "harbour", number);
  }
  assert.deepEqual(await heard, Array.from({ length: 500 }, (_, number) => number));
});

test("the library's server refuses tokens as the binary does", async (t) => {
  const server = await startExample(t, "bench_server");
  const error = await refusal(t, server, { transports: ["websocket"], auth: { token: token("ada") } });
  assert.equal(error.message, "Authentication error: Invalid token");
  const missing = await refusal(t, server, { transports: ["websocket"] });
  assert.match(missing.message, /^Authentication error: /);
});
