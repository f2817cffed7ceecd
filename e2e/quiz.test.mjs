// The example with namespaces by pattern, rooms, state and acks of broadcasts, played by stock clients.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, next, refusal, TRANSPORTS } from "./support/client.mjs";
import { startExample } from "./support/server.mjs";

function start(t) {
  return startExample(t, "quiz", ["0"]);
}

/** A player in a game; plays over any transport. */
function player(t, server, game, name, transports = ["websocket"]) {
  return connect(t, { url: `${server.url}/quiz-${game}` }, undefined, { auth: { name }, transports });
}

test("a question goes to all others, over every transport, and their answers come back", async (t) => {
  const server = await start(t);
  const asker = await player(t, server, 1, "ada");
  const others = await Promise.all(Object.values(TRANSPORTS).map((over, n) => player(t, server, 1, `player ${n}`, over)));
  others.forEach((other, n) => other.on("question", (question, answer) => answer({ n, question })));
  asker.on("question", () => assert.fail("nobody asks themselves"));
  const { answers, missing } = await asker.emitWithAck("ask", "why?", 60_000);
  assert.equal(missing, 0);
  const byNumber = answers.sort((a, b) => a.n - b.n);
  assert.deepEqual(byNumber, others.map((_, n) => ({ n, question: "why?" })));
});

test("who does not answer, or leaves instead, is missing", async (t) => {
  const server = await start(t);
  const [asker, quick, mute, gone] = await Promise.all(["a", "b", "c", "d"].map((name) => player(t, server, 1, name)));
  quick.on("question", (_, answer) => answer("quick"));
  gone.on("question", () => gone.disconnect());
  assert.deepEqual(await asker.emitWithAck("ask", "?", 500), { answers: ["quick"], missing: 2 });
  mute.on("question", () => mute.disconnect());
  // Nobody is left to wait for: this ends before the time is up.
  assert.deepEqual(await asker.emitWithAck("ask", "?", 60_000), { answers: ["quick"], missing: 1 });
  const left = new Promise((resolve) => asker.on("left", (name) => name === "b" && resolve()));
  quick.disconnect();
  await left;
  assert.deepEqual(await asker.emitWithAck("ask", "?", 60_000), { answers: [], missing: 0 });
});

test("games do not hear of each other", async (t) => {
  const server = await start(t);
  const ada = await player(t, server, "x", "ada");
  const joined = next(ada, "joined");
  const bob = await player(t, server, "y", "bob");
  for (const socket of [ada, bob]) assert.equal(await socket.emitWithAck("team", "red"), true);
  bob.on("whispered", () => assert.fail("that is another red team"));
  assert.equal(await ada.emitWithAck("whisper", "psst"), true);
  assert.deepEqual(await ada.emitWithAck("ask", "anybody there?", 60_000), { answers: [], missing: 0 });
  const cleo = await player(t, server, "x", "cleo");
  assert.deepEqual(await joined, ["cleo"]);
  await cleo.emitWithAck("team", "red");
  const heard = next(cleo, "whispered");
  await ada.emitWithAck("whisper", "psst");
  assert.deepEqual(await heard, ["psst"]);
  const left = next(ada, "left");
  cleo.disconnect();
  assert.deepEqual(await left, ["cleo"]);
});

test("nobody plays without a name, or elsewhere", async (t) => {
  const server = await start(t);
  const nameless = await refusal(t, { url: `${server.url}/quiz-1` }, { transports: ["websocket"] });
  assert.deepEqual([nameless.message, nameless.data.code], ["Please tell your name", "BAD_PAYLOAD"]);
  const lost = await refusal(t, { url: `${server.url}/quizzes` }, { transports: ["websocket"], auth: { name: "ada" } });
  assert.equal(lost.message, "Invalid namespace");
});
