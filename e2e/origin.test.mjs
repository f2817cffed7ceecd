// Which pages may connect, on every request of both transports.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, refusal } from "./support/client.mjs";
import { request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const EVIL = "http://evil.example";
const ENGINE = "/socket.io/?EIO=4&transport=polling";

test("pages from localhost on any port may connect in development", async (t) => {
  const server = await startServer(t);
  for (const origin of ["http://localhost:5173", "http://127.0.0.1:3000", "http://localhost", "http://[::1]:8080"]) {
    const answer = await request(server, "GET", ENGINE, { headers: { origin } });
    assert.equal(answer.status, 200, `${origin}: ${answer.text}`);
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    assert.match(answer.headers.get("vary") ?? "", /origin/i);
    const socket = await connect(t, server, token("ada"), { extraHeaders: { origin } });
    assert.ok(socket.connected);
  }
});

test("other origins are refused at every door", async (t) => {
  const server = await startServer(t);
  for (const origin of [EVIL, "http://localhost.evil.example", "http://evil.example:80", "null", "http://localhost@evil.example"]) {
    const handshake = await request(server, "GET", ENGINE, { headers: { origin } });
    assert.equal(handshake.status, 403, `${origin}: ${handshake.text}`);
    assert.equal(handshake.body.code, 4);
    assert.equal(handshake.headers.get("access-control-allow-origin"), null);
    const error = await refusal(t, server, {
      transports: ["websocket"],
      auth: { token: token("ada") },
      extraHeaders: { origin },
    });
    assert.equal(error.message, "websocket error");
  }
});

test("a session that exists does not open the door to another origin", async (t) => {
  const server = await startServer(t);
  const opened = await request(server, "GET", ENGINE);
  const { sid } = JSON.parse(opened.text.slice(1));
  const path = `${ENGINE}&sid=${sid}`;
  const headers = { origin: EVIL };
  assert.equal((await request(server, "POST", path, { headers, body: "40" })).status, 403);
  assert.equal((await request(server, "GET", path, { headers })).status, 403);
  // Its owner is not harmed by the attempt.
  const joined = await request(server, "POST", path, { body: `40${JSON.stringify({ token: token("ada") })}` });
  assert.equal(joined.text, "ok");
  assert.match((await request(server, "GET", path)).text, /^40\{"sid":/);
});

test("the HTTP API answers preflights for allowed origins only", async (t) => {
  const server = await startServer(t);
  const preflight = (origin) =>
    request(server, "OPTIONS", "/api/channels", {
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
  const allowed = await preflight("http://localhost:5173");
  assert.ok(allowed.status < 300, allowed.text);
  assert.equal(allowed.headers.get("access-control-allow-origin"), "http://localhost:5173");
  assert.match(allowed.headers.get("access-control-allow-headers"), /authorization/i);
  assert.equal((await preflight(EVIL)).headers.get("access-control-allow-origin"), null);
});
