// The npm package `roomkey` against the server: what it promises to whoever writes a page or a program with it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { test } from "node:test";

import { createClient, createSession } from "../clients/js/dist/index.js";
import { createSocket, routeToken, tokenRoute } from "../clients/js/dist/next/index.js";
import { now, startWithIssuers } from "./support/issuers.mjs";
import { startProxy } from "./support/proxy.mjs";
import { createChannel, expectStatus, history, PASSWORD, register, request } from "./support/rest.mjs";
import { SECRET, startServer, temporaryDirectory } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const API_KEY = "rk_an-api-key-that-is-long-enough-for-anybody";

/** Quick to come back. */
const IMPATIENT = { reconnectionDelay: 50, reconnectionDelayMax: 100, transports: ["websocket"] };

/** A connected client of this user, closed when the test `t` ends. */
async function start(t, server, options) {
  const source = typeof options === "string" ? { getToken: () => token(options) } : options;
  const client = createClient({ url: server.url, socket: IMPATIENT, ...source });
  t.after(client.close);
  client.connect();
  await until(client.connection, ({ phase }) => phase === "connected");
  return client;
}

/** Watches something until it is as it should be. */
function until(observable, isSo) {
  return new Promise((resolve) => {
    const look = () => isSo(observable.get()) && (queueMicrotask(() => off()), resolve(observable.get()));
    const off = observable.subscribe(look);
    look();
  });
}

/** How often the connection has come to each phase. */
function phases(client) {
  const seen = [];
  client.connection.subscribe(() => seen.push(client.connection.get().phase));
  return seen;
}

const contents = (messages) => messages.map(({ content }) => content);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Accounts of its own whose access tokens end soon, and an API key that revokes. */
async function startWithAccounts(t, lifetimeS = 600) {
  const config = path.join(await temporaryDirectory(t), "roomkey.toml");
  const key = `[[auth.api_keys]]\nname = "test"\nkey = "${API_KEY}"\nscopes = ["revoke", "users"]\n`;
  await writeFile(config, `[auth]\naccess_token_lifetime_s = ${lifetimeS}\n${key}`, { mode: 0o600 });
  return startServer(t, { args: ["--config", config], env: { JWT_SECRET: undefined } });
}

test("a token that ends is renewed in band: the connection, its id and its rooms stay", async (t) => {
  const secret = "the-secret-of-a-backend-with-a-good-clock";
  const server = await startWithIssuers(t, [{ name: "backend", secrets: [secret], leeway_s: 0, user_prefix: "" }]);
  const given = [];
  const getToken = ({ skipCache }) => {
    given.push(skipCache);
    return token("ada", { iat: now(), exp: now() + 6 }, secret);
  };
  const client = await start(t, server, { getToken });
  const { id } = client.socket;
  const seen = phases(client);
  const channel = await createChannel(server, token("ada", {}, secret));
  const stream = client.channel(channel.id);
  stream.subscribe(() => {});
  // The third is asked for after the first one has ended.
  while (given.filter((isFresh) => isFresh).length < 3) await pause(100);
  await client.send(channel.id, "still here");
  await until(stream, ({ messages }) => messages.length === 1);
  assert.equal(client.socket.id, id);
  assert.ok(seen.every((phase) => phase === "connected"), seen.join());
});

test("a token that ended while nobody looked is exchanged at the next connection", async (t) => {
  const secret = "the-secret-of-a-backend-with-a-good-clock";
  const server = await startWithIssuers(t, [{ name: "backend", secrets: [secret], leeway_s: 0, user_prefix: "" }]);
  const proxy = await startProxy(t, server);
  const endsAt = (now() + 3) * 1000;
  const old = token("ada", { iat: now() - 2, exp: endsAt / 1000 }, secret);
  // A cache that does not know the time: it gives the old one until it is told not to.
  let isAway = false;
  const getToken = ({ skipCache }) => (skipCache && isAway ? token("ada", {}, secret) : old);
  const opaque = { getToken, platform: { clock: { now: () => 0, after: clockAfter } } };
  const client = await start(t, proxy, opaque);
  proxy.mute();
  while (Date.now() < endsAt) await pause(100);
  isAway = true;
  proxy.cut();
  await until(client.connection, ({ phase }) => phase !== "connected");
  await until(client.connection, ({ phase }) => phase === "connected");
});

const clockAfter = (ms, action) => {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
};

test("who is blocked is told why, and does not come back", async (t) => {
  const server = await startWithAccounts(t);
  const proxy = await startProxy(t, server);
  const ada = await register(server, "ada");
  const ended = [];
  const session = { getToken: () => ada.token, end: (error) => ended.push(error.reason ?? error.code) };
  const client = await start(t, proxy, { session });
  const seen = phases(client);
  const headers = { authorization: `Bearer ${API_KEY}` };
  expectStatus(200, await request(server, "POST", `/api/users/${ada.user.id}/block`, { headers }));
  const { error } = await until(client.connection, ({ phase }) => phase === "stopped");
  assert.deepEqual([error.code, error.reason, error.needsLogin], ["TOKEN_REVOKED", "blocked", true]);
  assert.equal(client.socket.active, false, "the stock client does not try again");
  // Who tries all the same is refused once.
  client.connect();
  await until(client.connection, ({ phase }) => phase === "stopped");
  assert.equal(client.socket.active, false);
  assert.deepEqual(seen, ["stopped", "connecting", "stopped"]);
  assert.deepEqual(ended, ["blocked", "TOKEN_REVOKED"]);
});

test("messages that wait while the server is killed and comes back, three times, are sent, each once and in order", async (t) => {
  const server = await startServer(t);
  const client = await start(t, server, "ada");
  const channel = await createChannel(server, token("ada"));
  const stream = client.channel(channel.id);
  stream.subscribe(() => {});
  const wanted = Array.from({ length: 120 }, (_, number) => `number ${number}`);
  const sent = [];
  const send = (from, to) => sent.push(...wanted.slice(from, to).map((content) => client.send(channel.id, content)));
  let running = server;
  for (let round = 0; round < 3; round += 1) {
    const first = round * 40;
    send(first, first + 20);
    await sent[first + 5];
    await running.stop("SIGKILL");
    send(first + 20, first + 40);
    await until(stream, ({ messages, outgoing }) => messages.length + outgoing.length === sent.length);
    running = await server.restart();
  }
  const confirmed = await Promise.all(sent);
  assert.deepEqual(contents(await history(running, token("ada"), channel.id)), wanted);
  assert.deepEqual(contents(confirmed), wanted);
  const shown = await until(stream, ({ messages }) => messages.length === wanted.length);
  assert.deepEqual(contents(shown.messages), wanted);
  assert.deepEqual(shown.outgoing, []);
});

test("two clients that edit one message see the same in the end, and what each deletes is gone for both", async (t) => {
  const server = await startServer(t);
  const [phone, laptop] = [await start(t, server, "ada"), await start(t, server, "ada")];
  const channel = await createChannel(server, token("ada"));
  const [onPhone, onLaptop] = [phone, laptop].map((client) => client.channel(channel.id));
  for (const stream of [onPhone, onLaptop]) stream.subscribe(() => {});
  const message = await onPhone.send("draft");
  await onPhone.send("the end");
  for (const stream of [onPhone, onLaptop]) await until(stream, ({ messages }) => messages.length === 2);
  const edits = Array.from({ length: 20 }, (_, round) => [
    onPhone.edit(message.id, `phone ${round}`),
    onLaptop.edit(message.id, `laptop ${round}`),
  ]);
  await Promise.all(edits.flat());
  const [stored] = await history(server, token("ada"), channel.id);
  for (const stream of [onPhone, onLaptop]) {
    await until(stream, ({ messages }) => messages[0].content === stored.content);
  }
  await onLaptop.remove(message.id);
  const { messages } = await until(onPhone, ({ messages }) => Boolean(messages[0].deletedAt));
  assert.deepEqual(contents(messages), ["", "the end"]);
  await assert.rejects(onPhone.edit(message.id, "too late"), (error) => error.retry === "never");
  assert.deepEqual(contents(onPhone.get().messages), ["", "the end"]);
});

test("a channel over a connection that is cut again and again has no gap and nothing twice", async (t) => {
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const writer = await start(t, server, "ada");
  const channel = await createChannel(server, token("ada"), ["bob"]);
  for (let count = 0; count < 70; count += 1) await writer.send(channel.id, `before ${count}`);
  const reader = await start(t, proxy, "bob");
  const stream = reader.channel(channel.id);
  stream.subscribe(() => {});
  const followed = [];
  const end = new AbortController();
  const following = (async () => {
    for await (const message of reader.follow(channel.id, { signal: end.signal })) followed.push(message.seq);
  })();
  for (let round = 0; round < 6; round += 1) {
    const isMuted = round % 2 === 1;
    if (isMuted) {
      await until(reader.connection, ({ phase }) => phase === "connected");
      proxy.mute();
    }
    const sent = Array.from({ length: 25 }, (_, count) => writer.send(channel.id, `round ${round}, ${count}`));
    await sent[8];
    if (isMuted) await proxy.lost(`round ${round}, 0`);
    proxy.cut();
    await Promise.all(sent);
  }
  const last = (await writer.send(channel.id, "the end")).seq;
  const { messages } = await until(stream, ({ messages }) => messages.at(-1)?.seq === last);
  const first = messages[0].seq;
  assert.deepEqual(messages.map(({ seq }) => seq), Array.from({ length: last - first + 1 }, (_, index) => first + index));
  while (followed.at(-1) !== last) await pause(20);
  assert.deepEqual(followed, Array.from({ length: last }, (_, index) => index + 1));
  end.abort();
  await following;
});

test("a channel of long messages, of which few fit into a page, has no gap", async (t) => {
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const writer = await start(t, server, "ada");
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const write = async (count) => {
    for (; count > 0; count -= 1) await writer.send(channel.id, "x".repeat(16_000));
  };
  await write(40);
  const reader = await start(t, proxy, "bob");
  const stream = reader.channel(channel.id);
  stream.subscribe(() => {});
  const { messages: newest, hasOlder } = await until(stream, ({ phase }) => phase === "live");
  assert.ok(newest.length < 40, `${newest.length} messages in a page`);
  assert.equal(hasOlder, true);
  proxy.cut();
  await until(reader.connection, ({ phase }) => phase !== "connected");
  await write(40);
  const last = (await writer.send(channel.id, "the end")).seq;
  await until(stream, ({ messages }) => messages.at(-1)?.seq === last);
  while (stream.get().hasOlder) await stream.loadOlder();
  const all = Array.from({ length: last }, (_, index) => index + 1);
  assert.deepEqual(stream.get().messages.map(({ seq }) => seq), all);

  const followed = [];
  for await (const { seq } of reader.follow(channel.id)) {
    followed.push(seq);
    if (seq === last) break;
  }
  assert.deepEqual(followed, all);
});

test("marks: a message has arrived when the other's page has it, is read when it was seen, and is unread until then", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await start(t, server, "ada"), await start(t, server, "bob")];
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const [hers, his] = [ada, bob].map((client) => client.channel(channel.id));
  hers.subscribe(() => {});
  bob.inbox.subscribe(() => {});
  await hers.send("one");
  await hers.send("two");
  await until(bob.inbox, ({ unread }) => unread === 2);
  const come = (status) => ({ messages }) => messages.length === 2 && messages.every((one) => one.deliveryStatus === status);
  await until(hers, come("SENT"));
  his.subscribe(() => {});
  await until(hers, come("DELIVERED"));
  assert.equal(bob.inbox.get().unread, 2);
  his.markSeen();
  await until(hers, come("READ"));
  await until(bob.inbox, ({ unread }) => unread === 0);
  // Also for who looks only now.
  const again = (await start(t, server, "ada")).channel(channel.id);
  again.subscribe(() => {});
  await until(again, come("READ"));
});

test("who types and who is here, over a connection that is cut", async (t) => {
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const [ada, bob] = [await start(t, proxy, "ada"), await start(t, server, "bob")];
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const typing = ada.typing(channel.id);
  typing.subscribe(() => {});
  bob.typing(channel.id).input();
  await until(typing, (typers) => typers.join() === "bob");
  await bob.send(channel.id, "done");
  await until(typing, (typers) => typers.length === 0);

  const presence = ada.presence({ channelId: channel.id });
  presence.subscribe(() => {});
  const isOnline = (user) => (presences) => presences.get(user)?.online === true;
  await until(presence, isOnline("bob"));
  proxy.cut();
  bob.typing(channel.id).input();
  await until(typing, (typers) => typers.join() === "bob");
  bob.close();
  await until(typing, (typers) => typers.length === 0);
  await until(presence, (presences) => presences.get("bob")?.online === false);
  bob.connect();
  await until(presence, isOnline("bob"));
});

test("a Next.js application: a token from its route handler, and a socket from its session", async (t) => {
  const server = await startServer(t);
  let user = { id: "ada", name: "Ada" };
  const route = tokenRoute({ auth: async () => user && { user }, secret: SECRET });
  const application = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url, "http://application");
    const answer = await route(new Request(url, { method: incoming.method, headers: incoming.headers }));
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await once(application.listen(0, "127.0.0.1"), "listening");
  t.after(() => (application.close(), application.closeAllConnections()));
  const address = `http://127.0.0.1:${application.address().port}/api/roomkey`;
  const client = await start(t, server, { getToken: routeToken(address) });
  assert.equal((await client.me()).id, "ada");
  assert.equal((await client.me()).username, "Ada");

  const socket = createSocket({ token: token("bob") }, { url: server.url });
  t.after(() => socket.disconnect());
  await once(socket, "connect");
  assert.equal((await socket.emitWithAck("joinRoom", "user:bob")).error, undefined);
  assert.throws(() => createSocket({}), { message: "No authentication token available" });

  user = null;
  const nobody = createClient({ url: server.url, getToken: routeToken(address) });
  nobody.connect();
  const { error } = await until(nobody.connection, ({ phase }) => phase === "stopped");
  assert.deepEqual([error.code, error.needsLogin], ["TOKEN_MISSING", true]);
});

test("a login of this package is renewed with its refresh token, and ended by the user", async (t) => {
  const server = await startWithAccounts(t, 5);
  const session = createSession({ url: server.url });
  await session.register({ email: "ada@example.com", username: "ada", password: PASSWORD });
  assert.equal(session.user.get().username, "ada");
  const client = await start(t, server, { session });
  const seen = phases(client);
  assert.equal((await client.me()).id, session.user.get().id);
  const first = await session.getToken({ skipCache: false });
  while ((await session.getToken({ skipCache: false })) === first) await pause(100);
  assert.ok(seen.every((phase) => phase === "connected"), seen.join());
  await session.logOut();
  const { error } = await until(client.connection, ({ phase }) => phase === "stopped");
  assert.equal(error.reason, "logged_out");
  assert.equal(session.user.get(), null);
});

test("a program with credentials logs in by itself", async (t) => {
  const server = await startWithAccounts(t);
  const { user } = await register(server, "robot");
  const client = await start(t, server, { login: () => ({ username: "robot", password: PASSWORD }) });
  assert.equal((await client.me()).id, user.id);
  const wrong = createClient({ url: server.url, login: () => ({ username: "robot", password: "guess" }) });
  wrong.connect();
  const { error } = await until(wrong.connection, ({ phase }) => phase === "stopped");
  assert.equal(error.code, "INVALID_CREDENTIALS");
});

test("acks that refuse are typed, and over both transports alike", async (t) => {
  const server = await startServer(t);
  for (const transports of [["websocket"], ["polling"]]) {
    const client = createClient({ url: server.url, getToken: () => token("ada"), socket: { transports } });
    t.after(client.close);
    client.connect();
    await until(client.connection, ({ phase }) => phase === "connected");
    const refused = client.emit("message:history", { channelId: "no-such-channel" });
    await assert.rejects(refused, { name: "RoomkeyError", code: "FORBIDDEN", retry: "never" });
    await assert.rejects(client.emit("no:such", {}), { code: "NOT_FOUND" });
  }
});
