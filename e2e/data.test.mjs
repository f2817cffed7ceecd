// What operators do with the data of a running server: export and erase a user's, copy all of it.

import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";

import { collect, connect, next, refusal } from "./support/client.mjs";
import { createChannel, expectStatus, history, PASSWORD, register, request } from "./support/rest.mjs";
import { runBinary, startServer, temporaryDirectory } from "./support/server.mjs";

async function roomkey(t, server, ...args) {
  const { code, stdout, stderr } = await runBinary(t, [...args, "--data-dir", server.dataDir]);
  assert.equal(code, 0, stderr);
  return stdout;
}

test("a user's data is exported and erased while the server runs", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
  const channel = await createChannel(server, ada.token, [bob.user.id]);
  const [adaSocket, bobSocket] = [await connect(t, server, ada.token), await connect(t, server, bob.token)];
  const contents = Array.from({ length: 300 }, (_, number) => `secret of Ada's, number ${number}`);
  for (const content of contents) {
    await adaSocket.emitWithAck("sendMessage", { channelId: channel.id, content });
  }
  await bobSocket.emitWithAck("sendMessage", { channelId: channel.id, content: "mine" });

  const data = JSON.parse(await roomkey(t, server, "user", "export", "ada"));
  assert.equal(data.account.email, "ada@example.com");
  assert.equal(data.sessions.length, 1);
  assert.deepEqual(data.channels.map(({ id, role }) => [id, role]), [[channel.id, "owner"]]);
  assert.deepEqual(data.messages.map((message) => message.content), contents);

  const [told, deleted] = [next(adaSocket, "auth:revoked"), collect(bobSocket, "message.deleted", contents.length)];
  const erased = JSON.parse(await roomkey(t, server, "user", "erase", "ada", "--json"));
  assert.equal(erased.messages, contents.length);
  assert.equal(erased.socketsClosed, 1);
  assert.deepEqual(erased.inherited, [{ id: channel.id, owner: bob.user.id }]);
  await told;
  assert.deepEqual((await deleted).map((message) => message.seq), contents.map((_, index) => index + 1));

  const refused = await refusal(t, server, { auth: { token: ada.token }, transports: ["websocket"] });
  assert.equal(refused.data.code, "TOKEN_REVOKED");
  const body = { username: "ada", password: PASSWORD };
  expectStatus(401, await request(server, "POST", "/api/auth/login", { body }));
  const left = await history(server, bob.token, channel.id);
  assert.equal(left.length, contents.length + 1);
  const said = new Set(left.slice(0, -1).map(({ userId, user, content }) => `${userId} ${user.username}: ${content}`));
  assert.deepEqual([...said], ["(erased) erased: "]);
  assert.equal(left.at(-1).content, "mine");
});

test("a copy made under load starts a server of its own", async (t) => {
  const server = await startServer(t);
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  let [sent, isDone] = [0, false];
  const sending = (async () => {
    while (!isDone) {
      const ack = await socket.emitWithAck("sendMessage", { channelId: channel.id, content: `number ${sent + 1}` });
      sent = ack.data.seq;
    }
  })();
  while (sent < 50) await new Promise((resolve) => setImmediate(resolve));
  const before = sent;
  const dataDir = await temporaryDirectory(t);
  await roomkey(t, server, "backup", path.join(dataDir, "roomkey.db"));
  isDone = true;
  await sending;

  const copy = await startServer(t, { dataDir });
  const kept = await history(copy, ada.token, channel.id);
  assert.ok(kept.length >= before, `${kept.length} of ${before} that were acknowledged before`);
  assert.deepEqual(kept.map((message) => message.content), kept.map((_, index) => `number ${index + 1}`));
  const again = await connect(t, copy, ada.token);
  const ack = await again.emitWithAck("sendMessage", { channelId: channel.id, content: "goes on" });
  assert.equal(ack.data.seq, kept.length + 1);
});
