// Accounts and the REST side of authentication.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, refusal } from "./support/client.mjs";
import { expectStatus, PASSWORD, register, request } from "./support/rest.mjs";
import { SECRET, startServer } from "./support/server.mjs";
import { expiredToken, forgedToken, token } from "./support/tokens.mjs";

test("register, then log in by email, by username, and at /login", async (t) => {
  const server = await startServer(t);
  const registered = await register(server, "ada");
  assert.equal(registered.user.email, "ada@example.com");
  assert.equal(registered.user.username, "ada");
  assert.ok(registered.expiresIn > 0);

  const password = PASSWORD;
  const byEmail = { path: "/api/auth/login", body: { email: "ada@example.com", password } };
  const byName = { path: "/api/auth/login", body: { username: "ada", password } };
  const seed = { path: "/login", body: { username: "ada", password } };
  for (const { path, body } of [byEmail, byName, seed]) {
    const login = expectStatus(200, await request(server, "POST", path, { body }));
    assert.equal(login.user.id, registered.user.id);
    const socket = await connect(t, server, login.token);
    assert.ok(socket.connected);
  }
});

test("a wrong password and an unknown user look the same", async (t) => {
  const server = await startServer(t);
  await register(server, "ada");
  const attempts = [
    { email: "ada@example.com", password: "not the password at all" },
    { email: "nobody@example.com", password: "not the password at all" },
    { username: "nobody", password: "not the password at all" },
  ];
  for (const body of attempts) {
    const answer = await request(server, "POST", "/api/auth/login", { body });
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.body.message, "Invalid credentials");
    assert.equal(answer.body.code, "INVALID_CREDENTIALS");
  }
});

test("a taken address is a conflict", async (t) => {
  const server = await startServer(t);
  await register(server, "ada");
  const body = { email: "ADA@example.com", username: "other", password: PASSWORD };
  const answer = await request(server, "POST", "/api/auth/register", { body });
  assert.equal(answer.status, 409, answer.text);
  assert.equal(answer.body.code, "CONFLICT");
});

test("registration refuses what it cannot use", async (t) => {
  const server = await startServer(t);
  const good = { email: "ada@example.com", username: "ada", password: PASSWORD };
  const bad = [
    { ...good, password: "short" },
    { ...good, email: "not an address" },
    { ...good, password: 12345678901234 },
    { ...good, isAdmin: true },
    { email: good.email },
    [],
    "{",
  ];
  for (const body of bad) {
    const answer = await request(server, "POST", "/api/auth/register", { body });
    assert.equal(answer.status, 422, `${JSON.stringify(body)}: ${answer.text}`);
    assert.equal(answer.body.code, "BAD_PAYLOAD");
    assert.equal(typeof answer.body.message, "string");
  }
});

test("who am I", async (t) => {
  const server = await startServer(t);
  const { token, user } = await register(server, "ada");
  const me = expectStatus(200, await request(server, "GET", "/api/auth/me", { token }));
  assert.equal(me.user.id, user.id);
});

test("the HTTP API refuses tokens as the sockets do", async (t) => {
  const server = await startServer(t);
  const cases = [
    [undefined, "TOKEN_MISSING"],
    ["nonsense", "TOKEN_INVALID"],
    [forgedToken("ada"), "TOKEN_INVALID"],
    [expiredToken("ada"), "TOKEN_EXPIRED"],
  ];
  for (const [token, code] of cases) {
    const answer = await request(server, "GET", "/api/channels", { token });
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.body.code, code);
  }
});

test("unknown paths and methods have typed answers too", async (t) => {
  const server = await startServer(t);
  assert.equal((await request(server, "GET", "/api/nothing")).status, 404);
  assert.equal((await request(server, "DELETE", "/api/auth/login")).status, 405);
});

test("bodies have a limit, and are not unpacked", async (t) => {
  const server = await startServer(t);
  for (const path of ["/login", "/api/auth/login", "/api/auth/register", "/api/channels"]) {
    const body = { username: "ada", password: "x".repeat(70_000) };
    const { status } = await request(server, "POST", path, { token: token("ada"), body });
    assert.equal(status, 413, path);
    const headers = { "content-encoding": "gzip" };
    const packed = await request(server, "POST", path, { token: token("ada"), body: { name: "x" }, headers });
    assert.equal(packed.status, 415, path);
  }
});

test("health, readiness and metrics are served", async (t) => {
  const server = await startServer(t);
  assert.equal((await request(server, "GET", "/healthz")).status, 200);
  assert.equal((await request(server, "GET", "/readyz")).status, 200);
  const metrics = await request(server, "GET", "/metrics");
  assert.equal(metrics.status, 200);
  assert.match(metrics.text, /^# EOF$/m);
});

test("nothing secret reaches the log", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__LOG__LEVEL: "debug" } });
  const { token } = await register(server, "ada");
  const socket = await connect(t, server, token);
  await refusal(t, server, { transports: ["websocket"], auth: { token: forgedToken("ada") } });
  await refusal(t, server, { transports: ["websocket"], query: { token: expiredToken("ada") } });
  const wrong = { username: "ada", password: "a password that is wrong" };
  await request(server, "POST", "/api/auth/login", { body: wrong });
  socket.disconnect();
  assert.equal(await server.stop("SIGTERM"), 0);
  const log = server.output.stdout + server.output.stderr;
  const secrets = [token, forgedToken("ada"), PASSWORD, wrong.password, SECRET];
  for (const secret of secrets) {
    assert.ok(!log.includes(secret.slice(-16)), `the log has ${secret}`);
  }
});
