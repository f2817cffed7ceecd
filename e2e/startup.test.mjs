// What keeps a server from starting is said once, clearly, and the exit status says so too.

import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { test } from "node:test";

import { runBinary, SECRET, startServer, temporaryDirectory } from "./support/server.mjs";

const FREE = ["--listen", "127.0.0.1:0"];

test("an unknown configuration key names file, line and the nearest key", async (t) => {
  const directory = await temporaryDirectory(t);
  const config = path.join(directory, "roomkey.toml");
  await writeFile(config, '[server]\n\nlisten_adress = "127.0.0.1:0"\n');
  const { code, stderr } = await runBinary(t, ["serve", "--config", config, "--data-dir", directory]);
  assert.notEqual(code, 0);
  assert.match(stderr, /roomkey\.toml/);
  assert.match(stderr, /:3/);
  assert.match(stderr, /listen_adress/);
  assertOneMessage(stderr);
});

test("an unknown key in the environment is named", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const { code, stderr } = await runBinary(t, ["serve", ...FREE, "--data-dir", dataDir], {
    env: { ROOMKEY__SERVER__LISTN: "x" },
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /ROOMKEY__SERVER__LISTN/);
  assertOneMessage(stderr);
});

test("a secret under 32 bytes is refused, named, and not repeated", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const { code, stderr } = await runBinary(t, ["serve", ...FREE, "--data-dir", dataDir], {
    env: { JWT_SECRET: "hunter2" },
  });
  assert.notEqual(code, 0);
  assert.match(stderr, /JWT_SECRET/);
  assert.match(stderr, /32/);
  assert.doesNotMatch(stderr, /hunter2/);
  assertOneMessage(stderr);
});

test("a port in use", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const address = `127.0.0.1:${taken.address().port}`;
  const dataDir = await temporaryDirectory(t);
  const { code, stderr } = await runBinary(t, ["serve", "--listen", address, "--data-dir", dataDir]);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(address), stderr);
  assertOneMessage(stderr);
});

test("two servers do not share a port by accident", async (t) => {
  const server = await startServer(t);
  const address = new URL(server.url).host;
  const dataDir = await temporaryDirectory(t);
  const { code, stderr } = await runBinary(t, ["serve", "--listen", address, "--data-dir", dataDir]);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(address), stderr);
});

test("a data directory that cannot be made or written", async (t) => {
  const directory = await temporaryDirectory(t);
  const file = path.join(directory, "file");
  await writeFile(file, "");
  const dataDir = path.join(file, "data");
  const { code, stderr } = await runBinary(t, ["serve", ...FREE, "--data-dir", dataDir]);
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(dataDir), stderr);
  assertOneMessage(stderr);
});

test("a server that says it is running can be stopped", async (t) => {
  for (const signal of ["SIGTERM", "SIGINT"]) {
    const server = await startServer(t);
    assert.equal(await server.stop(signal), 0, signal);
  }
});

test("a corrupt database file", async (t) => {
  const server = await startServer(t);
  await server.stop();
  const database = path.join(server.dataDir, "roomkey.db");
  await Promise.all([rm(`${database}-wal`, { force: true }), rm(`${database}-shm`, { force: true })]);
  await writeFile(database, "this is not a database at all, not even a small one".repeat(200));
  const { code, stderr } = await runBinary(t, ["serve", ...FREE, "--data-dir", server.dataDir], {
    env: { JWT_SECRET: SECRET },
  });
  assert.notEqual(code, 0);
  assert.ok(stderr.includes(database), stderr);
  assertOneMessage(stderr);
});

test("check-config finds the same faults without starting", async (t) => {
  const directory = await temporaryDirectory(t);
  const [good, bad] = ["good.toml", "bad.toml"].map((name) => path.join(directory, name));
  await writeFile(good, '[server]\nlisten = "127.0.0.1:0"\n');
  await writeFile(bad, '[server]\nlisten = "nowhere"\n');
  const fine = await runBinary(t, ["check-config", "--config", good]);
  assert.equal(fine.code, 0, fine.stderr);
  const faulty = await runBinary(t, ["check-config", "--config", bad]);
  assert.notEqual(faulty.code, 0);
  assert.match(faulty.stderr, /bad\.toml/);
});

/** No panic, no backtrace, no second telling. */
function assertOneMessage(stderr) {
  assert.doesNotMatch(stderr, /panicked|RUST_BACKTRACE|stack backtrace/);
  assert.ok(stderr.trim().split("\n").length <= 8, `more than one message:\n${stderr}`);
}
