// Packets that are nearly right, read by Roomkey and by the parser of the stock clients: what one refuses, the other does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Decoder, PacketType } from "socket.io-parser";

import { connect } from "./support/client.mjs";
import { startExample } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const ada = token("ada", {}, "perf-secret-perf-secret-perf-secret-32");

/** Socket.IO packets, from which the others are made. */
const PACKETS = [
  '2["echo",1,"two",{"three":[true,null,-4.5e6]}]',
  '212["echo",{"_placeholder":true,"num":0}]',
  '29007199254740991["echo"]',
  '2/,7["echo","\\u00e9\\n\\"",""]',
  '2[1,2]',
  '2["echo",{"__proto__":{"a":1},"constructor":[]}]',
  '2["echo",1e400,-0,18446744073709551616,0.1]',
  '2/other,["echo"]',
  '30["yes",2]',
  '3/,1[]',
  '0/other,{"token":"x"}',
  '0/other',
  '1',
  '4{"message":"x"}',
  '51-["echo",{"_placeholder":true,"num":0}]',
  '2["disconnect"]',
];

/** What Roomkey refuses although the parser does not, and why. */
const STRICTER = {
  "an ack id is an integer that JavaScript can hold, without zeros in front": /^[23](\/,)?(0\d|\d{16})/,
  "an ack id is digits only": /^[23](\/,)?\d* /,
  "an ack has an id": /^3(\/,)?\[/,
  "an event and an ack have a payload": /^[23](\/,)?\d*$/,
  "the name of an event is a string or an integer": /^2(\/,)?\d*\[\s*-?\d+[.eE]/,
};

/** Sent behind each packet: the answer shows that the connection lives. */
const SENTINEL = '2777777["echo"]';

test("whatever one of the two refuses, the other refuses, too", { timeout: 60_000 }, async (t) => {
  const server = await startExample(t, "bench_server");
  let socket = await connect(t, server, ada);
  const corpus = [...PACKETS, ...mutations(PACKETS, 1000)];
  let refused = 0;
  const differences = [];
  for (const packet of corpus) {
    const expected = read(packet);
    const answers = await exchange(socket, packet);
    if (answers === undefined) {
      refused += 1;
      socket.disconnect();
      socket = await connect(t, server, ada);
      const isStricter = expected && Object.values(STRICTER).some((pattern) => pattern.test(packet));
      if (expected && !isStricter) differences.push(`only Roomkey refuses ${JSON.stringify(packet)}`);
    } else if (!expected) {
      differences.push(`only the parser refuses ${JSON.stringify(packet)}`);
    } else {
      const isEcho = expected.type === PacketType.EVENT && expected.data[0] === "echo" && expected.id !== undefined;
      // As the parser reads it: numbers that JavaScript cannot hold arrive as they were sent.
      assert.deepEqual(answers, isEcho ? [expected.data.slice(1)] : [], packet);
    }
  }
  assert.deepEqual(differences, []);
  assert.ok(refused > 300 && refused < corpus.length - 300, `${refused} of ${corpus.length} refused`);
});

/** The packet as the parser reads it, if a server would go on after it. */
function read(text) {
  const packets = [];
  const decoder = new Decoder();
  decoder.on("decoded", (packet) => packets.push(packet));
  try {
    decoder.add(text);
    decoder.add(SENTINEL);
  } catch {
    return undefined;
  }
  const [packet] = packets;
  const isMain = packet.nsp === "/";
  switch (packet.type) {
    case PacketType.CONNECT:
      return isMain ? undefined : packet;
    case PacketType.EVENT:
    case PacketType.ACK:
      return isMain ? packet : undefined;
    default:
      return undefined;
  }
}

/** The arguments of all acks to this packet; none if the server closes the connection instead. */
function exchange(socket, packet) {
  const engine = socket.io.engine;
  return new Promise((resolve) => {
    const acks = [];
    const decoder = new Decoder();
    decoder.on("decoded", ({ type, id, data }) => {
      if (id === 777777) finish(acks);
      else if (type === PacketType.ACK) acks.push(data);
    });
    const look = (data) => decoder.add(data);
    const close = () => finish(undefined);
    function finish(outcome) {
      engine.off("data", look);
      engine.off("close", close);
      resolve(outcome);
    }
    engine.on("data", look);
    engine.on("close", close);
    for (const text of [packet, SENTINEL]) engine.transport.ws.send(`4${text}`);
  });
}

/** Each with a few characters left out, put in, doubled or changed; the same ones every time. */
function* mutations(seeds, count) {
  const characters = '0123456789-/,[]{}":.eE+\\ntrue _\u00e9\u2028\ud83d';
  let state = 20261120;
  const below = (limit) => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * limit);
  };
  for (let made = 0; made < count; made += 1) {
    let text = seeds[below(seeds.length)];
    for (let changes = 1 + below(3); changes > 0; changes -= 1) {
      const at = below(text.length + 1);
      const put = [characters[below(characters.length)], text.slice(at, at + below(4)), ""][below(3)];
      text = text.slice(0, at) + put + text.slice(at + below(2));
    }
    // What is no text cannot be sent as text.
    if (text.isWellFormed?.() ?? true) yield text;
  }
}
