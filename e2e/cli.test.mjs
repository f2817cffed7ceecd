// What operators do on the command line.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { access, chmod, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { connect, next, refusal } from "./support/client.mjs";
import { expectStatus, PASSWORD, register, request } from "./support/rest.mjs";
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

/** What a command says as JSON; it must succeed. */
async function json(t, server, args, options) {
  const run = await runBinary(t, [...args, "--json", "--data-dir", server.dataDir], options);
  assert.equal(run.code, 0, run.stderr + run.stdout);
  return JSON.parse(run.stdout);
}

const ownKeys = { env: { JWT_SECRET: undefined } };

test("keys are rotated under live sockets, and nobody is logged out", async (t) => {
  const server = await startServer(t, ownKeys);
  const { token } = await register(server, "ada");
  const socket = await connect(t, server, token);
  const { active, retired } = await json(t, server, ["keys", "rotate"]);
  assert.equal(kid(token), retired.kid);
  assert.notEqual(active.kid, retired.kid);

  assert.ok(socket.connected);
  assert.ok((await connect(t, server, token)).connected, "a token of the old key still counts");
  const login = await request(server, "POST", "/api/auth/login", { body: { username: "ada", password: PASSWORD } });
  assert.equal(kid(expectStatus(200, login).token), active.kid);
  const answer = await request(server, "GET", "/.well-known/jwks.json");
  assert.equal(answer.headers.get("cache-control"), "public, max-age=300");
  assert.deepEqual(answer.body.keys.map((key) => key.kid), [active.kid, retired.kid]);

  const again = await server.stop().then(() => server.restart());
  assert.ok((await connect(t, again, token)).connected, "and after a restart");
  const listed = await json(t, server, ["keys", "list"]);
  assert.deepEqual(listed.keys, [active, retired]);
});

test("a revoked key ends the sockets that live by it, and no others", async (t) => {
  const server = await startServer(t, ownKeys);
  const ada = await register(server, "ada");
  await json(t, server, ["keys", "rotate"]);
  const bob = await register(server, "bob");
  const [doomed, spared] = [await connect(t, server, ada.token), await connect(t, server, bob.token)];
  const told = next(doomed, "auth:revoked");
  const gone = next(doomed, "disconnect");
  const revoked = await json(t, server, ["keys", "revoke", kid(ada.token)]);
  assert.equal(revoked.socketsClosed, 1);
  assert.equal(revoked.active.kid, kid(bob.token), "the key that signs is another");
  assert.equal((await told)[0].reason, "key_revoked");
  assert.equal((await gone)[0], "io server disconnect");
  assert.ok(spared.connected);
  const error = await refusal(t, server, { auth: { token: ada.token } });
  assert.equal(error.data.code, "TOKEN_INVALID");

  const all = await json(t, server, ["keys", "revoke", kid(bob.token)]);
  assert.notEqual(all.active.kid, kid(bob.token), "the active key is replaced first");
  const again = await server.stop("SIGKILL").then(() => server.restart());
  for (const { token } of [ada, bob]) {
    assert.equal((await refusal(t, again, { auth: { token } })).data.code, "TOKEN_INVALID");
  }
});

test("a token is revoked while its socket lives, and inspect says so", async (t) => {
  const server = await startServer(t);
  const token = (await runBinary(t, ["token", "mint", "--user", "ada", "--data-dir", server.dataDir], { env })).stdout.trim();
  const socket = await connect(t, server, token);
  const gone = next(socket, "disconnect");
  const revoked = await json(t, server, ["token", "revoke", token], { env });
  assert.deepEqual(revoked, { revoked: true, socketsClosed: 1 });
  await gone;
  const error = await refusal(t, server, { auth: { token } });
  assert.equal(error.data.code, "TOKEN_REVOKED");
  for (const isRunning of [true, false]) {
    if (!isRunning) await server.stop();
    const inspected = await runBinary(t, ["token", "inspect", token, "--data-dir", server.dataDir], { env });
    assert.equal(inspected.code, 1);
    assert.match(inspected.stdout, /refuses this token: it was revoked.* Clients see TOKEN_REVOKED/);
  }
});

test("a user is blocked while the server runs, and let in again", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await register(server, "ada"), await register(server, "bob")];
  const sockets = [await connect(t, server, ada.token), await connect(t, server, ada.token)];
  const spared = await connect(t, server, bob.token);
  const told = sockets.map((socket) => next(socket, "auth:revoked"));
  const blocked = await json(t, server, ["user", "block", "ada@example.com"], { env });
  assert.deepEqual(blocked, { user: ada.user.id, blocked: true, socketsClosed: 2 });
  for (const [{ code, reason }] of await Promise.all(told)) assert.deepEqual([code, reason], ["TOKEN_REVOKED", "blocked"]);
  assert.ok(spared.connected);
  const logIn = () => request(server, "POST", "/api/auth/login", { body: { username: "ada", password: PASSWORD } });
  expectStatus(401, await logIn());
  const { users } = await json(t, server, ["user", "list"], { env });
  assert.deepEqual(users.filter((user) => user.blocked).map((user) => user.username), ["ada"]);

  const unblocked = await json(t, server, ["user", "unblock", "ada"], { env });
  assert.equal(unblocked.wasBlocked, true);
  assert.equal((await refusal(t, server, { auth: { token: ada.token } })).data.code, "TOKEN_REVOKED");
  const again = expectStatus(200, await logIn());
  assert.ok((await connect(t, server, again.token)).connected);
});

test("a user is logged out from one device, from all, and by a new password", async (t) => {
  const server = await startServer(t);
  const { user } = await register(server, "ada");
  const logIn = async (password = PASSWORD) =>
    expectStatus(200, await request(server, "POST", "/api/auth/login", { body: { username: "ada", password } })).token;
  const [phone, laptop] = [await logIn(), await logIn()];
  const sockets = [await connect(t, server, phone), await connect(t, server, laptop)];
  const gone = sockets.map((socket) => next(socket, "auth:revoked"));
  const { sessions } = await json(t, server, ["user", "sessions", user.id], { env });
  assert.equal(sessions.length, 3, "registering is a login, too");
  assert.ok(sessions.some((session) => session.id === claims(phone).sid));

  const one = await json(t, server, ["user", "logout", "ada", "--session", claims(phone).sid], { env });
  assert.deepEqual(one, { user: user.id, socketsClosed: 1 });
  assert.equal((await gone[0])[0].reason, "logged_out");
  assert.ok(sockets[1].connected, "the other device stays");
  const all = await json(t, server, ["user", "logout", "ada"], { env });
  assert.equal(all.socketsClosed, 1);
  await gone[1];
  assert.deepEqual(await json(t, server, ["user", "sessions", "ada"], { env }), { sessions: [] });

  const last = await connect(t, server, await logIn());
  const ended = next(last, "auth:revoked");
  const changed = "9 orange unicycles at dawn";
  await json(t, server, ["user", "passwd", "ada"], { env, input: `${changed}\n` });
  assert.equal((await ended)[0].reason, "password_changed");
  expectStatus(401, await request(server, "POST", "/api/auth/login", { body: { username: "ada", password: PASSWORD } }));
  await logIn(changed);
});

test("commands reach a server that was killed and started again", async (t) => {
  const server = await startServer(t, ownKeys);
  const socket = path.join(server.dataDir, "control.sock");
  const [first] = (await json(t, server, ["keys", "list"])).keys;
  await server.stop("SIGKILL");
  await access(socket);
  const { retired } = await json(t, server, ["keys", "rotate"]);
  assert.equal(retired.kid, first.kid, "the file that it left is in nobody's way");
  const again = await server.restart();
  const { keys } = await json(t, server, ["keys", "list"]);
  assert.equal(keys[1].kid, first.kid);
  await again.stop();
  await assert.rejects(access(socket), "a server that stops takes its socket along");
});

test("nobody else may give commands", async (t) => {
  const server = await startServer(t);
  const socket = path.join(server.dataDir, "control.sock");
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  if (process.getuid() !== 0) return t.skip("only root can be somebody else");
  await chmod(server.dataDir, 0o755);
  const program = `require("net").connect(process.argv[1])
    .on("error", (error) => console.log(error.code)).on("connect", () => process.exit(console.log("let in")))`;
  const as = (uid) => spawnSync(process.execPath, ["-e", program, socket], { uid, encoding: "utf8", timeout: 10_000 });
  assert.equal(as(0).stdout.trim(), "let in");
  assert.equal(as(65534).stdout.trim(), "EACCES");
});

test("a generated secret works", async (t) => {
  const { stdout } = await runBinary(t, ["secret", "generate"]);
  await startServer(t, { env: { JWT_SECRET: stdout.trim() } });
});

test("wrong usage is 2, a refusal 1", async (t) => {
  const wrong = ["keys", "keys revoke", "token revoke", "secret generate --bytes 8"];
  for (const [args, code] of [...wrong.map((args) => [args, 2]), ["keys revoke none", 1]]) {
    const run = await runBinary(t, args.split(" "));
    assert.equal(run.code, code, `${args}: ${run.stderr}`);
  }
});

function kid(token) {
  return JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;
}

function claims(token) {
  return JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
}
