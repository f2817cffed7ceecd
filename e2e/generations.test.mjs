// The stock clients of earlier generations: 3.x as it is, 2.x where the server allows Engine.IO 3.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";

import { io as latest } from "socket.io-client";
import parser from "socket.io-msgpack-parser";

import { collect, connection, next, TRANSPORTS } from "./support/client.mjs";
import { createChannel, register } from "./support/rest.mjs";
import { startExample, startServer } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const require = createRequire(import.meta.url);
const GENERATIONS = {
  3: { io: require("socket.io-client-3").io, flags: [] },
  2: { io: require("socket.io-client-2"), flags: ["--allow-eio3"] },
};

for (const [generation, { io, flags }] of Object.entries(GENERATIONS)) {
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    describe(`socket.io-client ${generation}.x over ${name}`, () => {
      test("events, acks both ways and binary", async (t) => {
        const server = await start(t, flags);
        const socket = await open(t, io, server.url, { transports });
        socket.on("question", (value, answer) => answer([value, "indeed"]));
        const values = [null, true, -1.5, "caf\u00e9 \u2028 \u{1f600}", [], { a: [1, { b: [null] }] }];
        for (const value of values) {
          assert.deepEqual(await echo(socket, "message", value), value);
          assert.deepEqual(await call(socket, "message-with-ack", value), value);
          assert.deepEqual(await call(socket, "ask", value), [value, "indeed"]);
        }
        for (const size of [0, 1, 125, 126, 65_536, 300_000]) {
          const bytes = Buffer.alloc(size, (size % 251) + 1);
          const echoed = await echo(socket, "message", { parts: [bytes, "and", bytes] });
          assert.ok(bytes.equals(Buffer.from(echoed.parts[0])) && bytes.equals(Buffer.from(echoed.parts[2])), `${size} bytes`);
          assert.ok(bytes.equals(Buffer.from(await call(socket, "message-with-ack", bytes))), `${size} bytes`);
        }
        assert.equal(socket.io.engine.transport.name, transports.at(-1));
      });

      test("many events, in order", async (t) => {
        const server = await start(t, flags);
        const socket = await open(t, io, server.url, { transports });
        const numbers = Array.from({ length: 300 }, (_, number) => number);
        const heard = [];
        const all = new Promise((resolve) =>
          socket.on("message-back", (number) => heard.push(number) === numbers.length && resolve()),
        );
        numbers.forEach((number) => socket.emit("message", number));
        await all;
        assert.deepEqual(heard, numbers);
      });

      test("namespaces, with what each was given", async (t) => {
        const server = await start(t, flags);
        const given = generation === "2" ? `${server.url}/custom?token=abc` : `${server.url}/custom`;
        const options = { transports, auth: { token: "abc" } };
        const socket = make(t, io, given, options);
        const auth = next(socket, "auth");
        socket.connect();
        assert.deepEqual(await auth, [{ token: "abc" }]);
        assert.equal(await echo(socket, "message", "in custom"), "in custom");
        socket.disconnect();
        const other = make(t, io, `${server.url}/nowhere`, { transports });
        const refused = new Promise((resolve) => other.on(generation === "2" ? "error" : "connect_error", resolve));
        other.connect();
        const error = await refused;
        assert.equal(error.message, "Invalid namespace");
      });

      test("comes back to a server that restarts, and is refused by one that does not know its token", async (t) => {
        const configuration = generation === "2" ? { ROOMKEY__ENGINE__ALLOW_EIO3: "true" } : {};
        const server = await startServer(t, { env: configuration });
        const extraHeaders = { authorization: `Bearer ${token("ada")}` };
        const options = { transports, extraHeaders, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
        // A browser cannot send this header over a WebSocket; Node can.
        const withHeaders = { ...options, transportOptions: { polling: { extraHeaders }, websocket: { extraHeaders } } };
        const socket = await open(t, io, server.url, withHeaders);
        const lost = next(socket, "disconnect");
        assert.equal(await server.stop("SIGTERM"), 0);
        assert.match((await lost)[0], /^transport (close|error)$/);
        const back = next(socket, "connect");
        await server.restart();
        await back;

        const stranger = make(t, io, server.url, { transports });
        const refused = new Promise((resolve) => stranger.on(generation === "2" ? "error" : "connect_error", resolve));
        stranger.connect();
        const error = await refused;
        assert.equal((error.data ?? error).code, "TOKEN_MISSING");
      });
    });
  }
}

test("one channel for all generations, over every transport, with msgpack, too", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__ENGINE__ALLOW_EIO3: "true", ROOMKEY__ENGINE__MSGPACK: "true" } });
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const kinds = [{ io: GENERATIONS[2].io }, { io: GENERATIONS[3].io }, { io: latest }, { io: latest, parser }];
  const extraHeaders = { authorization: `Bearer ${ada.token}` };
  const transportOptions = { polling: { extraHeaders }, websocket: { extraHeaders } };
  const members = await Promise.all(
    kinds.flatMap(({ io, parser }) =>
      Object.values(TRANSPORTS).map((transports) =>
        open(t, io, server.url, { transports, extraHeaders, transportOptions, ...(parser && { parser }) }),
      ),
    ),
  );
  const heard = members.map((member) => collect(member, "message.created", members.length));
  for (const [index, member] of members.entries()) {
    const ack = await call(member, "sendMessage", { channelId: channel.id, content: `from ${index} \u2693` });
    assert.equal(ack.error, undefined, JSON.stringify(ack));
  }
  for (const messages of await Promise.all(heard)) {
    assert.deepEqual(messages.map(({ content }) => content), members.map((_, index) => `from ${index} \u2693`));
  }
});

test("without the setting, a client of 2.x hears that its protocol is not supported", async (t) => {
  const server = await start(t, []);
  for (const transports of Object.values(TRANSPORTS)) {
    const socket = make(t, GENERATIONS[2].io, server.url, { transports });
    const refused = new Promise((resolve) => socket.on("connect_error", resolve));
    socket.connect();
    await refused;
  }
});

function start(t, flags) {
  return startExample(t, "protocol_server", ["--port", "0", ...flags]);
}

/** A client that has not yet been told to connect; disconnected when the test `t` ends. */
function make(t, io, url, options) {
  const socket = io(url, { forceNew: true, reconnection: false, autoConnect: false, ...options });
  t.after(() => socket.disconnect());
  return socket;
}

/** A connected client; upgraded, if it is to be. */
async function open(t, io, url, options) {
  const socket = make(t, io, url, options);
  const connected = connection(socket);
  socket.connect();
  await connected;
  if (options.transports.length > 1 && socket.io.engine.transport.name !== "websocket") {
    await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  }
  return socket;
}

async function echo(socket, event, value) {
  const back = next(socket, "message-back");
  socket.emit(event, value);
  return (await back)[0];
}

function call(socket, event, value) {
  return new Promise((resolve) => socket.emit(event, value, resolve));
}
