// The audit log of a server that runs, is killed, and is tampered with.

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { connect, refusal } from "./support/client.mjs";
import { request } from "./support/rest.mjs";
import { runBinary, startServer } from "./support/server.mjs";
import { forgedToken, token } from "./support/tokens.mjs";

const fileOf = (server) => path.join(server.dataDir, "audit.jsonl");
const linesOf = async (server) => (await readFile(fileOf(server), "utf8")).trimEnd().split("\n");
const recordsOf = async (server) => (await linesOf(server)).map((line) => JSON.parse(line));

async function verify(t, server, ...args) {
  const { code, stdout, stderr } = await runBinary(t, ["audit", "verify", "--json", "--data-dir", server.dataDir, ...args]);
  assert.equal(stderr, "");
  return { code, ...JSON.parse(stdout) };
}

/** Waits until a record is written: the one who asked for it does not. */
async function recorded(server, event) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const found = (await recordsOf(server)).find((record) => record.event === event);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`there is no ${event}`);
}

test("what is decided is recorded, and what was recorded can be verified", async (t) => {
  const server = await startServer(t);
  const origin = "http://localhost:5173";
  await connect(t, server, token("ada"), { extraHeaders: { origin } });
  await refusal(t, server, { auth: { token: forgedToken("ada") }, extraHeaders: { origin } });
  const success = await recorded(server, "authn_login_success");
  assert.deepEqual([success.user, success.address, success.origin], ["ada", "127.0.0.1", origin]);
  const failure = await recorded(server, "authn_login_fail");
  assert.deepEqual([failure.user, failure.address, failure.outcome], [undefined, "127.0.0.1", "failure"]);
  assert.match(failure.reason, /signature/);

  const { body } = await (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } }))
    .text()
    .then((text) => ({ body: JSON.parse(text.slice(1)) }));
  const poll = `/socket.io/?EIO=4&transport=polling&sid=${body.sid}`;
  const foreign = await request(server, "GET", poll, { headers: { origin: "http://localhost:1" } });
  assert.deepEqual([foreign.status, foreign.body.code], [400, 1]);
  assert.equal((await recorded(server, "malicious_direct_reference")).origin, "http://localhost:1");
  const denied = await request(server, "GET", poll, { headers: { origin: "https://evil.example" } });
  assert.equal(denied.status, 403);
  await recorded(server, "malicious_cors");

  const path = "/api/channels/nowhere/members";
  const body403 = { userId: "bob", role: "member" };
  const forbidden = await request(server, "POST", path, { token: token("ada"), body: body403 });
  assert.equal(forbidden.status, 403);
  const denial = await recorded(server, "authz_fail");
  assert.deepEqual([denial.user, denial.target], ["ada", "POST /api/channels/{id}/members"]);

  const running = await verify(t, server);
  assert.deepEqual([running.code, running.intact, running.hasKey, running.hasHead], [0, true, true, true]);
  await server.stop();
  const events = (await recordsOf(server)).map((record) => record.event);
  assert.deepEqual([events[0], events.at(-1)], ["sys_startup", "sys_shutdown"]);
  assert.equal((await verify(t, server, "--anchor", running.end)).code, 0);
});

test("tampering is found, and the line is named", async (t) => {
  const server = await startServer(t);
  for (const user of ["ada", "bob", "eve"]) await connect(t, server, token(user));
  await server.stop();
  const lines = await linesOf(server);
  const without = (index) => lines.toSpliced(index, 1);
  const cases = [
    ["edited", 3, lines.map((line) => line.replace('"bob"', '"joe"'))],
    ["removed", 2, without(1)],
    ["reordered", 2, [lines[0], lines[2], lines[1], ...lines.slice(3)]],
    ["truncated", lines.length - 1, lines.slice(0, -1)],
  ];
  for (const [fault, line, tampered] of cases) {
    await writeFile(fileOf(server), `${tampered.join("\n")}\n`);
    const verdict = await verify(t, server);
    assert.deepEqual([verdict.code, verdict.fault?.fault, verdict.fault?.line], [1, fault, line]);
  }
  await writeFile(fileOf(server), `${lines.join("\n")}\n`);
  assert.equal((await verify(t, server)).code, 0);
  await rm(path.join(server.dataDir, "audit.head"));
  assert.equal((await verify(t, server)).fault.fault, "head");
});

test("a log goes on after the server was killed", async (t) => {
  const server = await startServer(t);
  await connect(t, server, token("ada"));
  await recorded(server, "authn_login_success");
  await server.stop("SIGKILL");
  await writeFile(fileOf(server), '{"seq":3,"ts":"', { flag: "a" });
  assert.equal((await verify(t, server)).fault.fault, "unfinished");
  const again = await server.restart();
  Object.assign(again, { dataDir: server.dataDir });
  assert.equal((await recorded(again, "sys_audit_repaired")).target, "15 bytes");
  await again.stop();
  const verdict = await verify(t, server);
  assert.deepEqual([verdict.code, verdict.damaged], [0, 0]);
});
