// Passwords that are tried: who has to wait, who has not, and what both are told.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { createChannel, PASSWORD, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

/** A server that believes its clients where they are, with these limits. */
const start = (t, limits) => {
  const env = { ROOMKEY__SERVER__TRUSTED_PROXIES: "127.0.0.1" };
  for (const [name, value] of Object.entries(limits)) env[`ROOMKEY__LIMITS__${name.toUpperCase()}`] = String(value);
  return startServer(t, { env });
};

const logIn = (server, username, password, address = "192.0.2.1") =>
  request(server, "POST", "/api/auth/login", {
    body: { username, password },
    headers: { "X-Forwarded-For": address },
  });

async function counted(server, limit) {
  const { text } = await request(server, "GET", "/metrics");
  const start = `roomkey_limit_reached_total{limit="${limit}"} `;
  return Number(text.split("\n").find((line) => line.startsWith(start))?.slice(start.length));
}

/** The most memory that the server has had. */
async function peakKiB(server) {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(status.match(/^VmHWM:\s+(\d+) kB$/m)[1]);
}

test("guesses at an account have to wait, its user does not, and nobody learns whether it exists", async (t) => {
  const server = await start(t, { login_failures_per_account: 3 });
  await register(server, "ada");
  assert.equal((await logIn(server, "ada", PASSWORD, "198.51.100.7")).status, 200);
  const answers = { ada: [], nobody: [] };
  for (const name of ["ada", "nobody"]) {
    for (let guess = 0; guess < 4; guess++) {
      const { status, body, headers } = await logIn(server, name, `wrong ${guess}`, `192.0.2.${guess}`);
      answers[name].push([status, body.code, body.message, body.retry, headers.get("retry-after")]);
      if (status === 429) assert.ok(body.retryAfterMs > 0 && body.retryAfterMs <= 1000, JSON.stringify(body));
    }
  }
  assert.deepEqual(answers.ada, answers.nobody);
  assert.deepEqual(answers.ada.map(([status]) => status), [401, 401, 401, 429]);
  assert.deepEqual(answers.ada[3], [429, "RATE_LIMITED", "Too many requests", "after", "1"]);
  assert.equal(await counted(server, "login_failures_per_account"), 2);
  assert.equal((await logIn(server, "ADA", PASSWORD, "203.0.113.1")).status, 429, "whoever is new there waits");
  assert.equal((await logIn(server, "ada", PASSWORD, "198.51.100.7")).status, 200, "who was there before does not");
});

test("where users were, and what attackers wait for, is known after a restart", async (t) => {
  const server = await start(t, { login_failures_per_account: 6 });
  await register(server, "ada");
  assert.equal((await logIn(server, "ada", PASSWORD, "198.51.100.7")).status, 200);
  const guess = () => logIn(server, "ada", "wrong", "192.0.2.1");
  let waited = 0;
  // The waits double, so that one is long enough for a restart.
  while (waited < 4000) {
    const { status, body } = await guess();
    waited = status === 429 ? body.retryAfterMs : 0;
    if (waited < 4000) await new Promise((resolve) => setTimeout(resolve, waited));
  }
  assert.equal(await server.stop(), 0);
  const restarted = await server.restart();
  assert.equal((await logIn(restarted, "ada", "wrong", "192.0.2.2")).status, 429);
  assert.equal((await logIn(restarted, "ada", PASSWORD, "198.51.100.7")).status, 200);
});

test("one address that tries many accounts is refused, but not for those it was at home in", async (t) => {
  const limits = { login_failures_per_address_per_min: 1, login_failures_per_address_burst: 5 };
  const server = await start(t, limits);
  await register(server, "ada");
  const first = await logIn(server, "ada", PASSWORD);
  assert.equal(first.status, 200);
  assert.equal(first.headers.get("ratelimit-policy"), '"login";q=5;w=300');
  assert.equal(first.headers.get("ratelimit"), '"login";r=5;t=0');
  const statuses = [];
  for (let user = 0; user < 10; user++) statuses.push((await logIn(server, `user${user}`, "stolen")).status);
  assert.deepEqual(statuses, [...Array(5).fill(401), ...Array(5).fill(429)]);
  const refused = await logIn(server, "bob", "stolen");
  assert.match(refused.headers.get("ratelimit"), /^"login";r=0;t=\d+$/);
  assert.ok(Number(refused.headers.get("retry-after")) > 0);
  assert.equal((await logIn(server, "ada", PASSWORD)).status, 200);
  assert.equal((await logIn(server, "bob", "stolen", "192.0.2.2")).status, 401);
  assert.equal(await counted(server, "login_failures_per_address_per_min"), 6);
});

test("one password tried on many accounts from many places is noticed, and valid users get in", async (t) => {
  const server = await start(t, { login_failures_alarm: 5 });
  await register(server, "ada");
  for (let user = 0; user < 5; user++) await logIn(server, `user${user}`, "Password1!", `192.0.2.${user}`);
  assert.equal(await counted(server, "login_failures_alarm"), 1);
  const begin = performance.now();
  const [spraying] = await Promise.all([logIn(server, "user9", "Password1!", "192.0.2.9")]);
  assert.equal(spraying.status, 401);
  assert.ok(performance.now() - begin >= 1000, "failures are answered later");
  assert.equal((await logIn(server, "ada", PASSWORD, "203.0.113.1")).status, 200);
  assert.equal(await counted(server, "login_failures_alarm"), 1, "once");
});

test("accounts are created only so often from one address", async (t) => {
  const server = await start(t, { registrations_per_address_per_hour: 2 });
  const create = (name) =>
    request(server, "POST", "/api/auth/register", {
      body: { email: `${name}@example.com`, username: name, password: PASSWORD },
    });
  assert.deepEqual([(await create("ada")).status, (await create("bob")).status], [201, 201]);
  const refused = await create("eve");
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get("retry-after")) > 1000);
  assert.equal(await counted(server, "registrations_per_address_per_hour"), 1);
});

test("a thousand logins at once: most are told to come back, memory is bounded, and sockets go on", async (t) => {
  const server = await start(t, {});
  const { token } = await register(server, "ada");
  const socket = await connect(t, server, token);
  const channel = await createChannel(server, token);
  const before = await peakKiB(server);
  let asked = 0;
  let slowest = 0;
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      const begin = performance.now();
      await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "ahoy" });
      slowest = Math.max(slowest, performance.now() - begin);
      asked++;
    }
  })();
  const answers = await Promise.all(Array.from({ length: 1000 }, () => logIn(server, "ada", "wrong")));
  isOver = true;
  await asking;
  const full = answers.filter(({ status }) => status === 503);
  assert.ok(full.length > 500, `${full.length} of 1000 did not wait`);
  for (const { headers, body } of full) {
    assert.deepEqual([headers.get("retry-after"), body.code], ["1", "UNAVAILABLE"]);
  }
  assert.ok(answers.every(({ status }) => status === 401 || status === 503));
  assert.ok((await peakKiB(server)) - before < (availableParallelism() * 19 + 64) * 1024, "memory of the hashes");
  assert.ok(asked > 10, `only ${asked} answers to the socket meanwhile`);
  assert.ok(slowest < 2000, `${slowest} ms for an answer to the socket`);
});

test("the oldest login of a user makes room for one too many, and its sockets end", async (t) => {
  const server = await start(t, { sessions_per_user: 2 });
  const { token: first } = await register(server, "ada");
  const socket = await connect(t, server, first);
  const revoked = new Promise((resolve) => socket.once("auth:revoked", resolve));
  const { token: second } = (await logIn(server, "ada", PASSWORD)).body;
  assert.equal((await request(server, "GET", "/api/auth/me", { token: first })).status, 200);
  const { token: third } = (await logIn(server, "ada", PASSWORD)).body;
  assert.equal((await revoked).reason, "session_limit");
  const statuses = [first, second, third].map(async (token) => (await request(server, "GET", "/api/auth/me", { token })).status);
  assert.deepEqual(await Promise.all(statuses), [401, 200, 200]);
  assert.equal(await counted(server, "sessions_per_user"), 1);
});

test("whoever has a token only has no more guesses at the password, and keeps nobody from logging in", async (t) => {
  const server = await start(t, { login_failures_per_account: 3 });
  const { token } = await register(server, "ada");
  const guess = (currentPassword) =>
    request(server, "POST", "/api/auth/password", { token, body: { currentPassword, newPassword: `${PASSWORD}!` } });
  const statuses = [];
  for (let tried = 0; tried < 4; tried++) statuses.push((await guess(`wrong ${tried}`)).status);
  assert.deepEqual(statuses, [401, 401, 401, 429]);
  assert.equal((await logIn(server, "ada", PASSWORD, "203.0.113.1")).status, 200);
});
