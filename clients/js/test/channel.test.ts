import assert from "node:assert/strict";
import { test } from "node:test";

import type { ChannelStream, Client } from "../src/index.js";
import { refused } from "./support/server.js";
import { jwt, response, type World, world } from "./support/world.js";

async function watched(all: World, count = 0): Promise<{ one: Client; channel: ChannelStream; off: () => void }> {
  for (let written = 0; written < count; written += 1) all.server.write("c1", `old ${written + 1}`);
  const one = all.client();
  const channel = one.channel("c1");
  const off = channel.subscribe(() => {});
  one.connect();
  await all.clock.advance();
  return { one, channel, off };
}

const contents = (channel: ChannelStream) => channel.get().messages.map(({ content }) => content);
const seqs = (channel: ChannelStream) => channel.get().messages.map(({ seq }) => seq);
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("the newest page, older ones on demand, and what is written from then on", async () => {
  const all = world();
  const { channel } = await watched(all, 120);
  assert.equal(channel.get().phase, "live");
  assert.deepEqual(seqs(channel), range(71, 120));
  assert.equal(channel.get().hasOlder, true);
  all.server.write("c1", "new");
  const older = channel.loadOlder();
  assert.equal(channel.get().isLoadingOlder, true);
  await all.clock.advance();
  await older;
  assert.deepEqual(seqs(channel), range(21, 121));
  await Promise.all([channel.loadOlder(), channel.loadOlder(), all.clock.advance()]);
  assert.deepEqual(seqs(channel), range(1, 121));
  assert.equal(channel.get().hasOlder, false);
});

test("short pages leave no gap, neither before nor after what is here, and an empty one is the beginning", async () => {
  const all = world();
  const { clock, server } = all;
  server.pageBytes = 100;
  const { channel } = await watched(all, 60);
  assert.deepEqual(seqs(channel), range(45, 60));
  assert.equal(channel.get().hasOlder, true);
  server.sockets[0]!.drop();
  for (let count = 0; count < 60; count += 1) server.write("c1", "missed");
  await clock.advance(500);
  server.write("c1", "live");
  await clock.advance();
  assert.deepEqual(seqs(channel), range(45, 121));
  // Those before are gone, or not for me.
  server.messages.splice(0, 40);
  await Promise.all([channel.loadOlder(), clock.advance()]);
  assert.deepEqual(seqs(channel), range(41, 121));
  assert.equal(channel.get().hasOlder, true);
  await Promise.all([channel.loadOlder(), clock.advance()]);
  assert.deepEqual(seqs(channel), range(41, 121));
  assert.equal(channel.get().hasOlder, false);
});

test("older messages that come after their page was left are asked for again when it is shown again", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel, off } = await watched(all, 120);
  const usual = server.handlers["message:history"]!;
  server.handlers["message:history"] = async (payload, socket) => {
    await new Promise<void>((resolve) => clock.after(100, resolve));
    return usual(payload, socket);
  };
  void channel.loadOlder();
  off();
  await clock.advance(1_000);
  assert.equal(channel.get().isLoadingOlder, false);
  channel.subscribe(() => {});
  await clock.advance(1_000);
  await Promise.all([channel.loadOlder(), clock.advance(1_000)]);
  assert.deepEqual(seqs(channel), range(21, 120));
});

test("a server that is set to shorter pages is asked for what it gives", async () => {
  const all = world();
  const { clock, server } = all;
  server.pageEntries = 20;
  const { channel } = await watched(all, 60);
  assert.equal(channel.get().phase, "live");
  assert.deepEqual(seqs(channel), range(41, 60));
  await Promise.all([channel.loadOlder(), clock.advance()]);
  assert.deepEqual(seqs(channel), range(21, 60));
  const limits = server.askedFor("message:history").map(({ limit }) => limit);
  assert.deepEqual(limits, [50, undefined, undefined, undefined], "it is found out once");
});

test("without a connection, to load older messages changes nothing", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 120);
  server.sockets[0]!.drop();
  const before = channel.get();
  await channel.loadOlder();
  assert.equal(channel.get(), before, "who loads at each change would never end");
  await clock.advance(500);
  await Promise.all([channel.loadOlder(), clock.advance()]);
  assert.deepEqual(seqs(channel), range(21, 120));
});

test("of a channel that is watched for long the newest are kept, and the others can be loaded again", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 3);
  const write = async (count: number) => {
    for (; count > 0; count -= 1) server.write("c1", "new");
    await clock.advance();
  };
  await write(1_100);
  assert.deepEqual(seqs(channel), range(104, 1_103));
  assert.equal(channel.get().hasOlder, true);
  const older = channel.loadOlder();
  // Written before the page of older ones arrives.
  await write(10);
  await older;
  assert.deepEqual(seqs(channel), range(54, 1_113));
  await write(10);
  assert.deepEqual(seqs(channel), range(64, 1_123), "what was asked for stays, as much as it was");
});

test("what was missed, and what was edited or deleted while the connection was cut", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 3);
  server.sockets[0]!.drop();
  assert.equal(channel.get().phase, "behind");
  server.write("c1", "missed");
  server.change("c1-1", { content: "edited" });
  server.change("c1-2", { content: "", deletedAt: "2026-11-21T00:00:00.000Z" }, "message.deleted");
  await clock.advance(500);
  assert.deepEqual(contents(channel), ["edited", "", "old 3", "missed"]);
  assert.equal(channel.get().phase, "live");
});

test("a channel that is refused for the moment is loaded when that is over; one that may not be read has failed", async () => {
  const all = world();
  const { clock, server } = all;
  const usual = server.handlers["message:history"]!;
  const refusals = [refused("RATE_LIMITED", "after", 3_000), refused("UNAVAILABLE", "after"), undefined];
  server.handlers["message:history"] = (payload, socket) =>
    refusals.length > 0 ? refusals.shift() : usual(payload, socket);
  const { channel } = await watched(all, 3);
  assert.deepEqual([channel.get().phase, channel.get().error?.code], ["loading", "RATE_LIMITED"]);
  await clock.advance(2_999);
  assert.equal(server.askedFor("message:history").length, 1, "no sooner than it was told");
  // The third is not answered at all.
  await clock.advance(30_000);
  assert.deepEqual([channel.get().phase, channel.get().error], ["live", null]);
  assert.deepEqual(seqs(channel), range(1, 3));
  server.handlers["message:history"] = () => refused("FORBIDDEN");
  const forbidden = await watched(all);
  assert.equal(forbidden.channel.get().phase, "failed");
  assert.equal(clock.pending, 0);
});

test("a channel that was left before it could be loaded asks no more", async () => {
  const all = world();
  const { clock, server } = all;
  server.handlers["message:history"] = () => refused("RATE_LIMITED", "after", 1_000);
  const { off } = await watched(all, 3);
  off();
  await clock.advance(60_000);
  assert.equal(server.askedFor("message:history").length, 1);
});

test("what was edited meanwhile is corrected also where that is refused at first", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 3);
  const usual = server.handlers["message:history"]!;
  const refusals = [refused("RATE_LIMITED", "after", 3_000), refused("RATE_LIMITED", "after", 3_000)];
  server.handlers["message:history"] = (payload, socket) => refusals.shift() ?? usual(payload, socket);
  server.sockets[0]!.drop();
  server.change("c1-1", { content: "edited" });
  await clock.advance(10_000);
  assert.deepEqual(contents(channel), ["edited", "old 2", "old 3"]);
  assert.equal(channel.get().phase, "live");
});

test("who was away for long begins at the end again, without a gap", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 3);
  server.sockets[0]!.drop();
  for (let count = 0; count < 2_000; count += 1) server.write("c1", "missed");
  await clock.advance(500);
  assert.deepEqual(seqs(channel), range(1954, 2003));
  assert.equal(channel.get().hasOlder, true);
  server.write("c1", "new");
  await clock.advance();
  assert.deepEqual(seqs(channel), range(1954, 2004));
});

test("what I write is there at once and becomes the message, never both, never neither", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 2);
  const views: string[] = [];
  channel.subscribe(() => {
    const { messages, outgoing } = channel.get();
    views.push([...messages, ...outgoing].map(({ content }) => content).join(" "));
  });
  server.sockets[0]!.drop();
  server.write("c1", "missed");
  void channel.send("mine");
  await clock.advance(500);
  assert.equal(views.at(-1), "old 1 old 2 missed mine");
  const first = views.findIndex((view) => view.includes("mine"));
  assert.ok(
    views.slice(first).every((view) => view.split("mine").length === 2),
    JSON.stringify(views),
  );
  assert.deepEqual(channel.get().outgoing, []);
});

test("an edit is there at once, and goes back where it is refused", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 1);
  server.handlers["updateMessage"] = ({ messageId, content }) => ({ data: server.change(messageId, { content }) });
  const edit = channel.edit("c1-1", "better");
  assert.deepEqual(contents(channel), ["better"]);
  await clock.advance();
  await edit;
  assert.deepEqual(contents(channel), ["better"]);
  server.handlers["updateMessage"] = () => refused("FORBIDDEN");
  const refusedEdit = channel.edit("c1-1", "worse");
  assert.deepEqual(contents(channel), ["worse"]);
  await assert.rejects(refusedEdit, { code: "FORBIDDEN" });
  assert.deepEqual(contents(channel), ["better"]);
});

test("a deletion is there at once, is final, and goes back where it is refused", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 1);
  server.handlers["deleteMessage"] = () => refused("FORBIDDEN");
  await assert.rejects(channel.remove("c1-1"), { code: "FORBIDDEN" });
  assert.deepEqual(contents(channel), ["old 1"]);
  server.handlers["deleteMessage"] = ({ messageId }) => {
    server.change(messageId, { content: "", deletedAt: "2026-11-21T00:00:00.000Z" }, "message.deleted");
    return { data: {} };
  };
  await channel.remove("c1-1");
  assert.ok(channel.get().messages[0]!.deletedAt);
  server.tell("message.updated", { ...server.messages[0], content: "late", deletedAt: undefined });
  await clock.advance();
  assert.deepEqual(contents(channel), [""]);
});

test("of two edits the later one stays, also when a page that was read before it comes after it", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 60);
  const usual = server.handlers["message:history"]!;
  server.handlers["message:history"] = (payload, socket) => {
    const page = usual(payload, socket);
    server.change("c1-5", { content: "edited" });
    server.change("c1-6", { content: "", deletedAt: "x" }, "message.deleted");
    return page;
  };
  await Promise.all([channel.loadOlder(), clock.advance()]);
  assert.deepEqual(contents(channel).slice(3, 7), ["old 4", "edited", "", "old 7"]);
  const [, , , , fifth] = server.messages;
  server.tell("message.updated", { ...fifth!, content: "same millisecond, later" });
  assert.equal(contents(channel)[4], "same millisecond, later");
  server.handlers["updateMessage"] = () => ({ data: fifth });
  await channel.edit("c1-5", "edited");
  assert.equal(contents(channel)[4], "same millisecond, later", "the ack of an edit before it");
  const stale = { ...server.messages[4]!, content: "stale", updatedAt: "2020-01-01T00:00:00.000Z" };
  server.tell("message.updated", stale);
  assert.equal(contents(channel)[4], "same millisecond, later");
});

test("marks: delivered by itself, seen when told, each newest only and never back", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 2);
  await clock.advance(1_000);
  for (let count = 0; count < 3; count += 1) server.write("c1", "new");
  server.write("c1", "mine", "me");
  await clock.advance(1_000);
  assert.deepEqual(
    server.askedFor("message:delivered"),
    ["c1-2", "c1-3", "c1-5"].map((messageId) => ({ messageId })),
  );
  channel.markSeen();
  channel.markSeen("c1-1");
  await clock.advance(1_000);
  assert.deepEqual(server.askedFor("message:seen"), [{ messageId: "c1-5" }]);
});

test("a mark that was lost with the connection is told on the next one", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 2);
  await clock.advance(1_000);
  server.handlers["message:seen"] = () => {
    server.handlers["message:seen"] = () => ({ data: {} });
    server.sockets[0]!.drop();
    return undefined;
  };
  channel.markSeen();
  await clock.advance(2_000);
  assert.deepEqual(server.askedFor("message:seen"), [{ messageId: "c1-2" }, { messageId: "c1-2" }]);
});

test("a mark that is refused for the moment is told when that is over, and not before", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 2);
  await clock.advance(1_000);
  for (const event of ["message:seen", "message:delivered"]) {
    server.handlers[event] = () => refused("RATE_LIMITED", "after", 5_000);
  }
  channel.markSeen();
  await clock.advance(600);
  server.write("c1", "new");
  await clock.advance(3_000);
  for (const event of ["message:seen", "message:delivered"]) server.handlers[event] = () => ({ data: {} });
  const told = (event: string) => server.askedFor(event).map(({ messageId }) => messageId);
  assert.deepEqual([told("message:seen"), told("message:delivered")], [["c1-2"], ["c1-2"]]);
  await clock.advance(60_000);
  assert.deepEqual(
    [told("message:seen"), told("message:delivered")],
    [
      ["c1-2", "c1-2"],
      ["c1-2", "c1-3"],
    ],
  );
  server.handlers["message:seen"] = () => refused("FORBIDDEN");
  channel.markSeen();
  await clock.advance(60_000);
  assert.deepEqual(told("message:seen"), ["c1-2", "c1-2", "c1-3"]);
});

test("what one user has seen, or would have asked, is not told as the next one's, whose own marks are", async () => {
  const all = world();
  const { clock, server } = all;
  let who = "ada";
  Object.assign(all.platform, { fetch: async () => response(200, { user: { id: who, username: who } }) });
  const one = all.client({ getToken: () => jwt(clock, 600, { sub: who }) });
  for (let count = 0; count < 3; count += 1) server.write("c1", "new", "eve");
  const channel = one.channel("c1");
  channel.subscribe(() => {});
  one.connect();
  await clock.advance();
  assert.deepEqual(server.askedFor("message:delivered"), [{ messageId: "c1-3" }]);
  for (const seq of [1, 2]) {
    const receipt = { recipientId: "eve", status: "READ", timestamp: "" };
    server.tell("message.status", { messageId: `c1-${seq}`, channelId: "c1", seq, ...receipt });
  }
  channel.markSeen();
  one.close();
  who = "bob";
  one.connect();
  await clock.advance(2_000);
  assert.deepEqual(server.askedFor("message:seen"), []);
  assert.equal(server.askedFor("message:getStatus").length, 1, "asked at once, for her");
  assert.equal(server.askedFor("message:delivered").length, 2, "his device has them, too");
  channel.markSeen();
  await clock.advance(1_000);
  assert.deepEqual(server.askedFor("message:seen"), [{ messageId: "c1-3" }]);
});

test("how far my messages have come is asked once for many changes", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all);
  for (const content of ["a", "b", "c"]) server.write("c1", content, "me");
  server.handlers["message:getStatus"] = ({ messageId }) => ({ data: { messageId, status: "READ" } });
  await clock.advance();
  for (const [seq, recipientId] of [
    [1, "bob"],
    [2, "bob"],
    [2, "eve"],
  ] as const) {
    const change = { messageId: `c1-${seq}`, channelId: "c1", seq, recipientId, status: "READ", timestamp: "" };
    server.tell("message.status", change);
  }
  await clock.advance(1_000);
  assert.deepEqual(
    channel.get().messages.map(({ deliveryStatus }) => deliveryStatus),
    ["READ", "READ", "SENT"],
  );
  assert.equal(server.askedFor("message:getStatus").length, 2);
});

test("who is put out of a channel is told, and reads on when let in again", async () => {
  const all = world();
  const { clock, server } = all;
  const { channel } = await watched(all, 1);
  server.tell("room:evicted", { room: "channel:c1" });
  assert.equal(channel.get().error?.code, "FORBIDDEN");
  server.write("c1", "unseen");
  assert.deepEqual(contents(channel), ["old 1"]);
  server.tell("roomJoined", "channel:c1");
  await clock.advance();
  assert.deepEqual(contents(channel), ["old 1", "unseen"]);
  assert.equal(channel.get().phase, "live");
  server.tell("room:evicted", { room: "channel:c1" });
  server.tell("member.added", { channelId: "c1", userId: "bob", role: "member" });
  assert.equal(channel.get().phase, "failed");
  server.tell("member.added", { channelId: "c1", userId: "me", role: "member" });
  await clock.advance();
  assert.equal(channel.get().phase, "live");
});

test("a channel that nobody watches any more asks and hears nothing, and is brought up to date later", async () => {
  const all = world();
  const { clock, server } = all;
  const { one, channel, off } = await watched(all, 1);
  const socket = server.sockets[0]!;
  const watching = socket.listeners;
  off();
  channel.subscribe(() => {})();
  await clock.advance(1_000);
  assert.ok(socket.listeners < watching);
  const asked = server.askedFor("message:history").length;
  server.write("c1", "unheard");
  await clock.advance(1_000);
  assert.equal(server.askedFor("message:history").length, asked);
  assert.equal(channel.get().phase, "behind");
  one.channel("c1").subscribe(() => {});
  await clock.advance();
  assert.deepEqual(contents(channel), ["old 1", "unheard"]);
  assert.equal(channel.get().phase, "live");
  assert.equal(socket.listeners, watching);
});

test("channels that nobody watches any more are forgotten in the end, and those that somebody watches are not", async () => {
  const { clock, client } = world();
  const one = client();
  const watched = one.channel("watched");
  const off = watched.subscribe(() => {});
  const unwatched = one.channel("unwatched");
  assert.equal(one.channel("unwatched"), unwatched);
  for (let count = 0; count < 200; count += 1) one.channel(`c${count}`);
  assert.equal(one.channel("watched"), watched);
  assert.notEqual(one.channel("unwatched"), unwatched);
  off();
  await clock.advance();
  for (let count = 0; count < 200; count += 1) one.channel(`d${count}`);
  assert.notEqual(one.channel("watched"), watched);
});
