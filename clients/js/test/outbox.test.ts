import assert from "node:assert/strict";
import { test } from "node:test";

import { refused } from "./support/server.js";
import { jwt, world } from "./support/world.js";

const contents = (messages: readonly { content: string }[]) => messages.map(({ content }) => content);

test("what is written without a connection is sent when there is one, in order, each once", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.sockets[0]!.drop();
  const sent = ["a", "b", "c"].map((content) => one.send("c1", content));
  await clock.advance();
  assert.deepEqual(contents(server.messages), []);
  await clock.advance(500);
  assert.deepEqual(contents(server.messages), ["a", "b", "c"]);
  assert.deepEqual(contents(await Promise.all(sent)), ["a", "b", "c"]);
});

test("a message whose ack is lost with the connection is sent again under the same clientId", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  const usual = server.handlers["sendMessage"]!;
  server.handlers["sendMessage"] = (payload, socket) => {
    server.handlers["sendMessage"] = usual;
    void usual(payload, socket);
    server.sockets[0]!.drop();
    return undefined;
  };
  // Also the event that would confirm it is lost: nobody hears `tell` after the drop, but before it this client does.
  server.tell = () => undefined;
  const [first, second] = [one.send("c1", "a"), one.send("c1", "b")];
  await clock.advance(500);
  assert.deepEqual(contents(server.messages), ["a", "b"]);
  const asked = server.askedFor("sendMessage");
  assert.deepEqual(contents(asked), ["a", "a", "b"]);
  assert.equal(asked[0].clientId, asked[1].clientId);
  assert.equal((await first).seq, 1);
  assert.equal((await second).seq, 2);
});

test("a message that the server announces needs no ack", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.handlers["sendMessage"] = ({ channelId, content, clientId }) => {
    server.write(channelId, content, "me", clientId);
    return undefined;
  };
  const sent = one.send("c1", "a");
  await clock.advance();
  assert.equal((await sent).content, "a");
});

test("a message that is put off keeps its place; those of other channels do not wait for it", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  const usual = server.handlers["sendMessage"]!;
  let putOff = 2;
  server.handlers["sendMessage"] = (payload, socket) => {
    if (payload.channelId === "c1" && putOff-- > 0) return refused("RATE_LIMITED", "after", 2_000);
    return usual(payload, socket);
  };
  for (const [channelId, content] of [
    ["c1", "a"],
    ["c1", "b"],
    ["c2", "x"],
  ] as const)
    void one.send(channelId, content);
  await clock.advance();
  assert.deepEqual(contents(server.messages), ["x"]);
  assert.equal(one.channel("c1").get().outgoing.length, 0, "nobody watches it");
  await clock.advance(10_000);
  assert.deepEqual(contents(server.messages), ["x", "a", "b"]);
});

test("a message that is refused stays as failed, holds up none, and can be sent again or dropped", async () => {
  const { clock, server, client } = world();
  const one = client();
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  one.connect();
  await clock.advance();
  const usual = server.handlers["sendMessage"]!;
  server.handlers["sendMessage"] = (payload, socket) =>
    payload.content === "bad" ? refused("FORBIDDEN") : usual(payload, socket);
  const failed = channel.send("bad");
  void channel.send("good");
  await clock.advance();
  await assert.rejects(failed, { code: "FORBIDDEN" });
  assert.deepEqual(contents(server.messages), ["good"]);
  const outgoing = () => channel.get().outgoing.map(({ content, deliveryStatus }) => `${content} ${deliveryStatus}`);
  assert.deepEqual(outgoing(), ["bad FAILED"]);
  server.handlers["sendMessage"] = usual;
  const again = channel.retry(channel.get().outgoing[0]!.clientId);
  assert.deepEqual(outgoing(), ["bad SENDING"]);
  await clock.advance();
  assert.equal((await again).content, "bad");
  assert.deepEqual(outgoing(), []);

  server.handlers["sendMessage"] = () => refused("FORBIDDEN");
  void channel.send("worse");
  await clock.advance();
  channel.discard(channel.get().outgoing[0]!.clientId);
  assert.deepEqual(outgoing(), []);
});

test("a server that puts off for ever is asked eight times", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.handlers["sendMessage"] = () => refused("UNAVAILABLE", "after", 1_000);
  const sent = one.send("c1", "a");
  await clock.advance(3_600_000);
  await assert.rejects(sent, { code: "UNAVAILABLE" });
  assert.equal(server.askedFor("sendMessage").length, 8);
});

test("the queue has an end", async () => {
  const { client } = world();
  const one = client({ queueMax: 2 });
  void one.send("c1", "a");
  void one.send("c1", "b");
  await assert.rejects(one.send("c1", "c"), { code: "QUEUE_FULL" });
});

test("what waits when the session ends is not sent in the name of the next user", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.sockets[0]!.drop();
  const sent = one.send("c1", "a");
  server.admit = () => ({ message: "revoked", data: { code: "TOKEN_REVOKED", retry: "never" } });
  await clock.advance(500);
  await assert.rejects(sent, { code: "TOKEN_REVOKED" });
  server.admit = () => undefined;
  one.connect();
  await clock.advance(10_000);
  assert.deepEqual(server.messages, []);
});

test("a client that is closed while it waits to send again waits no more", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  server.handlers["sendMessage"] = () => refused("UNAVAILABLE", "after", 30_000);
  const sent = one.send("c1", "hello");
  await clock.advance();
  one.close();
  await assert.rejects(sent, { code: "CLOSED" });
  assert.equal(clock.pending, 0);
});

test("what one user could not send, or wrote after the end, is neither shown to the next nor sent by them", async () => {
  const { clock, server, client } = world();
  let sub = "ada";
  const one = client({ getToken: () => jwt(clock, 600, { sub }) });
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  one.connect();
  await clock.advance();
  server.sockets[0]!.comesBack = false;
  server.sockets[0]!.drop();
  void one.send("c1", "a secret");
  one.close();
  const late = one.send("c1", "one more");
  const ids = channel.get().outgoing.map(({ clientId }) => clientId);
  assert.equal(ids.length, 2);
  sub = "bob";
  one.connect();
  const own = one.send("c1", "from bob");
  await clock.advance(1_000);
  await assert.rejects(late, { code: "PRINCIPAL_MISMATCH" });
  assert.equal((await own).content, "from bob");
  assert.deepEqual(channel.get().outgoing, []);
  for (const id of ids) await assert.rejects(channel.retry(id), { code: "NOT_FOUND" });
  assert.deepEqual(contents(server.askedFor("sendMessage")), ["from bob"]);
});

test("what failed for the same user stays over the next connection", async () => {
  const { clock, server, client } = world();
  const one = client();
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  one.connect();
  await clock.advance();
  server.handlers["sendMessage"] = () => refused("FORBIDDEN");
  void one.send("c1", "a");
  await clock.advance();
  one.close();
  one.connect();
  await clock.advance();
  assert.deepEqual(contents(channel.get().outgoing), ["a"]);
});
