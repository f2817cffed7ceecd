import assert from "node:assert/strict";
import { test } from "node:test";

import type { Client, Message } from "../src/index.js";
import { refusal, refused } from "./support/server.js";
import { type World, world } from "./support/world.js";

/** Follows a channel into a list. */
function following(client: Client, channelId = "c1", after = 0) {
  const seen: Message[] = [];
  const end = new AbortController();
  const done = (async () => {
    for await (const message of client.follow(channelId, { after, signal: end.signal })) seen.push(message);
  })();
  done.catch(() => undefined);
  return { seqs: () => seen.map(({ seq }) => seq), end: () => end.abort(), done };
}

async function connected(world: World): Promise<Client> {
  const one = world.client();
  one.connect();
  await world.clock.advance();
  return one;
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("history and what is written meanwhile are one stream", async () => {
  const all = world();
  const { clock, server } = all;
  for (let count = 0; count < 120; count += 1) server.write("c1", "old");
  const one = await connected(all);
  const usual = server.handlers["message:history"]!;
  server.handlers["message:history"] = async (payload, socket) => {
    const page = usual(payload, socket);
    // Written after the page was read, announced before it arrives.
    if (server.messages.length < 125) server.write("c1", "live");
    return page;
  };
  const stream = following(one);
  await clock.advance();
  server.write("c1", "later");
  await clock.advance();
  assert.deepEqual(stream.seqs(), upTo(server.messages.length));
  stream.end();
  await stream.done;
  assert.equal(server.messages.length, 124);
});

test("a live message with one missing before it waits for that one", async () => {
  const all = world();
  const { clock, server } = all;
  const one = await connected(all);
  const stream = following(one);
  await clock.advance();
  const tell = server.tell;
  server.tell = () => undefined;
  server.write("c1", "unheard");
  server.tell = tell;
  server.write("c1", "heard");
  await clock.advance();
  assert.deepEqual(stream.seqs(), [1, 2]);
});

test("what was written while the connection was cut comes after it, before what is live", async () => {
  const all = world();
  const { clock, server } = all;
  const one = await connected(all);
  const stream = following(one);
  server.write("c1", "a");
  await clock.advance();
  server.sockets[0]!.drop();
  for (let count = 0; count < 60; count += 1) server.write("c1", "missed");
  const usual = server.handlers["message:history"]!;
  server.handlers["message:history"] = (payload, socket) => {
    server.handlers["message:history"] = usual;
    server.write("c1", "first live");
    return usual(payload, socket);
  };
  await clock.advance(500);
  assert.deepEqual(stream.seqs(), upTo(62));
});

test("a page that is refused for the moment is asked for again; one that is lost with the connection, too", async () => {
  const all = world();
  const { clock, server } = all;
  for (let count = 0; count < 3; count += 1) server.write("c1", "old");
  const one = await connected(all);
  const usual = server.handlers["message:history"]!;
  let asked = 0;
  server.handlers["message:history"] = (payload, socket) => {
    asked += 1;
    if (asked === 1) return refused("UNAVAILABLE", "after", 1_000);
    if (asked === 2) return (server.sockets[0]!.drop(), undefined);
    return usual(payload, socket);
  };
  const stream = following(one);
  await clock.advance(5_000);
  assert.deepEqual(stream.seqs(), [1, 2, 3]);
});

test("numbers that are gone for good stop nothing", async () => {
  const all = world();
  const { clock, server } = all;
  const one = await connected(all);
  for (let count = 0; count < 4; count += 1) server.write("c1", "old");
  server.messages.splice(1, 2);
  const stream = following(one);
  await clock.advance();
  assert.deepEqual(stream.seqs(), [1, 4]);
  // Announced with a number that the history knows nothing before of.
  server.tell("message.created", { ...server.messages[1], id: "x", seq: 9 });
  await clock.advance();
  assert.deepEqual(stream.seqs(), [1, 4, 9]);
  assert.ok(server.askedFor("message:history").length < 5);
});

test("a channel that cannot be read ends the stream with the reason", async () => {
  const all = world();
  all.server.handlers["message:history"] = () => refused("FORBIDDEN");
  const stream = following(await connected(all));
  await assert.rejects(stream.done, { code: "FORBIDDEN" });
});

test("a page that is shorter than it could be is not the end", async () => {
  const all = world();
  const { clock, server } = all;
  server.pageBytes = 16;
  for (let count = 0; count < 40; count += 1) server.write("c1", "x");
  const one = await connected(all);
  const stream = following(one);
  await clock.advance();
  server.write("c1", "live");
  await clock.advance();
  assert.deepEqual(stream.seqs(), upTo(41));
  server.sockets[0]!.drop();
  for (let count = 0; count < 40; count += 1) server.write("c1", "missed");
  await clock.advance(500);
  assert.deepEqual(stream.seqs(), upTo(81));
  server.write("c1", "live");
  await clock.advance();
  assert.deepEqual(stream.seqs(), upTo(82));
});

test("a channel in which much is written is not asked about for as long as that goes on", async () => {
  const all = world();
  const { clock, server } = all;
  server.write("c1", "old");
  const one = await connected(all);
  const usual = server.handlers["message:history"]!;
  server.handlers["message:history"] = (payload, socket) => {
    // Each page has what has just been announced.
    if (server.messages.length < 100) server.write("c1", "live");
    return usual(payload, socket);
  };
  const stream = following(one);
  await clock.advance();
  for (let count = 0; count < 5; count += 1) server.write("c1", "live");
  await clock.advance();
  assert.deepEqual(stream.seqs(), upTo(7));
  assert.equal(server.askedFor("message:history").length, 1);
});

test("what I sent before the connection was cut, and is confirmed after it, is not the end of what was missed", async () => {
  const all = world();
  const { clock, server } = all;
  server.pageBytes = 10;
  const one = await connected(all);
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  await clock.advance();
  const usual = server.handlers["sendMessage"]!;
  server.handlers["sendMessage"] = (payload, socket) => {
    server.handlers["sendMessage"] = usual;
    socket.drop();
    usual(payload, socket);
    return undefined;
  };
  void one.send("c1", "mine");
  await clock.advance();
  for (let count = 0; count < 40; count += 1) server.write("c1", "missed");
  await clock.advance(500);
  assert.deepEqual(
    channel.get().messages.map(({ seq }) => seq),
    upTo(41),
  );
});

test("whatever arrives in whatever order, each message comes once and in order", async () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const all = world();
    const { clock, server } = all;
    const random = randomFrom(seed);
    server.pageBytes = seed % 2 === 0 ? 16 : Infinity;
    const one = await connected(all);
    const usual = server.handlers["message:history"]!;
    server.handlers["message:history"] = (payload, socket) => {
      const page = usual(payload, socket);
      if (random() < 0.3) server.write("c1", "meanwhile");
      if (random() < 0.1) return refused("UNAVAILABLE", "after", 1_000);
      return page;
    };
    const tell = server.tell.bind(server);
    server.tell = (event, argument) => {
      if (random() < 0.8) tell(event, argument);
      if (random() < 0.2) tell(event, argument);
    };
    const stream = following(one);
    for (let step = 0; step < 40; step += 1) {
      const chance = random();
      if (chance < 0.6) for (let count = random() * 30; count > 0; count -= 1) server.write("c1", "x");
      else if (chance < 0.8 && server.sockets[0]!.connected) server.sockets[0]!.drop();
      else await clock.advance(random() * 1_000);
    }
    server.tell = tell;
    server.handlers["message:history"] = usual;
    await clock.advance(100_000);
    server.write("c1", "the end");
    await clock.advance();
    assert.deepEqual(stream.seqs(), upTo(server.messages.length), `seed ${seed}`);
    stream.end();
  }
});

/** Numbers from 0 to 1 that are the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("messages are read no faster than they are taken, and none is lost or kept in great number meanwhile", async () => {
  const all = world();
  const { clock, server } = all;
  for (let count = 0; count < 2_000; count += 1) server.write("c1", "old");
  const one = await connected(all);
  const end = new AbortController();
  const messages = one.follow("c1", { signal: end.signal });
  const taken: number[] = [];
  const take = async (count: number) => {
    for (; count > 0; count -= 1) taken.push(((await messages.next()).value as Message).seq);
    await clock.advance();
  };
  await take(1);
  assert.ok(server.askedFor("message:history").length <= 4);
  await take(1_999);
  // Now that it has caught up, more than anything here has room for is written.
  for (let count = 0; count < 2_000; count += 1) server.write("c1", "live");
  await take(1);
  const asked = server.askedFor("message:history").length;
  await clock.advance(60_000);
  assert.equal(server.askedFor("message:history").length, asked);
  await take(1_999);
  assert.ok(server.askedFor("message:history").length > asked, "what there was no room for comes from the history");
  server.write("c1", "live");
  await take(1);
  assert.deepEqual(taken, upTo(4_001));
  end.abort();
  assert.equal((await messages.next()).done, true);
});

test("who follows a channel hears that the client was closed, or was stopped before; until it is opened, it waits", async () => {
  const all = world();
  const { clock, server } = all;
  server.write("c1", "old");
  const one = all.client();
  const stream = following(one);
  await clock.advance();
  one.connect();
  await clock.advance();
  assert.deepEqual(stream.seqs(), [1]);
  one.close();
  await assert.rejects(stream.done, { code: "CLOSED" });
  server.admit = () => refusal("TOKEN_REVOKED");
  one.connect();
  await clock.advance();
  await assert.rejects(following(one).done, { code: "TOKEN_REVOKED" });
});

test("who follows a channel hears that the connection was stopped for good", async () => {
  const all = world();
  const { clock, server } = all;
  const stream = following(await connected(all));
  await clock.advance();
  server.tell("auth:revoked", { code: "TOKEN_REVOKED", reason: "blocked", message: "" });
  await assert.rejects(stream.done, { code: "TOKEN_REVOKED", reason: "blocked" });
  assert.equal(clock.pending, 0);
});
