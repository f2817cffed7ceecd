// python-socketio, with asyncio and with threads, over each of its transports.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { startExample, startServer } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const python = process.env.PYTHON ?? "python3";
const script = (name) => fileURLToPath(new URL(`python/${name}`, import.meta.url));

for (const kind of ["asyncio", "threaded"]) {
  for (const transports of ["websocket", "polling", "polling,websocket"]) {
    test(`${kind}, over ${transports}: auth, events, acks, binary, namespaces, refusal`, async (t) => {
      const server = await startExample(t, "protocol_server", ["--port", "0"]);
      const child = start(t, [script("client.py"), kind, transports, server.url]);
      const [code] = await once(child, "close");
      assert.equal(code, 0, child.errors);
    });
  }
}

test("comes back after the server has restarted", async (t) => {
  const server = await startServer(t);
  const child = start(t, [script("comeback.py"), server.url, token("ada")]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value;
  assert.equal(await line(), "connected", child.errors);
  await server.stop("SIGTERM");
  assert.match(await line(), /^disconnected/);
  await server.restart();
  assert.equal(await line(), "connected", child.errors);
  child.stdin.end();
  assert.match(await line(), /^disconnected/);
  assert.equal((await once(child, "close"))[0], 0, child.errors);
});

function start(t, args) {
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  child.errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.errors += text));
  child.stdout.on("end", () => {});
  return child;
}
