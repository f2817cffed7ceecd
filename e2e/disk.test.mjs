// A disk that is full, fails, or cannot be written: typed errors, nothing acknowledged that is not stored, and all is well
// again when the disk is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { createChannel, history, PASSWORD, register, request } from "./support/rest.mjs";
import { runBinary, SECRET, startServer, temporaryDirectory } from "./support/server.mjs";
import { canMount, letWrite, onVolume, Volume } from "./support/volume.mjs";

const VOLUME_BYTES = 8 * 1024 * 1024;

/** A test with a disk that `around` gives the server, that `broken` breaks, and that what this returns repairs. */
function outage(around, broken) {
  return async (t) => {
    const server = await startServer(t, { around });
    const ada = await register(server, "ada");
    const channel = await createChannel(server, ada.token);
    const socket = await connect(t, server, ada.token);
    const heard = [];
    socket.on("message.created", (message) => heard.push(message.clientId));
    const acknowledged = new Map();
    const send = async (clientId) => {
      const payload = { channelId: channel.id, content: "x".repeat(2000), clientId };
      const ack = await socket.emitWithAck("sendMessage", payload);
      if (ack.data) acknowledged.set(clientId, ack.data.seq);
      return ack;
    };
    for (let number = 0; number < 20; number += 1) assert.ok((await send(`before-${number}`)).data);

    const repair = await broken(server);
    const refused = [];
    for (let number = 0; refused.length < 5; number += 1) {
      assert.ok(number < 2000, "at some time there is no space left");
      const ack = await send(`during-${number}`);
      if (ack.data) continue; // there may be some space in the last page
      assert.deepEqual([ack.code, ack.retry], ["UNAVAILABLE", "after"], JSON.stringify(ack));
      refused.push(`during-${number}`);
    }
    // What is revoked is not so until it is stored, and no session begins that could not be ended.
    const { token } = ada;
    for (const [path, body] of [
      ["/api/auth/logout-all", undefined],
      ["/api/auth/login", { username: "ada", password: PASSWORD }],
      ["/api/channels", { name: "another" }],
    ]) {
      const answer = await request(server, "POST", path, { token, body });
      assert.deepEqual([answer.status, answer.body?.code], [503, "UNAVAILABLE"], `${path}: ${answer.text}`);
    }
    assert.equal((await history(server, token, channel.id)).length, acknowledged.size, "reading goes on");
    assert.ok(socket.connected);

    await repair();
    for (const clientId of [...refused, "after"]) assert.ok((await send(clientId)).data, clientId);
    const stored = await history(server, token, channel.id);
    assert.deepEqual(new Map(stored.map((message) => [message.clientId, message.seq])), acknowledged);
    assert.deepEqual(stored.map((message) => message.seq), stored.map((_, index) => index + 1), "no gap");
    assert.deepEqual(heard, stored.map((message) => message.clientId), "and nobody heard of anything else");
    const out = await request(server, "POST", "/api/auth/logout-all", { token });
    assert.equal(out.status, 204, out.text);
    assert.equal(await server.stop("SIGTERM"), 0);
  };
}

const onSmallVolume = (command, directory) => onVolume(command, directory, VOLUME_BYTES);
const cannotMount = !canMount() && "nobody may mount here";

test("a full disk is an error that passes", { skip: cannotMount }, outage(onSmallVolume, async (server) => {
  const volume = new Volume(server.pid, server.dataDir);
  await volume.fill();
  return () => volume.free();
}));

// A write beyond the limit is to be an error, and not a signal that ends the process.
const withoutSignal = (command) => ["sh", "-c", `trap '' XFSZ && exec "$0" "$@"`, ...command];

test("a disk that fails at every write is an error that passes", outage(withoutSignal, async (server) => {
  await letWrite(server.pid, false);
  return () => letWrite(server.pid, true);
}));

test("a server does not start on a disk that cannot be written", { skip: cannotMount }, async (t) => {
  const directory = await temporaryDirectory(t);
  const prepare = `"$0" user list --data-dir ${directory} && mount -o remount,ro ${directory}`;
  const around = (command) => onVolume(command, directory, VOLUME_BYTES, prepare);
  const { code, stderr } = await runBinary(t, ["serve", "--data-dir", directory], { around, env: { JWT_SECRET: SECRET } });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^roomkey: error: .*cannot be written.*give this user write access/);
});
