// Limits of the product: each is kept, answered with its code, and counted under its name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "./support/client.mjs";
import { createChannel, PASSWORD, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

/** How often the limit has been reached. */
async function counted(server, limit) {
  const { text } = await request(server, "GET", "/metrics");
  const start = `roomkey_limit_reached_total{limit="${limit}"} `;
  const line = text.split("\n").find((line) => line.startsWith(start));
  return Number(line?.slice(start.length));
}

test("limits of the HTTP API and of the chat are answered and counted", async (t) => {
  const limits = {
    ROOMKEY__LIMITS__REST_BODY_BYTES: "300",
    ROOMKEY__LIMITS__CHANNEL_NAME_BYTES: "10",
    ROOMKEY__LIMITS__CHANNELS_PER_USER: "1",
    ROOMKEY__LIMITS__MESSAGE_CONTENT_BYTES: "10",
    ROOMKEY__LIMITS__CLIENT_ID_BYTES: "5",
    ROOMKEY__LIMITS__PAGE_ENTRIES: "2",
    ROOMKEY__LIMITS__INVITES_PER_CHANNEL: "0",
    ROOMKEY__LIMITS__INVITE_USES: "3",
    ROOMKEY__LIMITS__INVITE_LIFE_MS: "60000",
  };
  const server = await startServer(t, { env: limits });
  const { token } = await register(server, "ada");
  const socket = await connect(t, server, token);
  const channel = await createChannel(server, token);
  const rest = (method, path, body) => async () => (await request(server, method, path, { token, body })).body;
  const event = (name, payload) => () => socket.emitWithAck(name, payload);
  const message = { channelId: channel.id, content: "ahoy" };
  const cases = {
    rest_body_bytes: ["PAYLOAD_TOO_LARGE", rest("POST", "/api/channels", { name: "x".repeat(300) })],
    channel_name_bytes: ["BAD_PAYLOAD", rest("POST", "/api/channels", { name: "eleven char" })],
    channels_per_user: ["LIMIT_EXCEEDED", rest("POST", "/api/channels", { name: "another" })],
    page_entries: ["BAD_PAYLOAD", rest("GET", "/api/channels?limit=3")],
    message_content_bytes: ["BAD_PAYLOAD", event("sendMessage", { ...message, content: "eleven char" })],
    invites_per_channel: ["LIMIT_EXCEEDED", rest("POST", `/api/channels/${channel.id}/invites`, {})],
    invite_uses: ["BAD_PAYLOAD", rest("POST", `/api/channels/${channel.id}/invites`, { uses: 4 })],
    invite_life_ms: ["BAD_PAYLOAD", event("channel:invite", { channelId: channel.id, expiresInS: 61 })],
    client_id_bytes: ["BAD_PAYLOAD", event("sendMessage", { ...message, clientId: "sixsix" })],
  };
  for (const [limit, [code, reach]] of Object.entries(cases)) {
    assert.equal(await counted(server, limit), 0, limit);
    const answer = await reach();
    assert.equal(answer.code, code, `${limit}: ${JSON.stringify(answer)}`);
    assert.equal(await counted(server, limit), 1, limit);
  }
});

test("logins that cannot wait for a core are answered and counted", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__LIMITS__HASHES_WAITING: "0" } });
  await register(server, "ada");
  const login = () => request(server, "POST", "/api/auth/login", { body: { username: "ada", password: PASSWORD } });
  let refused = 0;
  while (refused === 0) {
    const answers = await Promise.all(Array.from({ length: 100 }, login));
    refused = answers.filter(({ body }) => body.code === "UNAVAILABLE").length;
  }
  assert.equal(await counted(server, "hashes_waiting"), refused);
});

test("tickets have their limits, in all and by user", async (t) => {
  const limits = { ROOMKEY__LIMITS__TICKETS_PENDING: "2", ROOMKEY__LIMITS__TICKETS_PENDING_PER_USER: "1" };
  const server = await startServer(t, { env: limits });
  const ask = (token) => request(server, "POST", "/api/auth/ticket", { token });
  const [ada, bob, eve] = await Promise.all(["ada", "bob", "eve"].map((name) => register(server, name)));
  for (const { token } of [ada, ada, bob]) assert.ok((await ask(token)).status < 300);
  assert.equal(await counted(server, "tickets_pending_per_user"), 1);
  assert.equal((await ask(eve.token)).body.code, "UNAVAILABLE");
  assert.equal(await counted(server, "tickets_pending"), 1);
});
