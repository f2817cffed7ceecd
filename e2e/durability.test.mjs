// Acknowledged means durable: however the server ends, nothing acknowledged is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { createChannel, history, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const ACKS_BEFORE_THE_END = 100;

for (const [signal, how] of [["SIGTERM", "a graceful shutdown"], ["SIGKILL", "a crash"]]) {
  test(`${how} during sends loses nothing acknowledged`, async (t) => {
    const server = await startServer(t);
    const ada = await register(server, "ada");
    const channel = await createChannel(server, ada.token);
    const sockets = await Promise.all([1, 2, 3, 4].map(() => connect(t, server, ada.token)));

    const acknowledged = [];
    let sawEnough;
    const enough = new Promise((resolve) => (sawEnough = resolve));
    async function sendUntilTheEnd(socket, sender) {
      const ended = new Promise((resolve) => socket.once("disconnect", () => resolve()));
      for (let number = 0; socket.connected; number += 1) {
        const content = `${sender}-${number}`;
        const ack = socket.emitWithAck("sendMessage", { channelId: channel.id, content });
        const answer = await Promise.race([ack, ended]);
        if (answer?.data) acknowledged.push(answer.data);
        if (acknowledged.length === ACKS_BEFORE_THE_END) sawEnough();
      }
    }
    const senders = sockets.map(sendUntilTheEnd);
    await enough;
    await server.stop(signal);
    await Promise.all(senders);

    const again = await server.restart();
    const kept = new Map((await history(again, ada.token, channel.id)).map((message) => [message.id, message]));
    assert.ok(acknowledged.length >= ACKS_BEFORE_THE_END);
    for (const message of acknowledged) {
      assert.equal(kept.get(message.id)?.content, message.content, `lost ${message.content}`);
      assert.equal(kept.get(message.id).seq, message.seq);
    }
    const sequence = [...kept.values()].map((message) => message.seq);
    assert.deepEqual(sequence, sequence.map((_, index) => index + 1), "the sequence has no gap");
  });
}

test("a graceful shutdown ends with success and says goodbye to idle clients", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const socket = await connect(t, server, ada.token);
  const lost = new Promise((resolve) => socket.once("disconnect", resolve));
  assert.equal(await server.stop("SIGTERM"), 0);
  // Not "io server disconnect": the client is to come back by itself.
  assert.match(await lost, /^transport (close|error)$/);
});
