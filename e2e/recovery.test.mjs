// Connection state recovery with the stock client: whoever comes back soon is the same socket, and has missed nothing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { client, connect, connection, next, TRANSPORTS } from "./support/client.mjs";
import { startProxy } from "./support/proxy.mjs";
import { createChannel, register } from "./support/rest.mjs";
import { startExample, startServer } from "./support/server.mjs";
import { expiredToken, forgedToken, token } from "./support/tokens.mjs";

const RECOVERY = { env: { ROOMKEY__ENGINE__RECOVERY: "true" } };

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(`over ${name}`, () => {
    test("before any event was received", async (t) => {
      const { bob, say, heard } = await conversation(t, { transports });
      const id = bob.id;
      await drop(bob);
      await say("missed");
      await comeBack(bob);
      assert.ok(bob.recovered);
      assert.equal(bob.id, id);
      assert.deepEqual(await heard(1), ["missed"]);
    });

    test("again and again, without gap or duplicate", async (t) => {
      const { bob, say, heard } = await conversation(t, { transports });
      const id = bob.id;
      const said = [];
      for (let round = 0; round < 4; round += 1) {
        for (const when of ["there", "away", "away too"]) {
          if (when === "away") {
            await heard(said.length);
            await drop(bob);
          }
          said.push(`${when} ${round}`);
          await say(said.at(-1));
        }
        await comeBack(bob);
        assert.ok(bob.recovered);
        assert.equal(bob.id, id);
      }
      await say("the end");
      assert.deepEqual(await heard(said.length + 1), [...said, "the end"]);
    });

    test("more than a poll carries", async (t) => {
      const { bob, say, heard } = await conversation(t, { transports });
      await drop(bob);
      const said = Array.from({ length: 100 }, (_, number) => `number ${number}`);
      for (const content of said) await say(content);
      await comeBack(bob);
      assert.ok(bob.recovered);
      assert.deepEqual(await heard(said.length), said);
    });

    test("not with a token that is no good any more", async (t) => {
      for (const [bad, code] of [[expiredToken, "TOKEN_EXPIRED"], [forgedToken, "TOKEN_INVALID"]]) {
        const { server, say } = await conversation(t, { transports });
        const tokens = [token("eve"), bad("eve"), token("eve")];
        const eve = client(t, server, { transports, auth: (send) => send({ token: tokens.shift() }) });
        const connected = connection(eve);
        eve.connect();
        await connected;
        const id = eve.id;
        await drop(eve);
        await say("not for eve");
        const refused = connection(eve);
        eve.connect();
        await assert.rejects(refused, (error) => error.data.code === code);
        // Nothing is lost by that: with a good token she is who she was.
        await comeBack(eve);
        assert.equal(eve.recovered && eve.id, id);
      }
    });

    test("over a clean restart of the server", async (t) => {
      const { server, ada, bob, say, heard } = await conversation(t, { transports });
      const id = bob.id;
      await say("before");
      assert.deepEqual(await heard(1), ["before"]);
      await drop(bob);
      await say("missed");
      const lost = next(ada, "disconnect");
      assert.equal(await server.stop("SIGTERM"), 0);
      await lost;
      await server.restart();
      await comeBack(ada);
      await say("after the restart");
      await comeBack(bob);
      assert.ok(bob.recovered);
      assert.equal(bob.id, id);
      assert.deepEqual(await heard(3), ["before", "missed", "after the restart"]);
    });
  });
}

test("what was on its way when the network failed, with binary", async (t) => {
  const server = await startExample(t, "protocol_server", ["--port", "0", "--recovery"]);
  const proxy = await startProxy(t, server);
  const socket = await connect(t, proxy, "any", { transports: ["websocket"] });
  const id = socket.id;
  const heard = [];
  const all = new Promise((resolve) => socket.on("message-back", (value) => heard.push(value) === 4 && resolve()));
  const first = next(socket, "message-back");
  socket.emit("message", "heard");
  await first;
  proxy.mute();
  socket.emit("message", { bytes: Buffer.from([0, 1, 255]) });
  socket.emit("message", Buffer.alloc(0));
  socket.emit("message", "marker");
  await proxy.lost("marker");
  const lost = next(socket, "disconnect");
  proxy.cut();
  await lost;
  await comeBack(socket);
  await all;
  assert.equal(socket.recovered && socket.id, id);
  assert.deepEqual(heard, ["heard", { bytes: Buffer.from([0, 1, 255]) }, Buffer.alloc(0), "marker"]);
});

test("a client that leaves by itself is not waited for", async (t) => {
  const { bob } = await conversation(t, {});
  const id = bob.id;
  bob.disconnect();
  await comeBack(bob);
  assert.ok(!bob.recovered);
  assert.notEqual(bob.id, id);
});

/** Ada talks in a channel, and Bob listens. */
async function conversation(t, { transports = ["websocket"] }) {
  const server = await startServer(t, RECOVERY);
  const [adaAccount, bobAccount] = await Promise.all([register(server, "ada"), register(server, "bob")]);
  const channel = await createChannel(server, adaAccount.token, [bobAccount.user.id]);
  const ada = await connect(t, server, adaAccount.token);
  const bob = await connect(t, server, bobAccount.token, { transports });
  const contents = [];
  let onMessage = () => {};
  bob.on("message.created", ({ content }) => {
    contents.push(content);
    onMessage();
  });
  return {
    server,
    ada,
    bob,
    say: async (content) => {
      const ack = await ada.emitWithAck("sendMessage", { channelId: channel.id, content });
      assert.equal(ack.error, undefined, JSON.stringify(ack));
    },
    /** What Bob has heard, once it is so many. */
    heard: (count) =>
      new Promise((resolve) => {
        onMessage = () => contents.length >= count && resolve([...contents]);
        onMessage();
      }),
  };
}

/** The client's connection is gone, and the client knows. */
async function drop(socket) {
  const lost = next(socket, "disconnect");
  socket.io.engine.close();
  await lost;
}

async function comeBack(socket) {
  const connected = connection(socket);
  socket.connect();
  await connected;
}
