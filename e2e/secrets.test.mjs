// What must not be read anywhere: secrets, in whatever way they are used. And what others chose stays what it is.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";

import { client, connect, refusal } from "./support/client.mjs";
import { PASSWORD, request } from "./support/rest.mjs";
import { runBinary, startServer, temporaryDirectory } from "./support/server.mjs";
import { expiredToken, token } from "./support/tokens.mjs";

const SECRET = "canary-secret-0123456789-0123456789-abcdef";
const LOUD = { ROOMKEY_LOG: "trace", JWT_SECRET: SECRET, RUST_BACKTRACE: "full" };
const API_KEY = "canary-api-key-0123456789-0123456789-abcdef";
const ANY_PLACE = { ROOMKEY__AUTH__QUERY_TOKEN: "true", ROOMKEY__AUTH__COOKIE: "session" };

/** Everything that could be read of a server from outside its memory and its store. */
async function writtenBy(server, answers) {
  const pages = await Promise.all(["/metrics", "/healthz", "/readyz"].map((page) => request(server, "GET", page)));
  await server.stop();
  return {
    stdout: server.output.stdout,
    stderr: server.output.stderr,
    audit: await readFile(path.join(server.dataDir, "audit.jsonl"), "utf8"),
    pages: pages.map((page) => page.text).join("\n"),
    answers: answers.join("\n"),
  };
}

/** A secret, and the forms in which it could be written. */
function formsOf(secret) {
  const bytes = Buffer.from(secret);
  const encodings = ["base64", "base64url", "hex"].map((encoding) => bytes.toString(encoding).replace(/=+$/, ""));
  return [secret, encodeURIComponent(secret), ...encodings];
}

/** A token is given away by any of its parts; the header says nothing. */
const partsOf = (jwt) => jwt.split(".").slice(1);

test("no secret is written anywhere, however it is used", async (t) => {
  const config = path.join(await temporaryDirectory(t), "roomkey.toml");
  const apiKey = `[[auth.api_keys]]\nname = "backend"\nkey = "${API_KEY}"\nscopes = ["revoke"]\n`;
  await writeFile(config, apiKey, { mode: 0o600 });
  const server = await startServer(t, { env: { ...LOUD, ...ANY_PLACE }, args: ["--config", config] });
  const secrets = new Map([["JWT_SECRET", [SECRET]], ["API key", [API_KEY]]]);
  const answers = [];
  const keep = (name, ...values) => secrets.set(name, values.filter(Boolean));
  const ask = async (method, page, options = {}) => {
    const answer = await request(server, method, page, options);
    if (answer.status >= 400) answers.push(answer.text);
    return answer;
  };

  const body = { email: "ada@example.com", username: "ada", password: `${PASSWORD} canary-good` };
  const { body: account } = await ask("POST", "/api/auth/register", { body });
  keep("password", body.password);
  keep("access token", ...partsOf(account.token));
  const wrong = { username: "ada", password: "canary-wrong-password" };
  assert.equal((await ask("POST", "/api/auth/login", { body: wrong })).status, 401);
  keep("wrong password", wrong.password);
  await ask("POST", "/api/auth/login", { body: { ...wrong, password: ["canary-odd-password"] } });
  await ask("POST", "/api/auth/login", { body: '{"username":"ada","password":"canary-torn-password' });
  await ask("POST", "/api/auth/login", { body: { username: "ada", password: "x", canary_member: "canary-member" } });
  keep("odd passwords", "canary-odd-password", "canary-torn-password", "canary-member");
  const { body: login } = await ask("POST", "/login", { body: { username: "ada", password: body.password } });
  keep("second access token", ...partsOf(login.token));

  const { refreshToken } = login;
  const refresh = (refreshToken) => ask("POST", "/api/auth/refresh", { body: { refreshToken } });
  const { body: refreshed } = await refresh(refreshToken);
  keep("refresh token", refreshToken, account.refreshToken, refreshed.refreshToken);
  keep("refreshed token", ...partsOf(refreshed.token));
  const { body: again } = await refresh(refreshed.refreshToken);
  keep("newest refresh token", again.refreshToken);
  assert.equal((await refresh(refreshToken)).status, 401, "it was used before");
  await ask("POST", "/api/auth/refresh", { body: { refreshToken: "canary-refresh-token" } });
  await ask("POST", "/api/auth/ticket", { token: "canary-ticket-token" });
  const { body: ticket } = await ask("POST", "/api/auth/ticket", { token: account.token });
  assert.ok(ticket.ticket);
  keep("ticket", ticket.ticket, "canary-ticket");
  const tickets = [ticket.ticket, ticket.ticket, "canary-ticket"].map((value) => ({ query: { ticket: value } }));
  for (const options of tickets) {
    const socket = client(t, server, options);
    await new Promise((resolve) => socket.connect().once("connect", resolve).once("connect_error", resolve));
    socket.disconnect();
  }
  await ask("POST", "/api/auth/password", {
    token: account.token,
    body: { currentPassword: "canary-current", newPassword: "canary-new-password" },
  });
  const key = { authorization: "Bearer canary-api-key" };
  await ask("POST", "/api/auth/revoke", { headers: key, body: { token: "canary.revoked.token" } });
  const good = { authorization: `Bearer ${API_KEY}` };
  const revoked = await ask("POST", "/api/auth/revoke", { headers: good, body: { token: login.token } });
  assert.equal(revoked.status, 200, revoked.text);
  await ask("GET", "/api/auth/me", { headers: good });
  await ask("POST", "/api/auth/logout", { token: login.token, body: {} });
  keep("made up", "canary-refresh-token", "canary-ticket-token", "canary-current", "canary-new-password");
  keep("made up, too", "canary-api-key", "canary.revoked.token");

  const forged = token("canary-forged-subject", { name: "canary-forged-name" }, "another secret of 32 bytes or more");
  const expired = expiredToken("ada");
  const foreign = token("ada", { iss: "https://canary-issuer.example" }, SECRET);
  keep("refused tokens", ...[forged, expired, foreign].flatMap(partsOf));
  keep("what they claim", "canary-forged-subject", "canary-forged-name", "canary-issuer.example");
  for (const bad of [forged, expired, foreign, "canary-no-token", `${account.token}canary-tail`]) {
    await ask("GET", "/api/auth/me", { token: bad });
    await ask("GET", `/api/auth/me?token=${bad}`);
    await ask("GET", "/api/auth/me", { headers: { cookie: `session=${bad}`, "sec-fetch-site": "same-origin" } });
    for (const options of [
      { auth: { token: bad } },
      { query: { token: bad } },
      { extraHeaders: { authorization: `Bearer ${bad}` }, transports: ["polling"] },
      { extraHeaders: { cookie: `session=${bad}` }, transports: ["polling"] },
    ]) {
      answers.push(JSON.stringify((await refusal(t, server, options)).data ?? {}));
    }
  }
  keep("no token", "canary-no-token", "canary-tail");
  await ask("GET", `/api/auth/me?token=${account.token}`, { token: login.token });

  const socket = await connect(t, server, account.token, { query: { token: account.token } });
  const { body: created } = await ask("POST", "/api/channels", {
    token: account.token,
    body: { name: "canary-channel-name", visibility: "private" },
  });
  const channelId = created.channel.id;
  answers.push(JSON.stringify(await socket.emitWithAck("sendMessage", { channelId, content: "canary-content" })));
  answers.push(JSON.stringify(await socket.emitWithAck("joinRoom", "channel:nowhere")));
  answers.push(JSON.stringify(await socket.emitWithAck("auth:refresh", { token: forged })));
  answers.push(JSON.stringify(await socket.emitWithAck("auth:refresh", { token: "canary-no-token" })));
  const other = client(t, server, { auth: { token: account.token }, transports: ["polling"] });
  await new Promise((resolve) => other.connect().once("connect", resolve));
  const sid = other.io.engine.id;
  await ask("GET", `/socket.io/?EIO=4&transport=polling&sid=${sid}`, { headers: { origin: "http://localhost:1" } });
  await ask("POST", `/socket.io/?EIO=4&transport=polling&sid=${sid}`, { body: "canary-packet" });
  keep("session id", sid, socket.io.engine.id);
  await ask("GET", `/canary-path?token=${account.token}`, { headers: { referer: `http://x/?token=${login.token}` } });
  socket.disconnect();
  other.disconnect();

  // An ack may say the content of the message that was sent: whoever gets it has sent it.
  const isOwn = (place, value) => place === "answers" && value === "canary-content";
  keep("content", "canary-content", "canary-packet");
  const written = await writtenBy(server, answers);
  assert.match(written.stderr, /"DEBUG"/, "the log is loud: nothing has anything to say at TRACE");
  assert.match(written.stderr, /authn_login_fail/);
  for (const [name, values] of secrets) {
    for (const [place, text] of Object.entries(written)) {
      for (const value of values.filter((value) => !isOwn(place, value))) {
        const found = formsOf(value).find((form) => text.includes(form));
        const at = found && text.slice(Math.max(0, text.indexOf(found) - 200)).slice(0, 300);
        assert.equal(found, undefined, `${name} is in ${place}: ${at}`);
      }
    }
  }
});

test("commands do not repeat secrets", async (t) => {
  const env = { JWT_SECRET: SECRET, ROOMKEY__AUTH__JWT_SECRET_PREVIOUS: "canary-previous-0123456789-0123456789-abc" };
  const runs = [
    await runBinary(t, ["check-config"], { env }),
    await runBinary(t, ["check-config"], { env: { JWT_SECRET: "canary" } }),
    await runBinary(t, ["check-config"], { env: { ROOMKEY__AUTH__JWT_SECRET: SECRET, JWT_SECRET: "canary-other" } }),
    await runBinary(t, ["keys", "list"], { env }),
  ];
  for (const { stdout, stderr } of runs) {
    assert.doesNotMatch(stdout + stderr, /canary/);
  }
});

/** Sends a request whose headers no HTTP library would write. */
function raw(server, lines) {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
    let text = "";
    socket.on("data", (data) => (text += data)).on("close", () => resolve(text)).on("error", () => {});
  });
}

test("on a terminal, too, a line is a line", async (t) => {
  const server = await startServer(t, { env: { ...LOUD, ROOMKEY__LOG__FORMAT: "human" } });
  await connect(t, server, token("eve\u202e", {}, SECRET));
  await refusal(t, server, { auth: { token: token("eve\n\u001b[2K", {}, SECRET) } });
  const host = new URL(server.url).host;
  const page = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1";
  await raw(server, [page, `Host: ${host}`, "Origin: https://evil.example\"\\n[31m", "Connection: close"]);
  const { stderr } = await writtenBy(server, []);
  assert.match(stderr, /malicious_cors/);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test("what others chose is one field of one line", async (t) => {
  const server = await startServer(t, { env: { ...LOUD, ROOMKEY__HTTP__ORIGINS: "https://app.example" } });
  const nasty = '${jndi:ldap://x} {} %s %n "}{"event":"sys_startup","x":"\u202e\u2028';
  const socket = await connect(t, server, token(nasty, { name: "\r\n\u001b[31m" }, SECRET));
  await socket.emitWithAck("joinRoom", "channel:\r\n\u001b[2K{}");
  await socket.emitWithAck(nasty, nasty);
  await socket.emitWithAck("a\r\nb\u001b[1m", 1);
  await request(server, "POST", "/login", { body: { username: "\r\n\u001b[31m\u009b", password: "\r\n" } });
  await refusal(t, server, { auth: { token: token("eve\n[audit] ok", {}, SECRET) } });
  const origin = 'https://evil.example"}{"event":"sys_startup';
  const host = new URL(server.url).host;
  const page = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1";
  await raw(server, [page, `Host: ${host}`, `Origin: ${origin}`, "User-Agent: \u009b31m{}%s", "Connection: close"]);
  await raw(server, [page, `Host: ${host}`, "Origin: https://evil.example\u001b[31m", "Connection: close"]);
  const written = await writtenBy(server, []);

  const lines = (text) => text.trimEnd().split("\n");
  const records = lines(written.audit).map((line) => JSON.parse(line));
  lines(written.stderr).forEach((line) => JSON.parse(line));
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(written.audit + written.stderr.replaceAll("\u202e", ""), /[\u0000-\u0009\u000b-\u001f\u007f]/);
  assert.doesNotMatch(written.audit, /[\u0080-\u009f\u2028-\u202e]/);
  assert.equal(records.filter((record) => record.event === "sys_startup").length, 1);
  assert.ok(records.some((record) => record.user === nasty), "as it was given");
  assert.ok(records.some((record) => record.event === "malicious_cors" && record.origin === origin));
  assert.ok(records.some((record) => record.event === "authn_login_fail"));
  for (const [index, record] of records.entries()) {
    assert.equal(record.seq, index + 1);
    assert.match(record.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(record.node && record.event && /^(success|failure)$/.test(record.outcome));
    assert.ok(!record.sid || /^[0-9a-f]{8}$/.test(record.sid));
  }
});
