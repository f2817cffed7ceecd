// A token's life is its socket's life, as the stock client sees it.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { client, connect, connection, next, refusal } from "./support/client.mjs";
import { expectStatus, PASSWORD, register, request } from "./support/rest.mjs";
import { startServer, temporaryDirectory } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const API_KEY = "rk_an-api-key-that-is-long-enough-for-anybody";
const BACKEND_SECRET = "the-secret-of-a-backend-with-a-good-clock";

/** A server with an issuer whose clock is exactly right: its tokens end to the second. */
async function start(t) {
  const directory = await temporaryDirectory(t);
  const config = path.join(directory, "roomkey.toml");
  const issuer = `[[auth.issuers]]\nname = "backend"\nsecrets = ["${BACKEND_SECRET}"]\nleeway_s = 0\nuser_prefix = ""\n`;
  await writeFile(config, `[auth]\nbuiltin = false\n${issuer}`, { mode: 0o600 });
  return startServer(t, { args: ["--config", config], env: { JWT_SECRET: undefined } });
}

/** A server with accounts of its own, and an API key. */
async function startWithAccounts(t) {
  const directory = await temporaryDirectory(t);
  const config = path.join(directory, "roomkey.toml");
  const keys = `[[auth.api_keys]]\nname = "test"\nkey = "${API_KEY}"\nscopes = ["revoke", "users"]\n`;
  await writeFile(config, `[engine]\nrecovery = true\n${keys}`, { mode: 0o600 });
  return startServer(t, { args: ["--config", config], env: { JWT_SECRET: undefined } });
}

const now = () => Math.floor(Date.now() / 1000);
const backendToken = (user, seconds, claims = {}) =>
  token(user, { iat: now(), exp: now() + seconds, ...claims }, BACKEND_SECRET);

const byKey = (server, route, body) =>
  request(server, "POST", route, { body, headers: { authorization: `Bearer ${API_KEY}` } });

/** The reason of the next disconnect. */
const disconnected = async (socket) => (await next(socket, "disconnect"))[0];

test("a client that takes a fresh token for each connection comes back by itself when one expires", async (t) => {
  const server = await start(t);
  const fresh = (respond) => respond({ token: backendToken("ada", 3) });
  const socket = client(t, server, { auth: fresh, reconnection: true, reconnectionDelay: 50, transports: ["websocket"] });
  let connected = connection(socket);
  socket.connect();
  await connected;
  for (let round = 0; round < 2; round++) {
    const expired = next(socket, "auth:expired");
    const gone = disconnected(socket);
    connected = connection(socket);
    assert.equal((await expired)[0].code, "TOKEN_EXPIRED");
    assert.equal(await gone, "transport close");
    await connected;
    const ack = await socket.emitWithAck("joinRoom", "user:ada");
    assert.equal(ack.error, undefined, JSON.stringify(ack));
  }
});

test("a client that is warned renews its token and stays, with its id and its room", async (t) => {
  const server = await start(t);
  const first = now() + 5;
  const socket = await connect(t, server, backendToken("ada", 5));
  const { id } = socket;
  let disconnects = 0;
  socket.on("disconnect", () => disconnects++);
  const [{ expiresAt }] = await next(socket, "auth:expiring");
  assert.equal(Math.floor(Date.parse(expiresAt) / 1000), first);
  const answer = await socket.emitWithAck("auth:refresh", { token: backendToken("ada", 60) });
  assert.ok(Date.parse(answer.data.expiresAt) > first * 1000, JSON.stringify(answer));
  const stranger = await socket.emitWithAck("auth:refresh", { token: backendToken("bob", 60) });
  assert.equal(stranger.code, "PRINCIPAL_MISMATCH");
  // Until well after the end of the first token.
  while (Date.now() < (first + 1) * 1000) {
    const ack = await socket.emitWithAck("joinRoom", "user:ada");
    assert.equal(ack.error, undefined, JSON.stringify(ack));
  }
  assert.equal(socket.id, id);
  assert.equal(disconnects, 0);
});

test("who logs out on one device stays on the other, and the first does not come back", async (t) => {
  const server = await startWithAccounts(t);
  const phone = await register(server, "ada");
  const login = { email: "ada@example.com", password: PASSWORD };
  const laptop = expectStatus(200, await request(server, "POST", "/api/auth/login", { body: login }));
  const options = { reconnection: true, reconnectionDelay: 50 };
  const [onPhone, onLaptop] = [await connect(t, server, phone.token, options), await connect(t, server, laptop.token)];
  const revoked = next(onPhone, "auth:revoked");
  const gone = disconnected(onPhone);
  expectStatus(204, await request(server, "POST", "/api/auth/logout", { token: phone.token }));
  assert.deepEqual((await revoked)[0].reason, "logged_out");
  assert.equal(await gone, "io server disconnect");
  assert.equal(onPhone.active, false);
  const me = await request(server, "GET", "/api/auth/me", { token: phone.token });
  assert.equal(me.status, 401);
  assert.equal(me.body.code, "TOKEN_REVOKED");
  const ack = await onLaptop.emitWithAck("joinRoom", `user:${laptop.user.id}`);
  assert.equal(ack.error, undefined, JSON.stringify(ack));
});

test("what is revoked stays so when the server is killed and comes back", async (t) => {
  const server = await startWithAccounts(t);
  const [ada, bob, eve] = [await register(server, "ada"), await register(server, "bob"), await register(server, "eve")];
  const socket = await connect(t, server, ada.token);
  const gone = disconnected(socket);
  const revoked = expectStatus(200, await byKey(server, "/api/auth/revoke", { token: ada.token }));
  assert.deepEqual(revoked, { revoked: true, socketsClosed: 1 });
  assert.equal(await gone, "io server disconnect");
  expectStatus(200, await byKey(server, `/api/users/${bob.user.id}/block`));
  await server.stop("SIGKILL");
  const again = await server.restart();
  for (const { token: shown } of [ada, bob]) {
    const refused = await refusal(t, again, { auth: { token: shown }, transports: ["websocket"] });
    assert.deepEqual(refused.data, { code: "TOKEN_REVOKED", retry: "never" });
  }
  const login = { email: "bob@example.com", password: PASSWORD };
  assert.equal((await request(again, "POST", "/api/auth/login", { body: login })).status, 401);
  const refreshed = await request(again, "POST", "/api/auth/refresh", { body: { refreshToken: bob.refreshToken } });
  assert.equal(refreshed.status, 401);
  assert.ok((await connect(t, again, eve.token)).connected);

  expectStatus(200, await byKey(again, `/api/users/${bob.user.id}/unblock`));
  const stillOld = await refusal(t, again, { auth: { token: bob.token }, transports: ["websocket"] });
  assert.equal(stillOld.data.code, "TOKEN_REVOKED", "what was issued before the end of the block stays revoked");
  const back = expectStatus(200, await request(again, "POST", "/api/auth/login", { body: login }));
  assert.ok((await connect(t, again, back.token)).connected);
});

test("a refresh of the login keeps the live socket; the new token renews it in place", async (t) => {
  const server = await startWithAccounts(t);
  const first = await register(server, "ada");
  const socket = await connect(t, server, first.token);
  const { id } = socket;
  const body = { refreshToken: first.refreshToken };
  const second = expectStatus(200, await request(server, "POST", "/api/auth/refresh", { body }));
  const answer = await socket.emitWithAck("auth:refresh", { token: second.token });
  assert.ok(answer.data, JSON.stringify(answer));
  assert.equal(socket.id, id);
  assert.ok(socket.connected);
});

test("a client that is away when its login is ended gets no recovery", async (t) => {
  const server = await startWithAccounts(t);
  const ada = await register(server, "ada");
  const options = { reconnection: true, reconnectionDelay: 3000, randomizationFactor: 0 };
  const socket = await connect(t, server, ada.token, options);
  const refused = next(socket, "connect_error");
  socket.io.engine.close();
  expectStatus(204, await request(server, "POST", "/api/auth/logout", { token: ada.token }));
  const [error] = await refused;
  assert.equal(error.data.code, "TOKEN_REVOKED");
});
