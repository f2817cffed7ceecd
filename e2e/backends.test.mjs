// The example backends, in Node and in Python: what they are told, asked, and what they say.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect, next } from "./support/client.mjs";
import { createChannel, expectStatus, register, request } from "./support/rest.mjs";
import { startServer, temporaryDirectory } from "./support/server.mjs";

const KEY = "rk_end-to-end-key-of-32-characters-or-more";
const SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const examples = {
  node: [process.execPath, "../examples/backends/node/server.mjs"],
  python: [process.env.PYTHON ?? "python3", "../examples/backends/python/server.py"],
};

for (const [name, [program, script]] of Object.entries(examples)) {
  test(`the backend in ${name} answers, is told, and emits`, async (t) => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const config = path.join(await temporaryDirectory(t), "roomkey.toml");
    const common = `secret = "${SIGNING}"\nallow_private = true`;
    await writeFile(config, `
[[auth.api_keys]]
name = "shop"
key = "${KEY}"
scopes = ["channels", "emit"]

[[handlers]]
events = ["order:*"]
url = "${url}/events"
${common}

[[webhooks]]
events = ["message.*"]
url = "${url}/webhooks"
${common}
`);
    const server = await startServer(t, { args: ["--config", config] });
    const ada = await register(server, "ada");
    const socket = await connect(t, server, ada.token);
    const other = await connect(t, server, ada.token);
    const channel = await createChannel(server, ada.token);

    // The backend is not there yet: an event fails, a webhook waits.
    const failed = await socket.emitWithAck("order:create", { sku: "tea" });
    assert.equal(failed.code, "BACKEND_FAILED");
    const sent = await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "first" });
    assert.ok(sent.data.id);

    const backend = spawn(program, [fileURLToPath(new URL(script, import.meta.url))], {
      env: { ...process.env, PORT: String(port), ROOMKEY_URL: server.url, ROOMKEY_API_KEY: KEY, ROOMKEY_SECRET: SIGNING },
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => backend.kill("SIGKILL"));
    const said = lines(backend);
    await said("listening");

    const told = next(other, "order:created");
    const bought = await socket.emitWithAck("order:create", { sku: "tea" });
    assert.deepEqual(bought, { data: { sku: "tea", price: 4, buyer: ada.user.id } });
    assert.deepEqual(await told, [{ sku: "tea", price: 4 }]);
    const refused = await socket.emitWithAck("order:create", { sku: "gold" });
    assert.equal(refused.code, "BACKEND_REFUSED");
    assert.equal(refused.error, "There is no such product");

    await said("heard message.created first");
    await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "second" });
    await said("heard message.created second");

    // Whoever cannot sign is not believed.
    const forged = await fetch(`http://127.0.0.1:${port}/webhooks`, {
      method: "POST",
      headers: { "webhook-id": "x", "webhook-timestamp": String(Math.floor(Date.now() / 1000)), "webhook-signature": "v1,AAAA" },
      body: "{}",
    });
    assert.equal(forged.status, 401);
  });
}

test("a backend writes for a user, with that user's rights", async (t) => {
  const env = { ROOMKEY__AUTH__API_KEYS: `[{ name = "shop", key = "${KEY}", scopes = ["channels"] }]` };
  const server = await startServer(t, { env });
  const [ada, eve] = [await register(server, "ada"), await register(server, "eve")];
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  const send = (user) =>
    request(server, "POST", `/api/channels/${channel.id}/messages`, {
      body: { content: "your order is on its way" },
      headers: { "x-api-key": KEY, "roomkey-user": user },
    });
  const heard = next(socket, "message.created");
  expectStatus(201, await send(ada.user.id));
  const [message] = await heard;
  assert.equal(message.userId, ada.user.id);
  assert.equal(message.user.username, "ada");
  assert.equal((await send(eve.user.id)).status, 403);
});

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Waits for a line that begins so, among all that were and will be written. */
function lines(child) {
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    child.emit("said");
  });
  return async (start) => {
    while (!text.split("\n").some((line) => line.startsWith(start))) await once(child, "said");
  };
}
