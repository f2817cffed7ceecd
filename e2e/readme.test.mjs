// What the README promises is run as it stands there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { startServer } from "./support/server.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

test("the client in the README works", async (t) => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, program] = readme.match(/```js\n(.*?)```/s);
  const server = await startServer(t);
  const adapted = program.replace(/http:\/\/127\.0\.0\.1:\d+/, server.url);
  assert.notEqual(adapted, program);
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", adapted], { cwd: here });
  assert.deepEqual(stdout.trim().split("\n").sort(), ["ada: Ahoy!", "stored as number 1"]);
});
