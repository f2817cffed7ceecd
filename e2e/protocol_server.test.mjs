// What a test-suite of the Socket.IO protocol asks of a server, against the example that is made for that.

import assert from "node:assert/strict";
import { test } from "node:test";

import { client, collect, connection, next, TRANSPORTS } from "./support/client.mjs";
import { startExample } from "./support/server.mjs";
import { Poller, Wire } from "./support/wire.mjs";

const PING_INTERVAL_MS = 300;
const PING_TIMEOUT_MS = 200;

function start(t, ...flags) {
  return startExample(t, "protocol_server", ["--port", "0", ...flags]);
}

function startQuick(t) {
  return start(t, "--ping-interval", `${PING_INTERVAL_MS}`, "--ping-timeout", `${PING_TIMEOUT_MS}`);
}

test("both transports begin with what the server expects", async (t) => {
  const server = await start(t, "--ping-interval", "300", "--ping-timeout", "200", "--max-payload", "5000");
  const expected = { pingInterval: 300, pingTimeout: 200, maxPayload: 5000 };
  const { sid, ...overPolling } = (await Poller.open(server)).handshake;
  assert.match(sid, /^[\w-]{20,}$/);
  assert.deepEqual(overPolling, { upgrades: ["websocket"], ...expected });
  const { sid: other, ...overWebSocket } = (await Wire.open(t, server)).handshake;
  assert.match(other, /^[\w-]{20,}$/);
  assert.deepEqual(overWebSocket, { upgrades: [], ...expected });
});

test("a handshake that is not one is refused", async (t) => {
  const server = await start(t);
  for (const query of ["transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc"]) {
    assert.equal((await fetch(`${server.url}/socket.io/?${query}`)).status, 400, query);
  }
  const post = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { method: "POST" });
  assert.equal(post.status, 400);
  for (const query of ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4", "EIO=4&transport=abc"]) {
    assert.deepEqual(await new Wire(server, query).closed(), [], query);
  }
});

const CONNECTS = [
  ["40", "", "{}"],
  ['40{"token":"123"}', "", '{"token":"123"}'],
  ["40/,", "", "{}"],
  ["40/custom,", "/custom,", "{}"],
  ["40/custom", "/custom,", "{}"],
  ['40/custom,{"token":"abc","_placeholder":true}', "/custom,", '{"token":"abc","_placeholder":true}'],
];

for (const [connect, namespace, auth] of CONNECTS) {
  test(`${connect} is let in and sent its payload`, async (t) => {
    const server = await start(t);
    const wire = await Wire.open(t, server);
    wire.send(connect);
    const answer = await wire.next();
    assert.ok(answer.startsWith(`40${namespace}{`), answer);
    const { sid, ...rest } = JSON.parse(answer.slice(2 + namespace.length));
    assert.match(sid, /^[\w-]{20}$/);
    assert.notEqual(sid, wire.handshake.sid);
    assert.deepEqual(rest, {});
    assert.equal(await wire.next(), `42${namespace}["auth",${auth}]`);

    const poller = await Poller.open(server);
    assert.equal(await poller.send(connect), 200);
    const [again, event] = await poller.take(2);
    assert.ok(again.startsWith(`40${namespace}{"sid":`), again);
    assert.equal(event, `42${namespace}["auth",${auth}]`);
  });
}

test("a namespace that does not exist is refused, and the connection stays", async (t) => {
  const server = await start(t);
  const wire = await Wire.open(t, server);
  for (const name of ["/random", "/custom2", "/Custom", "/custom?token=abc"]) {
    wire.send(`40${name}`);
    assert.equal(await wire.next(), `44${name},{"message":"Invalid namespace"}`);
  }
  wire.send("40");
  assert.match(await wire.next(), /^40\{/);
});

test("CONNECT with something else than an object closes the connection", async (t) => {
  const server = await start(t);
  for (const packet of ["4abc", '40"text"', "40[]", "40null", "40{", "40/custom,1", '42["message"]', "41", "430[]"]) {
    const wire = await Wire.open(t, server);
    wire.send(packet);
    assert.deepEqual(await wire.closed(), [], packet);
  }
});

test("who joins nothing in time is disconnected", async (t) => {
  const server = await start(t, "--connect-timeout", "200");
  const wire = await Wire.open(t, server);
  wire.send("40/random");
  assert.equal((await wire.closed()).length, 1);
  const stays = await Wire.connected(t, server);
  const poller = await Poller.open(server);
  assert.deepEqual(await poller.poll(), ["1"]);
  assert.ok(await poller.isGone());
  stays.send('420["message-with-ack"]');
  assert.equal(await stays.next(), "430[]");
});

test("DISCONNECT ends one namespace, which can be joined again", async (t) => {
  const server = await start(t);
  for (const [namespace, other] of [["", "/custom,"], ["/custom,", ""]]) {
    const wire = await Wire.open(t, server);
    const ids = [];
    for (const name of [namespace, other, namespace]) {
      wire.send(`40${name}`);
      ids.push(JSON.parse((await wire.next()).slice(2 + name.length)).sid);
      await wire.next();
      if (ids.length === 2) wire.send(`41${namespace}`);
    }
    assert.equal(new Set(ids).size, 3);
    wire.send(`42${other}1["message-with-ack"]`);
    assert.equal(await wire.next(), `43${other}1[]`);
    wire.send(`41${namespace}`);
    wire.send(`42${namespace}["message"]`);
    assert.deepEqual(await wire.closed(), []);
  }
});

test("messages come back, and acks with the same arguments", async (t) => {
  const server = await start(t);
  const wire = await Wire.connected(t, server);
  const args = '1,"2",{"3":[true]},null,"\\u2028",[[]],{"_placeholder":true,"num":7}';
  wire.send(`42["message",${args}]`);
  assert.equal(await wire.next(), `42["message-back",${args}]`);
  wire.send('42["message"]');
  assert.equal(await wire.next(), '42["message-back"]');
  wire.send(`42456["message-with-ack",${args}]`);
  assert.equal(await wire.next(), `43456[${args}]`);
  wire.send('42789["message"]');
  wire.send('42["unknown"]');
  wire.send('420["message-with-ack"]');
  assert.equal(await wire.next(), '42["message-back"]');
  assert.equal(await wire.next(), "430[]");
});

test("binary data comes back, in events and in acks", async (t) => {
  const server = await start(t);
  const wire = await Wire.connected(t, server);
  const [one, two] = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];
  const args = '{"_placeholder":true,"num":0},{"a":{"_placeholder":true,"num":1}}';
  const exchanges = [
    [`452-["message",${args}]`, `452-["message-back",${args}]`],
    [`452-789["message-with-ack",${args}]`, `462-789[${args}]`],
  ];
  for (const [sent, back] of exchanges) {
    wire.send(sent);
    wire.send(one);
    wire.send(two);
    assert.equal(await wire.next(), back);
    assert.deepEqual(await wire.next(), one);
    assert.deepEqual(await wire.next(), two);
  }
  const poller = await Poller.open(server);
  await poller.send("40");
  await poller.take(2);
  await poller.send('451-["message",{"_placeholder":true,"num":0}]', "bAQID");
  assert.deepEqual(await poller.poll(), ['451-["message-back",{"_placeholder":true,"num":0}]', "bAQID"]);
});

const INVALID = [
  "4abc", "47", "42{}", "42[]", "42[null]", "42abc[]", '42["message"', '42["message",1]x', '42/custom,["message"]', '42/["message"]',
  '42-1["message"]', '421.5["message"]', "43", "430{}", "41{}", "40", "44", '42["disconnect"]', '42["connect_error"]',
  '451["message"]', '4511-["message"]', '451-1-["message"]', "2", "7", "x", "",
];

test("an invalid packet closes the connection", async (t) => {
  const server = await start(t);
  for (const packet of INVALID) {
    const wire = await Wire.connected(t, server);
    wire.send(packet);
    assert.deepEqual(await wire.closed(), [], packet);
    assert.equal(wire.closeCode, 1005, packet);
  }
  const unexpected = await Wire.connected(t, server);
  unexpected.send(Buffer.from([1]));
  assert.deepEqual(await unexpected.closed(), []);
  const instead = await Wire.connected(t, server);
  instead.send('451-["message",{"_placeholder":true,"num":0}]');
  instead.send('42["message"]');
  assert.deepEqual(await instead.closed(), []);
  const poller = await Poller.open(server);
  await poller.send("40");
  await poller.take(2);
  await poller.send("4abc");
  assert.deepEqual(await poller.poll(), ["1"]);
  assert.ok(await poller.isGone());
});

test("what is larger than the largest message closes the connection", async (t) => {
  const server = await start(t, "--max-payload", "1000");
  const fits = await Wire.connected(t, server);
  const text = (length) => `42["message","${"x".repeat(length - '42["message",""]'.length)}"]`;
  fits.send(text(1000));
  assert.equal(await fits.next(), text(1000).replace("message", "message-back"));
  fits.send(text(1001));
  assert.deepEqual(await fits.closed(), []);
  assert.equal(fits.closeCode, 1009);
  const poller = await Poller.open(server);
  assert.equal(await poller.send("6".repeat(1001)), 413);
});

test("who answers pings stays, and who does not is gone in time", async (t) => {
  const server = await startQuick(t);
  const wire = await Wire.connected(t, server);
  const silent = await Wire.connected(t, server);
  for (let pings = 0; pings < 3; pings += 1) {
    assert.equal(await wire.next(), "2");
    wire.send("3");
  }
  assert.deepEqual(await silent.closed(), ["2"]);
  const begun = performance.now();
  const poller = await Poller.open(server);
  assert.deepEqual(await poller.poll(), ["2"]);
  assert.ok(performance.now() - begun >= PING_INTERVAL_MS - 50);
  await poller.poll();
  assert.ok(await poller.isGone());
  assert.ok(performance.now() - begun >= PING_INTERVAL_MS + PING_TIMEOUT_MS - 50);
});

test("with --recovery a client that comes back is the same, and gets what it missed", async (t) => {
  const server = await start(t, "--recovery");
  const wire = await Wire.open(t, server);
  wire.send("40");
  const { sid, pid } = JSON.parse((await wire.next()).slice(2));
  assert.ok(pid && pid !== sid && pid !== wire.handshake.sid);
  const [event, auth, offset] = JSON.parse((await wire.next()).slice(2));
  assert.deepEqual([event, auth, typeof offset], ["auth", {}, "string"]);
  wire.socket.terminate();
  const again = await Wire.open(t, server);
  again.send(`40${JSON.stringify({ pid, offset })}`);
  assert.deepEqual(JSON.parse((await again.next()).slice(2)), { sid, pid });
});

test("with --allow-eio3 a client of Engine.IO 3 is in the main namespace by itself", async (t) => {
  for (const [flags, status] of [[[], 400], [["--allow-eio3"], 200]]) {
    const server = await start(t, ...flags);
    assert.equal((await fetch(`${server.url}/socket.io/?EIO=3&transport=polling`)).status, status);
  }
  const server = await start(t, "--allow-eio3");
  const wire = new Wire(server, "EIO=3&transport=websocket");
  t.after(() => wire.socket.terminate());
  assert.match(await wire.next(), /^0\{/);
  assert.equal(await wire.next(), "40");
  assert.equal(await wire.next(), '42["auth",{}]');
  wire.send('421["message-with-ack",1]');
  assert.equal(await wire.next(), "431[1]");
  wire.send("2");
  assert.equal(await wire.next(), "3");
  wire.send("40/custom?token=abc,");
  assert.equal(await wire.next(), "40/custom,");
  assert.equal(await wire.next(), '42/custom,["auth",{"token":"abc"}]');
});

test("an upgrade keeps what was sent meanwhile", async (t) => {
  const server = await start(t);
  const poller = await Poller.open(server);
  await poller.send("40");
  await poller.take(2);
  const wire = new Wire(server, `EIO=4&transport=websocket&sid=${poller.handshake.sid}`);
  t.after(() => wire.socket.terminate());
  await new Promise((resolve) => wire.socket.once("open", resolve));
  wire.send("2probe");
  assert.equal(await wire.next(), "3probe");
  await poller.send('42["message",1]');
  wire.send("5");
  wire.send('420["message-with-ack",2]');
  assert.equal(await wire.next(), '42["message-back",1]');
  assert.equal(await wire.next(), "430[2]");
  assert.ok(await poller.isGone(), "its requests are refused");
});

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  test(`the stock client, over ${name}`, async (t) => {
    const server = await start(t);
    for (const [nsp, auth] of [["", undefined], ["/custom", { token: "abc", n: 1 }]]) {
      const socket = client(t, { url: server.url + nsp }, { transports, auth });
      const [greeted, connected] = [next(socket, "auth"), connection(socket)];
      socket.connect();
      await connected;
      assert.deepEqual(await greeted, [auth ?? {}]);
      const args = [1, "2", { 3: [Buffer.from([1, 2])] }, null, Buffer.alloc(70_000, 7)];
      const back = next(socket, "message-back");
      socket.emit("message", ...args);
      assert.deepEqual(await back, args);
      const acked = await new Promise((resolve) => socket.emit("message-with-ack", ...args, (...got) => resolve(got)));
      assert.deepEqual(acked, args);
      const all = collect(socket, "message-back", 200);
      for (let number = 0; number < 200; number += 1) socket.emit("message", number);
      assert.deepEqual(await all, Array.from({ length: 200 }, (_, number) => number));
    }
    const stranger = client(t, { url: `${server.url}/random` }, { transports });
    const refused = connection(stranger).then(() => assert.fail("it was let in"), (error) => error);
    stranger.connect();
    assert.equal((await refused).message, "Invalid namespace");
  });
}
