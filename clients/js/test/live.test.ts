import assert from "node:assert/strict";
import { test } from "node:test";

import { world } from "./support/world.js";

test("typing: keys within half a second are one event, and three seconds of silence are the end", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  for (let key = 0; key < 10; key += 1) {
    one.typing("c1").input();
    await clock.advance(100);
  }
  assert.equal(server.askedFor("typing").length, 2);
  await clock.advance(2_800);
  assert.equal(server.askedFor("typing:stop").length, 0);
  await clock.advance(100);
  assert.equal(server.askedFor("typing:stop").length, 1);
  one.typing("c1").stop();
  await clock.advance(10_000);
  assert.equal(server.askedFor("typing:stop").length, 1);
});

test("typing: sending is the end, and the next key begins at once", async () => {
  const { clock, server, client } = world();
  const one = client();
  one.connect();
  await clock.advance();
  one.typing("c1").input();
  void one.channel("c1").send("done");
  one.typing("c1").input();
  void one.send("c1", "done");
  await clock.advance();
  assert.deepEqual(
    server.asked.map(([event]) => event),
    ["typing", "typing:stop", "sendMessage", "typing", "typing:stop", "sendMessage"],
  );
});

test("typing: who types is shown, until they stop or are not heard of any more", async () => {
  const { clock, server, client } = world();
  const one = client();
  server.handlers["typing:get"] = () => ({ data: { typing: [{ userId: "eve", channelId: "c1", isTyping: true }] } });
  one.connect();
  await clock.advance();
  const typing = one.typing("c1");
  const off = typing.subscribe(() => {});
  await clock.advance();
  assert.deepEqual(typing.get(), ["eve"]);
  const update = (userId: string, isTyping: boolean, channelId = "c1") =>
    server.tell("typing.update", { userId, channelId, isTyping, timestamp: "" });
  update("bob", true);
  update("dan", true, "c2");
  assert.deepEqual(typing.get(), ["eve", "bob"]);
  update("eve", false);
  assert.deepEqual(typing.get(), ["bob"]);
  await clock.advance(5_000);
  update("bob", true);
  await clock.advance(5_000);
  assert.deepEqual(typing.get(), ["bob"]);
  await clock.advance(1_000);
  assert.deepEqual(typing.get(), []);
  off();
  await clock.advance(10_000);
  assert.equal(clock.pending, 0);
});

test("presence: asked once, kept up to date, asked again on the next connection", async () => {
  const { clock, server, client } = world();
  const one = client();
  const presence = (userId: string, online: boolean) => ({ userId, online, lastSeen: null });
  server.handlers["presence:get"] = () => ({ data: { presence: [presence("ada", true), presence("bob", false)] } });
  one.connect();
  await clock.advance();
  const stream = one.presence({ channelId: "c1" });
  const off = stream.subscribe(() => {});
  one.presence({ channelId: "c1" }).subscribe(() => {})();
  await clock.advance();
  const online = () => [...stream.get().values()].filter((one) => one.online).map(({ userId }) => userId);
  assert.deepEqual(online(), ["ada"]);
  server.tell("presence.update", presence("bob", true));
  server.tell("presence.update", presence("eve", true));
  assert.deepEqual(online(), ["ada", "bob"]);
  server.sockets[0]!.drop();
  await clock.advance(500);
  assert.deepEqual(online(), ["ada"]);
  assert.equal(server.askedFor("presence:get").length, 2);
  server.tell("member.removed", { channelId: "c1", userId: "ada" });
  assert.deepEqual(online(), []);
  off();
  await clock.advance();
  server.tell("presence.update", presence("bob", true));
  assert.deepEqual(online(), []);
});

test("presence: who left a channel while there was no connection is not kept, and many who come are one question", async () => {
  const { clock, server, client } = world();
  const one = client();
  let here = ["ada", "bob"];
  server.handlers["presence:get"] = () => ({
    data: { presence: here.map((userId) => ({ userId, online: true, lastSeen: null })) },
  });
  one.connect();
  await clock.advance();
  const stream = one.presence({ channelId: "c1" });
  stream.subscribe(() => {});
  await clock.advance();
  server.sockets[0]!.drop();
  here = ["bob"];
  await clock.advance(1_000);
  assert.deepEqual([...stream.get().keys()], ["bob"]);

  const asked = server.askedFor("presence:get").length;
  for (let number = 1; number <= 20; number += 1) {
    here.push(`u${number}`);
    server.tell("member.added", { channelId: "c1", userId: `u${number}`, role: "member" });
  }
  await clock.advance(500);
  assert.equal(stream.get().size, 21);
  assert.equal(server.askedFor("presence:get").length, asked + 2);
});

test("inbox: counts are asked for at most once a second, notifications are kept newest first", async () => {
  const { clock, server, client } = world();
  const one = client();
  server.handlers["message:getOfflineCount"] = () => ({
    data: { total: 9, unread: server.messages.length, channels: [{ channelId: "c1", unread: server.messages.length }] },
  });
  one.inbox.subscribe(() => {});
  one.connect();
  await clock.advance();
  for (let count = 0; count < 20; count += 1) {
    server.write("c1", "x");
    await clock.advance(100);
  }
  await clock.advance(1_000);
  assert.equal(one.inbox.get().unread, 20);
  assert.equal(one.inbox.get().channels.get("c1")?.unread, 20);
  assert.ok(server.askedFor("message:getOfflineCount").length <= 4);
  const before = server.askedFor("message:getOfflineCount").length;
  one.channel("c1").subscribe(() => {});
  await clock.advance();
  one.channel("c1").markSeen();
  await clock.advance(5_000);
  assert.equal(server.askedFor("message:getOfflineCount").length, before + 1, "what was seen is not unread");
  for (let count = 0; count < 150; count += 1) server.tell("notification", count);
  assert.deepEqual(one.inbox.get().notifications.slice(0, 2), [149, 148]);
  assert.equal(one.inbox.get().notifications.length, 100);
  one.inbox.clearNotifications();
  assert.equal(one.inbox.get().notifications.length, 0);
});
