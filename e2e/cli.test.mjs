// What operators do on the command line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { expectStatus, PASSWORD, request } from "./support/rest.mjs";
import { runBinary, SECRET, startServer, temporaryDirectory } from "./support/server.mjs";
import { expiredToken, forgedToken } from "./support/tokens.mjs";

const env = { JWT_SECRET: SECRET };

test("a minted token connects, and inspect tells whose it is", async (t) => {
  const server = await startServer(t);
  const data = ["--data-dir", server.dataDir];
  const minted = await runBinary(t, ["token", "mint", "--user", "ada", "--username", "Ada", ...data], { env });
  assert.equal(minted.code, 0, minted.stderr);
  const token = minted.stdout.trim();
  const socket = await connect(t, server, token);
  assert.ok(socket.connected);

  const inspected = await runBinary(t, ["token", "inspect", ...data], { env, input: token });
  assert.equal(inspected.code, 0, inspected.stderr);
  assert.match(inspected.stdout, /ada/);
});

test("a token also connects where the server made its own keys", async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET: undefined } });
  const minted = await runBinary(t, ["token", "mint", "--user", "ada", "--data-dir", server.dataDir]);
  assert.equal(minted.code, 0, minted.stderr);
  const socket = await connect(t, server, minted.stdout.trim());
  assert.ok(socket.connected);
});

test("inspect says why the server would refuse a token", async (t) => {
  const server = await startServer(t);
  const data = ["--data-dir", server.dataDir];
  for (const [token, reason] of [[expiredToken("ada"), /expired/i], [forgedToken("ada"), /signature/i], ["nonsense", /./]]) {
    const inspected = await runBinary(t, ["token", "inspect", token, ...data], { env });
    assert.notEqual(inspected.code, 0, inspected.stdout);
    assert.match(inspected.stdout + inspected.stderr, reason);
  }
});

test("an account made on the command line can log in", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const account = ["--email", "ada@example.com", "--username", "ada"];
  const args = ["user", "add", ...account, "--data-dir", dataDir];
  const added = await runBinary(t, args, { env, input: `${PASSWORD}\n` });
  assert.equal(added.code, 0, added.stderr);
  const twice = await runBinary(t, args, { env, input: `${PASSWORD}\n` });
  assert.notEqual(twice.code, 0);

  const server = await startServer(t, { dataDir });
  const body = { username: "ada", password: PASSWORD };
  const login = expectStatus(200, await request(server, "POST", "/api/auth/login", { body }));
  assert.equal(login.user.id, added.stdout.trim());
  const meanwhile = await runBinary(t, args, { env, input: `${PASSWORD}\n` });
  assert.equal(meanwhile.code, 1);
  assert.match(meanwhile.stderr, /is taken/);
});
