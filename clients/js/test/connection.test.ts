import assert from "node:assert/strict";
import { test } from "node:test";

import { claimsOf } from "../src/auth/claims.js";
import type { SocketSettings } from "../src/connection.js";
import { RoomkeyError } from "../src/index.js";
import { refusal, refused } from "./support/server.js";
import { jwt, world } from "./support/world.js";

test("a client connects with the token of that moment, each time", async () => {
  const { clock, server, client } = world();
  let count = 0;
  const one = client({ getToken: () => jwt(clock, 600, { count: (count += 1) }) });
  one.connect();
  await clock.advance();
  assert.deepEqual(one.connection.get(), { phase: "connected", error: null });
  server.sockets[0]!.drop();
  assert.equal(one.connection.get().phase, "reconnecting");
  await clock.advance(500);
  assert.equal(one.connection.get().phase, "connected");
  assert.equal(new Set(server.shown).size, 2);
});

test("a token is renewed in band when it is about to end, and the connection stays", async () => {
  const { clock, server, client } = world();
  const wanted: boolean[] = [];
  const one = client({
    getToken: ({ skipCache }) => {
      wanted.push(skipCache);
      return `token-${wanted.length}`;
    },
  });
  one.connect();
  await clock.advance();
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  assert.deepEqual(server.askedFor("auth:refresh"), [{ token: "token-2" }]);
  assert.deepEqual(wanted, [false, true]);
  assert.equal(server.shown.length, 1);
});

test("a renewal that fails for the moment is tried again, and says so meanwhile", async () => {
  const { clock, server, client } = world();
  let isDown = false;
  const one = client({
    getToken: () => {
      if (isDown) throw new TypeError("fetch failed");
      return "token";
    },
  });
  one.connect();
  await clock.advance();
  isDown = true;
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  const state = one.connection.get();
  assert.equal(state.phase === "connected" && state.error?.code, "UNREACHABLE");
  isDown = false;
  await clock.advance(1_000);
  assert.equal(server.askedFor("auth:refresh").length, 1);
  assert.deepEqual(one.connection.get(), { phase: "connected", error: null });
});

test("TOKEN_EXPIRED: one fresh token, and then the end", async () => {
  const { clock, server, client } = world();
  const wanted: boolean[] = [];
  server.admit = () => refusal("TOKEN_EXPIRED", "refresh");
  const one = client({ getToken: ({ skipCache }) => (wanted.push(skipCache), "token") });
  one.connect();
  await clock.advance(3_600_000);
  assert.deepEqual(wanted, [false, true]);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "TOKEN_EXPIRED");
  assert.equal(state.phase === "stopped" && state.error.needsLogin, true);
});

test("TOKEN_EXPIRED: the fresh token lets it in", async () => {
  const { clock, server, client } = world();
  server.admit = (token) => (token === "old" ? refusal("TOKEN_EXPIRED", "refresh") : undefined);
  const one = client({ getToken: ({ skipCache }) => (skipCache ? "new" : "old") });
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  assert.deepEqual(server.shown, ["old", "new"]);
});

test("a token that has ended by its own words is not shown", async () => {
  const { clock, server, client } = world();
  const fresh = jwt(clock, 600);
  const one = client({ getToken: ({ skipCache }) => (skipCache ? fresh : jwt(clock, -1)) });
  one.connect();
  await clock.advance();
  assert.deepEqual(server.shown, [fresh]);
});

test("never: it stops, tells why, and comes back only when it is told to", async () => {
  const { clock, server, client } = world();
  const ended: string[] = [];
  server.admit = () => refusal("TOKEN_REVOKED");
  const session = { getToken: () => "token", end: ({ code }: RoomkeyError) => void ended.push(code) };
  const one = client({ session });
  one.connect();
  await clock.advance(3_600_000);
  assert.equal(one.connection.get().phase, "stopped");
  assert.deepEqual(ended, ["TOKEN_REVOKED"]);
  assert.equal(server.shown.length, 1);
  server.admit = () => undefined;
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
});

test("after: it waits as long as it is told, longer and longer", async () => {
  const { clock, server, client } = world();
  const times: number[] = [];
  server.admit = () => {
    times.push(clock.now());
    return times.length < 5 ? refusal("UNAVAILABLE", "after", 3_000) : undefined;
  };
  const one = client();
  one.connect();
  await clock.advance(60_000);
  const waits = times.slice(1).map((time, index) => time - times[index]!);
  assert.deepEqual(waits, [3_000, 3_000, 4_000, 8_000]);
  assert.equal(one.connection.get().phase, "connected");
});

test("without a token nothing is asked of the server", async () => {
  const { clock, server, client } = world();
  const one = client({ getToken: () => null });
  one.connect();
  await clock.advance(60_000);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "TOKEN_MISSING");
  assert.deepEqual(server.shown, []);
});

test("a source of tokens that fails is asked again", async () => {
  const { clock, server, client } = world();
  let attempts = 0;
  const one = client({
    getToken: async () => {
      attempts += 1;
      if (attempts < 3) throw new TypeError("fetch failed");
      return "token";
    },
  });
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connecting");
  await clock.advance(10_000);
  assert.equal(one.connection.get().phase, "connected");
  assert.deepEqual(server.shown, ["token"]);
});

test("auth:expired: the next connection has a fresh token", async () => {
  const { clock, server, client } = world();
  const wanted: boolean[] = [];
  const one = client({ getToken: ({ skipCache }) => (wanted.push(skipCache), "token") });
  one.connect();
  await clock.advance(5_000);
  server.tell("auth:expired", { code: "TOKEN_EXPIRED", message: "" });
  server.sockets[0]!.drop();
  await clock.advance(500);
  assert.equal(one.connection.get().phase, "connected");
  assert.deepEqual(wanted, [false, true]);
});

test("tokens that end as soon as they are shown end the attempts", async () => {
  const { clock, server, client } = world();
  const one = client({ getToken: () => "token" });
  one.connection.subscribe(() => {
    if (one.connection.get().phase !== "connected") return;
    queueMicrotask(() => {
      server.tell("auth:expired", { code: "TOKEN_EXPIRED", message: "" });
      if (one.connection.get().phase === "connected") server.sockets[0]!.drop();
    });
  });
  one.connect();
  await clock.advance(60_000);
  assert.equal(one.connection.get().phase, "stopped");
  assert.equal(server.shown.length, 3);
});

test("auth:revoked: the reason is told and nothing tried again", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.tell("auth:revoked", { code: "TOKEN_REVOKED", reason: "blocked", message: "Blocked" });
  await clock.advance(3_600_000);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.reason, "blocked");
  assert.equal(server.shown.length, 1);
});

test("where somebody else has logged in meanwhile, it stops before anything is sent in their name", async () => {
  const { clock, server, client } = world();
  const ended: string[] = [];
  let sub = "ada";
  const session = { getToken: () => jwt(clock, 600, { sub }), end: ({ code }: RoomkeyError) => void ended.push(code) };
  const one = client({ session });
  one.connect();
  await clock.advance();
  server.write("c1", "for ada");
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  await clock.advance();
  sub = "bob";
  await assert.rejects(one.renew(), { code: "PRINCIPAL_MISMATCH" });
  assert.deepEqual(server.askedFor("auth:refresh"), []);
  server.sockets[0]!.drop();
  const sent = one.send("c1", "from ada");
  await clock.advance(60_000);
  const state = one.connection.get();
  assert.equal(state.phase === "stopped" && state.error.code, "PRINCIPAL_MISMATCH");
  await assert.rejects(sent, { code: "PRINCIPAL_MISMATCH" });
  assert.deepEqual(ended, [], "the login of the other user is in order");
  // Who connects now is the other user, and sees nothing of the first one's.
  server.messages.length = 0;
  const shown: number[] = [];
  one.connection.subscribe(
    () => one.connection.get().phase === "connected" && shown.push(channel.get().messages.length),
  );
  one.connect();
  await clock.advance();
  assert.equal(one.connection.get().phase, "connected");
  assert.deepEqual([shown, channel.get().messages.length, channel.get().phase], [[0], 0, "live"]);
});

test("a closed client stays closed, whatever was on its way", async () => {
  const { clock, server, client } = world();
  let give = (_token: string) => {};
  const one = client({ getToken: () => new Promise<string>((resolve) => (give = resolve)) });
  one.connect();
  one.close();
  give("token");
  await clock.advance(60_000);
  assert.equal(one.connection.get().phase, "idle");
  assert.deepEqual(server.shown, []);
});

test("a source that is slower than the server waits is asked once, and the next handshake has its token", async () => {
  for (const isBetween of [false, true]) {
    const { clock, server, client } = world();
    const givers: ((token: string) => void)[] = [];
    const one = client({ getToken: () => new Promise<string>((resolve) => givers.push(resolve)) });
    one.connect();
    await clock.advance(10_000);
    server.sockets[0]!.drop();
    if (isBetween) givers[0]!("token");
    await clock.advance(500);
    assert.equal(givers.length, 1);
    if (!isBetween) givers[0]!("token");
    await clock.advance();
    assert.deepEqual(server.shown, ["token"]);
    assert.equal(one.connection.get().phase, "connected");
  }
});

test("a token that came too late is not kept for long, and each handshake has its own", async () => {
  const { clock, server, client } = world();
  const givers: ((token: string) => void)[] = [];
  const one = client({ getToken: () => new Promise<string>((resolve) => givers.push(resolve)) });
  one.connect();
  await clock.advance();
  const socket = server.sockets[0]!;
  socket.comesBack = false;
  socket.drop();
  givers[0]!("late");
  await clock.advance(5_001);
  socket.comeBack();
  await clock.advance();
  givers[1]!("second");
  await clock.advance();
  socket.drop();
  socket.comeBack();
  await clock.advance();
  givers[2]!("third");
  await clock.advance();
  assert.deepEqual(server.shown, ["second", "third"]);
});

test("an ack that refuses is a RoomkeyError; one that asks for a fresh token gets it, once", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.handlers["channel:create"] = () => refused("RATE_LIMITED", "after", 700);
  await assert.rejects(one.emit("channel:create", { name: "x" }), (error) => {
    assert.ok(error instanceof RoomkeyError);
    assert.deepEqual([error.code, error.retry, error.retryAfterMs], ["RATE_LIMITED", "after", 700]);
    return true;
  });
  server.handlers["channel:create"] = () => refused("TOKEN_EXPIRED", "refresh");
  await assert.rejects(one.emit("channel:create", { name: "x" }), { code: "TOKEN_EXPIRED" });
  assert.equal(server.askedFor("channel:create").length, 3);
  assert.equal(server.askedFor("auth:refresh").length, 1);
});

test("without a connection, and without an answer", async () => {
  const { clock, server, client } = world();
  const one = client();
  await assert.rejects(one.emit("typing:get", { channelId: "c" }), { code: "UNREACHABLE", retry: "after" });
  one.connect();
  await clock.advance();
  server.handlers["typing:get"] = () => undefined;
  const asked = one.emit("typing:get", { channelId: "c" });
  asked.catch(() => undefined);
  await clock.advance(10_000);
  await assert.rejects(asked, { code: "NO_ANSWER" });
});

test("an event waits for a connection that is being made: until it stands, is given up, or for five seconds", async () => {
  const { clock, server, client } = world();
  server.handlers["typing:get"] = () => ({ data: { typing: [] } });
  const one = client();
  const ask = () => one.emit("typing:get", { channelId: "c" });
  one.connect();
  const first = ask();
  await clock.advance();
  assert.deepEqual(await first, { typing: [] });
  server.sockets[0]!.comesBack = false;
  server.sockets[0]!.drop();
  const late = assert.rejects(ask(), { code: "UNREACHABLE" });
  await clock.advance(5_000);
  await late;
  const given = assert.rejects(ask(), { code: "UNREACHABLE" });
  one.close();
  await given;
  assert.equal(clock.pending, 0);
  assert.equal(server.askedFor("typing:get").length, 1);
});

test("an event that waits when the client is closed is not sent for whoever connects next", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  const asked = assert.rejects(one.emit("typing:get", { channelId: "c" }), { code: "UNREACHABLE" });
  one.close();
  one.connect();
  await asked;
  await clock.advance(60_000);
  assert.deepEqual(server.askedFor("typing:get"), []);
});

test("the end of the token is known, also of a fresh one, and that it is being renewed", async () => {
  const { clock, server, client } = world();
  const now = clock.now();
  const one = client({ getToken: () => jwt(clock, 100) });
  const seen: unknown[] = [];
  one.token.subscribe(() => seen.push(one.token.get()));
  one.connect();
  await clock.advance();
  assert.deepEqual(seen, [{ endsAt: now + 100_000, isRenewing: false }]);
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  assert.deepEqual(seen.slice(1), [
    { endsAt: now + 100_000, isRenewing: true },
    { endsAt: now + 600_000, isRenewing: true },
    { endsAt: now + 600_000, isRenewing: false },
  ]);
  one.close();
  assert.deepEqual(one.token.get(), { endsAt: null, isRenewing: false });
});

test("a fresh token that one user waited for is not shown for the next, whose it is cannot be seen", async () => {
  const { clock, server, client } = world();
  const wanted: string[] = [];
  let user = "ada";
  let release = () => {};
  const one = client({
    getToken: async ({ skipCache }) => {
      const ticket = `ticket of ${user}`;
      wanted.push(`${user} ${skipCache}`);
      if (skipCache && user === "ada") await new Promise<void>((resolve) => (release = resolve));
      return ticket;
    },
  });
  one.connect();
  await clock.advance();
  server.tell("auth:expired", { code: "TOKEN_EXPIRED", message: "" });
  server.sockets[0]!.drop();
  await clock.advance(500);
  one.close();
  user = "bob";
  one.connect();
  await clock.advance();
  release();
  await clock.advance(60_000);
  assert.deepEqual(server.shown, ["ticket of ada", "ticket of bob"]);
  assert.deepEqual(wanted, ["ada false", "ada true", "bob false"]);
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  assert.deepEqual(server.askedFor("auth:refresh"), [{ token: "ticket of bob" }]);
});

for (const skipCache of [false, true]) {
  test(`a token that one user waited for does not stop the next (skipCache ${skipCache})`, async () => {
    const { clock, server, client } = world();
    const gates: (() => void)[] = [];
    let sub = "ada";
    const one = client({
      getToken: async (wanted) => {
        const token = jwt(clock, skipCache && !wanted.skipCache ? -1 : 600, { sub });
        if (wanted.skipCache === skipCache) await new Promise<void>((resolve) => gates.push(resolve));
        return token;
      },
    });
    one.connect();
    await clock.advance();
    one.close();
    sub = "bob";
    one.connect();
    await clock.advance();
    assert.equal(gates.length, 2);
    gates[0]!();
    await clock.advance();
    gates[1]!();
    await clock.advance();
    assert.deepEqual(one.connection.get(), { phase: "connected", error: null });
    assert.deepEqual(
      server.shown.map((token) => claimsOf(String(token))?.["sub"]),
      ["bob"],
    );
  });
}

test("what one user asked, and had to be renewed for, is not asked again for the next", async () => {
  const { clock, server, client } = world();
  let [sub, isHanging] = ["ada", true];
  let release = () => {};
  const one = client({
    getToken: async ({ skipCache }) => {
      const token = jwt(clock, 600, { sub });
      if (skipCache && isHanging) await new Promise<void>((resolve) => (release = resolve));
      return token;
    },
  });
  one.connect();
  await clock.advance();
  server.handlers["channel:create"] = () => refused("TOKEN_EXPIRED", "refresh");
  const asked = one.emit("channel:create", { name: "ada's" });
  await clock.advance();
  one.close();
  [sub, isHanging] = ["bob", false];
  one.connect();
  await clock.advance();
  server.tell("auth:expiring", { expiresAt: "" });
  await clock.advance();
  assert.equal(server.askedFor("auth:refresh").length, 1, "the renewal of the first is not waited for");
  release();
  await assert.rejects(asked, { code: "CLOSED" });
  await clock.advance();
  assert.equal(server.askedFor("channel:create").length, 1);
  assert.deepEqual(one.connection.get(), { phase: "connected", error: null });
});

test("what the stock client has not sent when it is closed is not sent by whoever connects next", async () => {
  const { platform, client } = world();
  const { connect: _, ...real } = platform;
  for (const socket of [{}, { retries: 3 }] as SocketSettings[]) {
    const one = client({ platform: real, socket });
    one.socket.emit("order:place", { item: "tea" });
    assert.equal(one.socket.sendBuffer.length, 1);
    one.close();
    assert.equal(one.socket.sendBuffer.length, 0);
  }
});
