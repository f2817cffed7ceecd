// What a test-suite of the Engine.IO protocol asks of a server, against the example that is made for that.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startExample } from "./support/server.mjs";
import { Poller, Wire } from "./support/wire.mjs";

const QUICK = ["--ping-interval", "300", "--ping-timeout", "200"];
/** For clients that answer, which may be slow on a loaded machine. */
const PATIENT = ["--ping-interval", "300", "--ping-timeout", "5000"];

async function start(t, ...flags) {
  const server = await startExample(t, "engine_server", ["--port", "0", ...flags]);
  return { ...server, path: "/engine.io/" };
}

test("both transports begin with what the server expects", async (t) => {
  const server = await start(t, ...QUICK, "--max-payload", "5000");
  const expected = { pingInterval: 300, pingTimeout: 200, maxPayload: 5000 };
  const { sid, ...overPolling } = (await Poller.open(server)).handshake;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(overPolling, { upgrades: ["websocket"], ...expected });
  const { sid: other, ...overWebSocket } = (await Wire.open(t, server)).handshake;
  assert.notEqual(other, sid);
  assert.deepEqual(overWebSocket, { upgrades: [], ...expected });
});

test("a request that makes no sense is refused", async (t) => {
  const server = await start(t, "--allow-eio3");
  for (const query of ["transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc"]) {
    assert.equal((await fetch(`${server.url}/engine.io/?${query}`)).status, 400, query);
    assert.deepEqual(await new Wire(server, query.replace("polling", "websocket")).closed(), [], query);
  }
  for (const method of ["POST", "PUT"]) {
    const response = await fetch(`${server.url}/engine.io/?EIO=4&transport=polling`, { method });
    assert.equal(response.status, 400, method);
  }
  assert.equal((await fetch(`${server.url}/engine.io/?EIO=4&transport=polling&sid=abc`)).status, 400);
  assert.equal((await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).status, 404);
});

test("every page may connect", async (t) => {
  const server = await start(t);
  const headers = { origin: "https://anywhere.example" };
  const response = await fetch(`${server.url}/engine.io/?EIO=4&transport=polling`, { headers });
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
});

test("messages come back over long-polling", async (t) => {
  const poller = await Poller.open(await start(t));
  assert.equal(await poller.send("4hello", "4é", "bAQIDBA=="), 200);
  assert.deepEqual(await poller.take(3), ["4hello", "4é", "bAQIDBA=="]);
  assert.equal(await poller.send("abc"), 400);
  assert.ok(await poller.isGone());
});

test("messages come back over a WebSocket", async (t) => {
  const wire = await Wire.open(t, await start(t));
  wire.send("4hello");
  assert.equal(await wire.next(), "4hello");
  wire.send(Buffer.from([1, 2, 3, 4]));
  assert.deepEqual(await wire.next(), Buffer.from([1, 2, 3, 4]));
  wire.send("abc");
  assert.deepEqual(await wire.closed(), []);
});

test("an upgrade takes over, and nothing else is heard from then on", async (t) => {
  const server = await start(t);
  const poller = await Poller.open(server);
  const wire = new Wire(server, `EIO=4&transport=websocket&sid=${poller.handshake.sid}`);
  t.after(() => wire.socket.terminate());
  await new Promise((resolve) => wire.socket.once("open", resolve));
  wire.send("2probe");
  assert.equal(await wire.next(), "3probe");
  wire.send("5");
  wire.send("4hello");
  assert.equal(await wire.next(), "4hello");
  assert.ok(await poller.isGone());
  assert.deepEqual(await new Wire(server, `EIO=4&transport=websocket&sid=${poller.handshake.sid}`).closed(), []);
});

test("who answers pings stays, and who does not is gone", async (t) => {
  const [strict, patient] = [await start(t, ...QUICK), await start(t, ...PATIENT)];
  const [lively, silent] = [await Wire.open(t, patient), await Wire.open(t, strict)];
  const poller = await Poller.open(strict);
  for (let ping = 0; ping < 3; ping++) {
    assert.equal(await lively.next(), "2");
    lively.send("3");
  }
  assert.deepEqual(await silent.closed(), ["2"]);
  assert.ok(await poller.isGone());
});

test("two polls at once end the session", async (t) => {
  const server = await start(t);
  const doubled = await Poller.open(server);
  const answers = await Promise.all([fetch(doubled.target), fetch(doubled.target)]);
  assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 400]);
  assert.ok(await doubled.isGone());
});

test("clients of revision 3 send the pings", async (t) => {
  const server = await start(t, "--allow-eio3", ...PATIENT);
  const wire = new Wire(server, "EIO=3&transport=websocket");
  t.after(() => wire.socket.terminate());
  assert.match(await wire.next(), /^0\{/);
  wire.send("2");
  assert.equal(await wire.next(), "3");
  wire.send("4hello");
  assert.equal(await wire.next(), "4hello");
  wire.send(Buffer.from([4, 1, 2, 3]));
  assert.deepEqual(await wire.next(), Buffer.from([4, 1, 2, 3]));
  assert.deepEqual(await wire.closed(), []);
});
