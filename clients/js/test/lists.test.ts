import assert from "node:assert/strict";
import { test } from "node:test";

import type { Channel, ChannelListState, Member } from "../src/index.js";
import { type Answer, refused } from "./support/server.js";
import { response, world, type World } from "./support/world.js";

const channel = (id: string, change: Partial<Channel> = {}): Channel => ({
  id,
  name: id,
  visibility: "public",
  createdBy: "bob",
  createdAt: "2026-11-21T00:00:00.000Z",
  lastSeq: 0,
  ...change,
});

/** A server with these channels, which gives so many in a page. */
function withChannels(pageSize = 100, ...channels: Channel[]) {
  const here = { ...world(), channels };
  here.server.handlers["channel:list"] = ({ scope, after }) => {
    const isIn = ({ id, role, visibility }: Channel) =>
      (scope === "mine" ? role !== undefined : visibility === "public") && id > (after ?? "");
    return { data: { channels: here.channels.filter(isIn).slice(0, pageSize) } };
  };
  return here;
}

async function connected(here: World) {
  const client = here.client();
  client.connect();
  await here.clock.advance();
  return client;
}

const names = ({ channels }: ChannelListState) =>
  [...channels.values()].map(({ id, role }) => (role === undefined ? id : `${id} ${role}`)).sort();

test("channels: all pages of mine and of the public ones, each once", async () => {
  const all = ["a", "b", "c", "d", "e"].map((id) => channel(id, id < "d" ? { role: "member" } : {}));
  const here = withChannels(2, ...all, channel("f", { visibility: "private" }));
  const { channels } = await connected(here);
  assert.equal(channels.get().isLoaded, false);
  channels.subscribe(() => {});
  await here.clock.advance();
  assert.deepEqual(names(channels.get()), ["a member", "b member", "c member", "d", "e"]);
});

test("channels: what is made, joined and left is there at once, and what others do is followed", async () => {
  const here = withChannels(100, channel("a"), channel("b", { role: "member", lastSeq: 4 }));
  const { server, clock } = here;
  const client = await connected(here);
  const { channels } = client;
  channels.subscribe(() => {});
  await clock.advance();

  server.handlers["channel:create"] = ({ name }) => ({ data: channel(name, { role: "owner" }) });
  server.handlers["channel:join"] = ({ channelId }) => ({ data: channel(channelId, { role: "member" }) });
  server.handlers["channel:leave"] = ({ channelId }) => ({ data: { channelId, userId: "me" } });
  await channels.create("c", "public");
  await channels.join({ channelId: "a" });
  assert.deepEqual(names(channels.get()), ["a member", "b member", "c owner"]);
  assert.deepEqual(server.askedFor("channel:create"), [{ name: "c", visibility: "public" }]);

  server.tell("member.added", { channelId: "a", userId: "me", role: "moderator" });
  server.tell("member.added", { channelId: "a", userId: "bob", role: "reader" });
  server.tell("channel.updated", channel("b", { name: "bees", lastSeq: 4 }));
  assert.equal(channels.get().channels.get("a")?.role, "moderator");
  assert.deepEqual(
    [channels.get().channels.get("b")?.name, channels.get().channels.get("b")?.role],
    ["bees", "member"],
  );

  here.channels = [channel("a"), channel("b", { role: "member" }), channel("c", { role: "owner" })];
  const left = channels.leave("a");
  await clock.advance();
  await left;
  await clock.advance(500);
  assert.deepEqual(names(channels.get()), ["a", "b member", "c owner"], "a public one can be joined again");

  here.channels = [channel("c", { role: "owner" }), channel("d", { role: "reader", visibility: "private" })];
  server.tell("room:evicted", { room: "channel:b" });
  assert.equal(channels.get().channels.has("b"), false);
  server.tell("roomJoined", "channel:d");
  await clock.advance(1_000);
  assert.deepEqual(names(channels.get()), ["c owner", "d reader"]);
});

test("channels: an answer that is older than a message takes nothing back, and a refusal is told", async () => {
  const here = withChannels(100, channel("a", { role: "member", lastSeq: 0 }));
  const { channels } = await connected(here);
  channels.subscribe(() => {});
  await here.clock.advance();
  here.server.write("a", "one");
  assert.equal(channels.get().channels.get("a")?.lastSeq, 1);
  channels.refresh();
  await here.clock.advance(500);
  assert.equal(channels.get().channels.get("a")?.lastSeq, 1);

  here.server.handlers["channel:list"] = () => refused("RATE_LIMITED", "after", 100);
  channels.refresh();
  await here.clock.advance(500);
  assert.equal(channels.get().error?.code, "RATE_LIMITED");
  assert.deepEqual(names(channels.get()), ["a member"]);
});

/** Holds back the answers to `event`, which are made when they are asked for, until the function returned is called. */
function heldBack({ server }: World, event: string) {
  const answer = server.handlers[event]!;
  let goOn = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  server.handlers[event] = async (payload, socket) => {
    const made = await answer(payload, socket);
    await held;
    return made;
  };
  return () => ((server.handlers[event] = answer), goOn());
}

test("channels: what changes while the list is loaded is not taken back by an answer that is older", async () => {
  const mine = ["renamed", "promoted", "left", "quiet"].map((id) => channel(id, { role: "member" }));
  const here = withChannels(100, ...mine, channel("joined"));
  const { server, clock } = here;
  const { channels } = await connected(here);
  channels.subscribe(() => {});
  await clock.advance();
  const goOn = heldBack(here, "channel:list");
  channels.refresh();
  await clock.advance(500);

  server.handlers["channel:join"] = ({ channelId }) => ({ data: channel(channelId, { role: "member" }) });
  const join = channels.join({ channelId: "joined" });
  server.tell("channel.updated", channel("renamed", { name: "new" }));
  server.tell("member.added", { channelId: "promoted", userId: "me", role: "owner" });
  server.tell("room:evicted", { room: "channel:left" });
  server.tell("room:evicted", { room: "channel:unknown" });
  await clock.advance();
  await join;
  const expected = ["joined member", "promoted owner", "quiet member", "renamed member"];
  assert.deepEqual(names(channels.get()), expected);
  goOn();
  await clock.advance();
  assert.deepEqual(names(channels.get()), expected);
  assert.equal(channels.get().channels.get("renamed")?.name, "new");
  here.channels = here.channels.map((known) => (known.id === "quiet" ? channel("quiet", { role: "owner" }) : known));
  await clock.advance(500);
  assert.equal(channels.get().channels.get("quiet")?.role, "owner", "it is asked again");
});

test("channels and members: what the server puts off is asked for again when that is over", async () => {
  const here = withChannels(100, channel("a", { role: "member" }));
  const { server, clock } = here;
  const answers: Record<string, () => Answer> = {
    "channel:list": () => ({ data: { channels: [] } }),
    "channel:members": () => ({ data: { members: [member("bob")] } }),
  };
  for (const event of Object.keys(answers)) server.handlers[event] = () => refused("RATE_LIMITED", "after", 3_000);
  const client = await connected(here);
  const lists = [client.channels, client.members("a")];
  const offs = lists.map((list) => list.subscribe(() => {}));
  await clock.advance();
  assert.deepEqual(
    lists.map((list) => list.get().error?.code),
    ["RATE_LIMITED", "RATE_LIMITED"],
  );
  Object.assign(server.handlers, answers);
  await clock.advance(2_999);
  assert.ok(lists.every((list) => !list.get().isLoaded));
  await clock.advance(1);
  assert.ok(lists.every((list) => list.get().isLoaded && list.get().error === null));

  for (const event of Object.keys(answers)) server.handlers[event] = () => refused("FORBIDDEN");
  client.channels.refresh();
  server.tell("member.added", { channelId: "a", userId: "eve", role: "member" });
  await clock.advance(500);
  const asked = server.asked.length;
  await clock.advance(600_000);
  assert.equal(server.asked.length, asked, "what is refused for good is not asked again");
  for (const off of offs) off();
});

test("channels: nobody who watches, nothing asked; and the next user begins with nothing", async () => {
  const here = withChannels(100, channel("a", { role: "member" }));
  let user = "me";
  const token = () => `h.${Buffer.from(JSON.stringify({ sub: user })).toString("base64url")}.s`;
  const client = here.client({ getToken: token });
  client.connect();
  await here.clock.advance();
  client.channels.refresh();
  await here.clock.advance(1_000);
  assert.equal(here.server.askedFor("channel:list").length, 0);
  client.channels.subscribe(() => {});
  await here.clock.advance();
  assert.equal(client.channels.get().isLoaded, true);
  client.close();
  user = "eve";
  here.server.handlers["channel:list"] = () => refused("UNAVAILABLE", "after");
  client.connect();
  await here.clock.advance(1_000);
  assert.deepEqual(names(client.channels.get()), []);
});

test("the newest message of each channel of mine is known, kept up to date, and not asked for twice", async () => {
  const here = withChannels();
  const { server, clock } = here;
  for (const id of ["a", "b", "c"]) server.write(id, `first of ${id}`);
  here.channels = ["a", "b"]
    .map((id) => channel(id, { role: "member", lastSeq: 1 }))
    .concat(channel("c", { lastSeq: 1 }));
  const client = await connected(here);
  client.channels.subscribe(() => {});
  client.newest.subscribe(() => {});
  await clock.advance();
  const contents = () => [...client.newest.get().values()].map(({ content }) => content);
  assert.deepEqual(contents(), ["first of a", "first of b"]);

  server.write("a", "second of a");
  await clock.advance();
  assert.deepEqual(contents(), ["second of a", "first of b"]);
  server.change("a-2", { content: "edited", editedAt: "2026-11-21T00:00:01.000Z" });
  server.change("a-1", { content: "not the newest", editedAt: "2026-11-21T00:00:01.000Z" });
  assert.deepEqual(contents(), ["edited", "first of b"]);
  server.change("b-1", { content: "" }, "message.deleted");
  assert.ok(client.newest.get().get("b")?.deletedAt);
  await clock.advance(5_000);
  assert.equal(server.askedFor("message:history").length, 2);
});

test("the newest messages are asked for again where the server puts that off", async () => {
  const here = withChannels(100, channel("a", { role: "member", lastSeq: 1 }));
  here.server.write("a", "hello");
  const answer = here.server.handlers["message:history"]!;
  here.server.handlers["message:history"] = () => refused("RATE_LIMITED", "after", 2_000);
  const client = await connected(here);
  client.newest.subscribe(() => {});
  await here.clock.advance();
  here.server.handlers["message:history"] = answer;
  await here.clock.advance(1_999);
  assert.equal(client.newest.get().size, 0);
  await here.clock.advance(1);
  assert.equal(client.newest.get().get("a")?.content, "hello");
});

test("the newest messages are asked for after a connection that was recovered, too", async () => {
  const here = withChannels(100, channel("a", { role: "member", lastSeq: 1 }));
  here.server.write("a", "hello");
  const client = await connected(here);
  const goOn = heldBack(here, "message:history");
  client.newest.subscribe(() => {});
  await here.clock.advance();
  const socket = here.server.sockets[0]!;
  socket.recovered = true;
  socket.drop();
  goOn();
  await here.clock.advance(500);
  assert.equal(client.newest.get().get("a")?.content, "hello");
});

const member = (id: string): Member => ({ user: { id, username: id }, role: "member", joinedAt: "" });

test("members: all pages; who comes is asked for, and who goes is gone at once", async () => {
  const here = world();
  let all = Array.from({ length: 120 }, (_, index) => member(`u${String(index).padStart(3, "0")}`));
  here.server.handlers["channel:members"] = ({ after, limit }) => ({
    data: { members: all.filter(({ user }) => user.id > (after ?? "")).slice(0, limit) },
  });
  const client = await connected(here);
  const members = client.members("c1");
  assert.equal(members, client.members("c1"));
  members.subscribe(() => {});
  await here.clock.advance();
  assert.deepEqual([members.get().isLoaded, members.get().members.length], [true, 120]);

  all = [...all.slice(1), member("u999")];
  here.server.tell("member.removed", { channelId: "c1", userId: "u000" });
  assert.equal(members.get().members.length, 119);
  here.server.tell("member.removed", { channelId: "c2", userId: "u001" });
  assert.equal(members.get().members.length, 119);
  here.server.tell("member.added", { channelId: "c1", userId: "u999", role: "member" });
  await here.clock.advance(500);
  assert.equal(members.get().members.at(-1)?.user.id, "u999");
  assert.equal(members.get().members.length, 120);
});

test("members are added by name or id over HTTP, with a fresh token where that one has just ended", async () => {
  const here = world();
  const asked: string[] = [];
  const ended = { code: "TOKEN_EXPIRED", message: "Token expired", retry: "refresh" };
  const fetch = async (url: unknown, init?: RequestInit) => {
    const token = new Headers(init?.headers).get("authorization");
    asked.push(`${init?.method} ${String(url)} ${init?.body} ${token}`);
    return asked.length === 1 ? response(401, ended) : response(201, {});
  };
  let tokens = 0;
  const getToken = () => `token-${(tokens += 1)}`;
  const platform = { ...here.platform, fetch: fetch as typeof globalThis.fetch };
  const client = here.client({ getToken, platform });
  await client.members("c 1").add({ username: "bob" }, "reader");
  const request = 'POST http://roomkey/api/channels/c%201/members {"username":"bob","role":"reader"} Bearer';
  assert.deepEqual(asked, [`${request} token-1`, `${request} token-2`]);
});
