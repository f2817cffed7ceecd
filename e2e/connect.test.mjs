// A token opens the door, over every transport; nothing else does.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";

import { client, connect, connection, next, refusal, TRANSPORTS } from "./support/client.mjs";
import { register, request } from "./support/rest.mjs";
import { SECRET, startServer } from "./support/server.mjs";
import { expiredToken, forgedToken, token } from "./support/tokens.mjs";

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(`over ${name}`, () => {
    test("a token of the built-in login connects", async (t) => {
      const server = await startServer(t);
      const { token } = await register(server, "ada");
      const socket = await connect(t, server, token, { transports });
      assert.match(socket.id, /^[A-Za-z0-9_-]{20}$/);
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
    });

    test("a token of an existing backend with the same secret connects", async (t) => {
      const server = await startServer(t);
      const socket = await connect(t, server, token("ada"), { transports });
      assert.ok(socket.connected);
    });

    test("no token", async (t) => {
      const server = await startServer(t);
      const error = await refusal(t, server, { transports });
      assert.equal(error.message, "Authentication error: No token provided");
      assert.equal(error.data.code, "TOKEN_MISSING");
      assert.equal(error.data.retry, "never");
    });

    test("an invalid token", async (t) => {
      const server = await startServer(t);
      for (const bad of [forgedToken("ada"), "nonsense", `${token("ada")}x`, token("ada", { exp: "soon" })]) {
        const error = await refusal(t, server, { transports, auth: { token: bad } });
        assert.equal(error.message, "Authentication error: Invalid token");
        assert.equal(error.data.code, "TOKEN_INVALID");
        assert.equal(error.data.retry, "never");
      }
    });

    test("an expired token, and then a fresh one on the same client", async (t) => {
      const server = await startServer(t);
      const tokens = [expiredToken("ada"), token("ada")];
      const socket = client(t, server, { transports, auth: (send) => send({ token: tokens.shift() }) });
      const refused = connection(socket);
      socket.connect();
      await assert.rejects(refused, (error) => {
        assert.equal(error.message, "Authentication error: Token expired");
        assert.equal(error.data.code, "TOKEN_EXPIRED");
        assert.equal(error.data.retry, "refresh");
        return true;
      });
      const connected = connection(socket);
      socket.connect();
      await connected;
    });

    test("the client comes back after the server restarts", async (t) => {
      const server = await startServer(t);
      const options = { transports, reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
      const socket = await connect(t, server, token("ada"), options);
      const first = socket.id;
      const lost = next(socket, "disconnect");
      assert.equal(await server.stop("SIGTERM"), 0);
      const [reason] = await lost;
      assert.match(reason, /^transport (close|error)$/);
      const back = next(socket, "connect");
      await server.restart();
      await back;
      assert.notEqual(socket.id, first);
    });
  });
}

test("tokens of an existing backend may name the user by `id`, as text or number", async (t) => {
  const server = await startServer(t);
  for (const id of ["0f8fad5b", 42]) {
    const mine = token(undefined, { id });
    const socket = await connect(t, server, mine);
    assert.ok(socket.connected);
    const { body } = await request(server, "GET", "/api/auth/me", { token: mine });
    assert.equal(body.user.id, String(id));
  }
});

test("an existing backend can verify the tokens of the built-in login", async (t) => {
  const server = await startServer(t);
  const { token, user } = await register(server, "ada");
  const [header, claims, signature] = token.split(".");
  const expected = createHmac("sha256", SECRET).update(`${header}.${claims}`).digest("base64url");
  assert.equal(signature, expected);
  const { id, sub, exp, iat } = JSON.parse(Buffer.from(claims, "base64url"));
  assert.ok([id, sub].includes(user.id));
  assert.ok(exp > iat);
});

test("a token in the Authorization header connects", async (t) => {
  const server = await startServer(t);
  const socket = await connect(t, server, undefined, {
    auth: {},
    extraHeaders: { authorization: `Bearer ${token("ada")}` },
  });
  assert.ok(socket.connected);
});

test("a token in the query is not accepted unless configured", async (t) => {
  const query = { token: token("ada") };
  const closed = await startServer(t);
  const error = await refusal(t, closed, { transports: ["websocket"], query });
  assert.equal(error.data.code, "TOKEN_MISSING");
});

test("different tokens in two places are refused", async (t) => {
  const server = await startServer(t);
  const error = await refusal(t, server, {
    transports: ["websocket"],
    auth: { token: token("ada") },
    extraHeaders: { authorization: `Bearer ${token("bob")}` },
  });
  assert.equal(error.data.code, "TOKEN_AMBIGUOUS");
});

test("an unknown namespace is refused and the connection lives on", async (t) => {
  const server = await startServer(t);
  const socket = await connect(t, server, token("ada"));
  const other = socket.io.socket("/nowhere", { auth: { token: token("ada") } });
  const refused = connection(other);
  other.connect();
  await assert.rejects(refused, { message: "Invalid namespace" });
  assert.ok(socket.connected);
});
