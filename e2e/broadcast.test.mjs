// Many listeners over every transport at once: all of them see everything, once, in order.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, connect, TRANSPORTS } from "./support/client.mjs";
import { createChannel, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const LISTENERS = 50;
const MESSAGES = 200;

test(`${LISTENERS} clients see ${MESSAGES} messages of two senders in sequence order`, async (t) => {
  const server = await startServer(t);
  const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
  const channel = await createChannel(server, ada.token, [bob.user.id]);
  const ways = Object.values(TRANSPORTS);
  const listeners = await Promise.all(
    Array.from({ length: LISTENERS }, (_, index) =>
      connect(t, server, index % 2 ? ada.token : bob.token, { transports: ways[index % ways.length] }),
    ),
  );
  const heard = listeners.map((listener) => collect(listener, "message.created", MESSAGES));

  const senders = [listeners[0], listeners[1]];
  const acks = await Promise.all(
    Array.from({ length: MESSAGES }, (_, index) =>
      senders[index % 2].emitWithAck("sendMessage", { channelId: channel.id, content: `number ${index}` }),
    ),
  );
  const sequence = Array.from({ length: MESSAGES }, (_, index) => index + 1);
  const bySequence = new Map(acks.map(({ data }) => [data.seq, data.id]));
  for (const messages of await Promise.all(heard)) {
    assert.deepEqual(messages.map((message) => message.seq), sequence);
    assert.deepEqual(messages.map((message) => message.id), sequence.map((seq) => bySequence.get(seq)));
  }
  // One sender's messages keep the order in which they were sent.
  for (const parity of [0, 1]) {
    const sent = acks.filter((_, index) => index % 2 === parity).map(({ data }) => data.seq);
    assert.deepEqual(sent, sent.toSorted((a, b) => a - b));
  }
});
