// rust_socketio: a client that was written independently of all others.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { startExample } from "./support/server.mjs";

test("rust_socketio connects, emits, acks and sends binary over each of its transports", async (t) => {
  const server = await startExample(t, "protocol_server", ["--port", "0"]);
  const { stdout } = await promisify(execFile)(process.env.RUST_CLIENT, [server.url], { timeout: 120_000 });
  const lines = stdout.trimEnd().split("\n");
  const expected = ["websocket", "polling", "upgrade"].flatMap((name) => [`${name} / done`, `${name} /custom done`]);
  assert.deepEqual(lines.slice(0, -1), expected);
  assert.match(lines.at(-1), /^refused: .*Invalid namespace/);
});
