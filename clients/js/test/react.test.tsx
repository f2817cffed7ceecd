import assert from "node:assert/strict";
import { test } from "node:test";

import { useEffect, useState } from "react";
import { renderToString } from "react-dom/server";

import {
  RoomkeyProvider,
  useChannel,
  useConnection,
  useEvent,
  useMe,
  useNotifications,
  usePresence,
  useSocket,
  useTyping,
  type ChannelView,
} from "../src/react/index.js";
import { screen } from "./support/dom.js";
import { refusal, refused } from "./support/server.js";
import { jwt, type World, world } from "./support/world.js";

function Status() {
  const { phase, error, needsLogin } = useConnection();
  return `${phase} ${error?.code ?? ""} ${needsLogin ? "login" : ""}`.trim();
}

/** What a provider needs to make its own client in this world. */
const own = ({ clock, platform }: World) => ({ url: "http://roomkey", platform, getToken: () => jwt(clock, 600) });

const connections = ({ server }: World) => server.sockets.filter((socket) => socket.connected).length;

test("a provider makes one connection under StrictMode, and ends it when it goes", async () => {
  const all = world();
  const page = await screen(
    all.clock,
    <RoomkeyProvider {...own(all)}>
      <Status />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, "connected");
  await page.show(
    <RoomkeyProvider {...own(all)}>
      <Status />
    </RoomkeyProvider>,
  );
  assert.equal(
    all.server.sockets.reduce((sum, socket) => sum + socket.attempts, 0),
    1,
    "over all renders",
  );
  assert.equal(connections(all), 1);
  await page.unmount();
  assert.equal(connections(all), 0);
  assert.equal(all.clock.pending, 0);
});

test("a client that is given is held, and not made again", async () => {
  const all = world();
  const client = all.client();
  const page = await screen(
    all.clock,
    <RoomkeyProvider client={client}>
      <Status />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, "connected");
  await page.unmount();
  assert.equal(client.connection.get().phase, "idle");
  assert.equal(all.server.sockets.length, 1);
});

test("another url is another client; the token function is that of the last render", async () => {
  const all = world();
  const provider = (url: string, token: string) => (
    <RoomkeyProvider url={url} platform={all.platform} getToken={() => token}>
      <Status />
    </RoomkeyProvider>
  );
  const page = await screen(all.clock, provider("http://a", "one"));
  await page.show(provider("http://a", "two"));
  await page.run(() => all.server.tell("auth:expiring", { expiresAt: "" }));
  assert.deepEqual(all.server.askedFor("auth:refresh"), [{ token: "two" }]);
  await page.show(provider("http://b", "three"));
  await page.run(() => {}, 1_000);
  assert.equal(page.text, "connected");
  assert.equal(connections(all), 1);
  assert.deepEqual(all.server.shown, ["one", "three"]);
});

test("a connection that ends says why, and that only a login helps", async () => {
  const all = world();
  all.server.admit = () => refusal("TOKEN_REVOKED");
  const page = await screen(
    all.clock,
    <RoomkeyProvider {...own(all)}>
      <Status />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, "stopped TOKEN_REVOKED login");
});

let channel: ChannelView;
function Channel({ id }: { id: string }) {
  channel = useChannel(id);
  const { phase, messages, outgoing } = channel;
  const shown = [...messages, ...outgoing].map(({ content, deliveryStatus }) => `${content}:${deliveryStatus}`);
  return `${phase} ${shown.join(" ")}`;
}

test("useChannel: messages, an optimistic send, an edit, a deletion, a failure, older ones", async () => {
  const all = world();
  const { clock, server } = all;
  for (let count = 1; count <= 51; count += 1) server.write("c1", `m${count}`);
  server.handlers["updateMessage"] = ({ messageId, content }) => ({ data: server.change(messageId, { content }) });
  server.handlers["deleteMessage"] = () => refused("FORBIDDEN");
  const page = await screen(
    clock,
    <RoomkeyProvider {...own(all)}>
      <Channel id="c1" />
    </RoomkeyProvider>,
  );
  assert.match(page.text, /^live m2:SENT .* m51:SENT$/);
  await page.run(() => channel.loadOlder());
  assert.match(page.text, /^live m1:SENT m2:SENT/);

  server.sockets[0]!.comesBack = false;
  await page.run(() => server.sockets[0]!.drop());
  await page.run(() => void channel.send("mine"));
  assert.match(page.text, /^behind .*m51:SENT mine:SENDING$/);
  await page.run(() => server.sockets[0]!.comeBack());
  assert.match(page.text, /^live .*m51:SENT mine:SENT$/);

  await page.run(() => channel.edit("c1-51", "better"));
  assert.match(page.text, /better:SENT mine:SENT$/);
  await page.run(() => channel.remove("c1-51").catch(() => {}));
  assert.match(page.text, /better:SENT mine:SENT$/);

  server.handlers["sendMessage"] = () => refused("FORBIDDEN");
  await page.run(() => void channel.send("no"));
  assert.match(page.text, /mine:SENT no:FAILED$/);
  await page.run(() => channel.discard(channel.outgoing[0]!.clientId));
  assert.match(page.text, /mine:SENT$/);
  await page.unmount();
  assert.equal(clock.pending, 0);
});

test("useChannel: another channel takes the place of the first, which hears nothing more", async () => {
  const all = world();
  const { clock, server } = all;
  server.write("c1", "one");
  server.write("c2", "two");
  const client = all.client();
  const show = (id: string) => (
    <RoomkeyProvider client={client}>
      <Channel id={id} />
    </RoomkeyProvider>
  );
  const page = await screen(clock, show("c1"));
  const listeners = server.sockets[0]!.listeners;
  await page.show(show("c2"));
  await page.run(() => {}, 1_000);
  assert.equal(page.text, "live two:SENT");
  assert.equal(server.sockets[0]!.listeners, listeners);
  await page.unmount();
  const left = server.sockets[0]!.listeners;
  const again = await screen(clock, show("c1"));
  await again.unmount();
  assert.equal(server.sockets[0]!.listeners, left, "nothing is left behind");
});

test("two components with one channel are one stream", async () => {
  const all = world();
  all.server.write("c1", "one");
  const two = (
    <RoomkeyProvider {...own(all)}>
      <Channel id="c1" />
      <Channel id="c1" />
    </RoomkeyProvider>
  );
  const page = await screen(all.clock, two);
  assert.equal(page.text, "live one:SENTlive one:SENT");
  assert.equal(all.server.askedFor("message:history").length, 2, "the page, and what came after it");
});

test("useTyping, usePresence, useNotifications, useMe and useEvent", async () => {
  const all = world();
  const { clock, server } = all;
  server.handlers["presence:get"] = () => ({ data: { presence: [{ userId: "bob", online: true, lastSeen: null }] } });
  server.handlers["typing:get"] = () => ({ data: { typing: [] } });
  server.handlers["message:getOfflineCount"] = () => ({ data: { total: 3, unread: 3, channels: [] } });
  let input = () => {};
  function Page() {
    const typing = useTyping("c1");
    input = typing.input;
    const online = usePresence({ userIds: ["bob"] }).get("bob")?.online;
    const { unread, notifications } = useNotifications();
    const [events, setEvents] = useState(0);
    useEvent("member.added", () => setEvents(events + 1));
    return [typing.typing, online, unread, notifications, useMe()?.id, events].map(String).join(" ");
  }
  const page = await screen(
    clock,
    <RoomkeyProvider {...own(all)}>
      <Page />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, " true 3  me 0");
  await page.run(() => {
    server.tell("typing.update", { userId: "bob", channelId: "c1", isTyping: true, timestamp: "" });
    server.tell("presence.update", { userId: "bob", online: false, lastSeen: "now" });
    server.tell("notification", "hello");
  });
  for (let count = 0; count < 2; count += 1) {
    await page.run(() => server.tell("member.added", { channelId: "c1", userId: "bob", role: "member" }));
  }
  assert.equal(page.text, "bob false 3 hello me 2");
  await page.run(input);
  await page.unmount();
  assert.equal(server.askedFor("typing:stop").length, 0, "the connection went with the page");
  assert.equal(clock.pending, 0);
});

test("a component that goes while its user types says so", async () => {
  const all = world();
  const client = all.client();
  let input = () => {};
  function Composer() {
    input = useTyping("c1").input;
    return null;
  }
  const page = await screen(
    all.clock,
    <RoomkeyProvider client={client}>
      <Composer />
    </RoomkeyProvider>,
  );
  await page.run(input);
  await page.show(<RoomkeyProvider client={client}>gone</RoomkeyProvider>);
  await page.run(() => {}, 100);
  assert.equal(all.server.askedFor("typing:stop").length, 1);
});

/** The hook and the component of a tutorial, as they are written there. */
function Tutorial({ all, token }: { all: World; token: string | null }) {
  const { socket, isConnected } = useSocket(token, { platform: all.platform });
  const [heard, setHeard] = useState("");
  useEffect(() => {
    if (!socket) return;
    socket.on("message", setHeard);
    return () => void socket.off("message", setHeard);
  }, [socket]);
  return `Status: ${isConnected ? "Connected" : "Disconnected"} ${heard}`;
}

test("useSocket(token): one connection, in place for a newer token, anew for another user, none without", async () => {
  const all = world();
  const { clock, server } = all;
  const page = await screen(clock, <Tutorial all={all} token={null} />);
  assert.equal(page.text, "Status: Disconnected ");
  await page.show(<Tutorial all={all} token="one" />);
  assert.equal(page.text, "Status: Connected ");
  await page.run(() => server.tell("message", "hello"));
  assert.equal(page.text, "Status: Connected hello");
  await page.show(<Tutorial all={all} token="two" />);
  assert.deepEqual(server.askedFor("auth:refresh"), [{ token: "two" }]);
  assert.deepEqual(server.shown, ["one"]);
  server.handlers["auth:refresh"] = () => refused("PRINCIPAL_MISMATCH");
  await page.show(<Tutorial all={all} token="other user" />);
  assert.deepEqual(server.shown, ["one", "other user"]);
  assert.equal(connections(all), 1);
  await page.show(<Tutorial all={all} token={null} />);
  await page.run(() => {}, 100);
  assert.equal(connections(all), 0);
  await page.show(<Tutorial all={all} token="again" />);
  assert.equal(page.text, "Status: Connected hello");
  await page.unmount();
  assert.equal(connections(all), 0);
  assert.equal(server.sockets.length, 1);
  assert.equal(clock.pending, 0);
});

test("useSocket(token): another user's token while the connection is made again", async () => {
  const all = world();
  const { clock, server } = all;
  const [ada, newer, bob] = [
    jwt(clock, 600, { sub: "ada" }),
    jwt(clock, 700, { sub: "ada" }),
    jwt(clock, 600, { sub: "bob" }),
  ];
  const page = await screen(clock, <Tutorial all={all} token={ada} />);
  const socket = server.sockets[0]!;
  await page.run(() => socket.drop());
  await page.show(<Tutorial all={all} token={newer} />);
  assert.equal(socket.attempts, 1, "a newer one of the same user waits for the next attempt");
  await page.show(<Tutorial all={all} token={bob} />);
  assert.equal(page.text, "Status: Connected ");
  await page.run(() => {}, 60_000);
  assert.equal(page.text, "Status: Connected ");
  assert.deepEqual(server.shown, [ada, bob]);
  await page.unmount();
});

test("useSocket(): the socket of the provider; without one it says what is missing", async () => {
  const all = world();
  const client = all.client();
  let found: unknown;
  function Raw() {
    const { socket, isConnected } = useSocket();
    found = socket;
    return String(isConnected);
  }
  const page = await screen(
    all.clock,
    <RoomkeyProvider client={client}>
      <Raw />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, "true");
  assert.equal(found, client.socket);
  assert.throws(() => renderToString(<Raw />), /RoomkeyProvider/);
});

test("a server renders the page without connecting", () => {
  const all = world();
  const html = renderToString(
    <RoomkeyProvider {...own(all)}>
      <Status />
      <Channel id="c1" />
    </RoomkeyProvider>,
  );
  assert.match(html, /idle.*loading/);
  assert.equal(all.server.shown.length, 0);
  assert.equal(all.clock.pending, 0);
});

test("useMe: who is here by the session's own word, and nobody once that has ended", async () => {
  const all = world();
  const session = {
    getToken: () => "a ticket",
    request: async <T,>() => ({ user: { id: "ada", username: "ada" } }) as T,
  };
  const Me = () => String(useMe()?.id);
  const page = await screen(
    all.clock,
    <RoomkeyProvider url="http://roomkey" platform={all.platform} session={session}>
      <Me />
    </RoomkeyProvider>,
  );
  assert.equal(page.text, "ada");
  await page.run(() => all.server.sockets[0]!.drop());
  assert.equal(page.text, "ada", "also while the connection is made again");
  await page.run(() => {}, 500);
  await page.run(() => all.server.tell("auth:revoked", { code: "TOKEN_REVOKED", reason: "blocked", message: "" }));
  assert.equal(page.text, "undefined");
  await page.unmount();
});
