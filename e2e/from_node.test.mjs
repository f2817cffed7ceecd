// What docs/migration.md promises: its client and its tokens against the old server, both servers at once behind one proxy, and
// Roomkey with the backend, or the Rust program, in the old one's place.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import jwt from "jsonwebtoken";

import { connection } from "./support/client.mjs";
import { startNginx } from "./support/nginx.mjs";
import { startExample, startServer } from "./support/server.mjs";
import { folder, listen, snippets } from "./support/snippets.mjs";

const SECRET = "the secret that your backend signs with";
const API_KEY = "rk_end-to-end-key-of-32-characters-or-more";
const SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const FILES = ["before.mjs", "client.mjs", "shop.mjs", "roomkey.mjs", "channels.mjs", "between.mjs", "after.mjs"];

const sign = (claims, secret = SECRET) => jwt.sign(claims, secret, { expiresIn: "1h" });
const ada = sign({ id: 7, username: "ada" });
const staff = sign({ id: 8, username: "bob", roles: ["staff"] });
const stranger = sign({ id: 9, username: "eve" });

let snippet;
before(async () => (snippet = await snippets("docs/migration.md")));

const replaced = (text, from, to) => {
  assert.ok(text.includes(from), from);
  return text.replaceAll(from, to);
};

/** The files of the page, and its client's `open`. */
async function start(t, port) {
  let toml = replaced(snippet("roomkey.toml"), 'key_file = "/run/secrets/shop"', `key = "${API_KEY}"`);
  toml = replaced(toml, "127.0.0.1:4000", `127.0.0.1:${port}`);
  const files = Object.fromEntries(FILES.map((name) => [name, snippet(name)]));
  const directory = await folder(t, { ...files, "roomkey.toml": toml });
  const client = await import(pathToFileURL(path.join(directory, "client.mjs")));
  /** A page, once it is connected, or refused; `lines` are what is on its screen. */
  async function open(url, token, options = {}) {
    const lines = [];
    const page = client.open(url, token, (line) => lines.push(line), { forceNew: true, reconnection: false, ...options });
    t.after(() => page.socket.disconnect());
    await connection(page.socket).catch(() => {});
    return { ...page, lines };
  }
  const startRoomkey = async () => {
    const args = ["--config", path.join(directory, "roomkey.toml")];
    return (await startServer(t, { args, env: { JWT_SECRET: undefined } })).url;
  };
  const env = (url) => ({ JWT_SECRET: SECRET, ROOMKEY_URL: url, ROOMKEY_API_KEY: API_KEY, ROOMKEY_SECRET: SIGNING });
  /** The id of the channel that is `support` on the old server. */
  async function createChannels(url) {
    const options = { cwd: directory, env: { ...process.env, ...env(url) } };
    const { stdout } = await promisify(execFile)(process.execPath, ["channels.mjs"], options);
    return stdout.match(/^support (\S+)$/m)[1];
  }
  return { directory, open, startRoomkey, env, createChannels };
}

/** A port that is free now: the configuration names the backend before it is there. */
async function freePort() {
  const listener = createServer();
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** Until this line is on all of these screens. */
async function see(line, ...pages) {
  while (!pages.every(({ lines }) => lines.includes(line))) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** What the page promises of each way: the same client, tokens, events, acks and refusals. */
async function useShop({ tab, other, bob, eve, channelId }) {
  assert.deepEqual(await tab.order("tea"), { data: { item: "tea", price: 4 } });
  await see("ordered: tea for 4", tab, other);
  assert.equal((await tab.order("coffee")).error, "There is no such product");
  assert.equal((await tab.announce("Free cake")).error, "Only for staff");
  assert.deepEqual(await bob.announce("Closed at five"), { data: null });
  await see("to all: Closed at five", tab, other, bob, eve);
  const { data } = await tab.say(channelId, "Is anyone here?");
  assert.deepEqual([data.content, data.userId], ["Is anyone here?", "7"]);
  await see("ada: Is anyone here?", tab, other, bob);
  await bob.say(channelId, "Yes");
  await see("bob: Yes", tab, other, bob);
  assert.equal(typeof (await eve.say(channelId, "Let me in")).error, "string");
  assert.deepEqual(eve.lines, ["to all: Closed at five"]);
  const orders = bob.lines.filter((line) => line.startsWith("ordered"));
  assert.deepEqual(orders, []);
}

/** Who shows no token of the shop's is told so, in the words of the old server. */
async function refuse(open, url) {
  const texts = [];
  for (const token of [undefined, "nonsense", sign({ id: 7 }, "another secret of thirty-two bytes")]) {
    texts.push(...(await open(url, token)).lines);
  }
  const invalid = "Authentication error: Invalid token";
  assert.deepEqual(texts, ["Authentication error: No token provided", invalid, invalid]);
}

describe("from a Socket.IO server in Node", () => {
  test("before", async (t) => {
    const { directory, open, env } = await start(t, 0);
    const url = await listen(t, directory, "before.mjs", env("unused"));
    await refuse(open, url);
    const [tab, other, bob, eve] = await Promise.all([ada, ada, staff, stranger].map((token) => open(url, token)));
    await useShop({ tab, other, bob, eve, channelId: "support" });
  });

  test("both at once, behind one proxy: a user is on one or the other, and hears everybody", async (t) => {
    const port = await freePort();
    const { directory, open, startRoomkey, env, createChannels } = await start(t, port);
    const roomkey = await startRoomkey();
    const channelId = await createChannels(roomkey);
    const node = await listen(t, directory, "between.mjs", { ...env(roomkey), PORT: String(port) });
    const proxy = await startNginx(t, snippet("both.conf"), [
      ["listen 443 ssl;", "listen ADDRESS;"],
      ["ssl_certificate     /etc/ssl/shop.example.com.pem;", ""],
      ["ssl_certificate_key /etc/ssl/shop.example.com.key;", ""],
      ["http://127.0.0.1:3000", roomkey],
      ["http://127.0.0.1:4000", node],
    ]);
    const moved = { extraHeaders: { cookie: "realtime=roomkey", origin: "https://shop.example.com" } };
    await refuse(open, proxy);
    await refuse((url, token) => open(url, token, moved), proxy);
    // Ada has a tab on each; the others are on the old one, and then on the new one.
    for (const [one, two] of [[moved, {}], [{}, moved]]) {
      const tab = await open(proxy, ada, one);
      const other = await open(proxy, ada, two);
      const bob = await open(proxy, staff, two);
      const eve = await open(proxy, stranger, two);
      await useShop({ tab, other, bob, eve, channelId });
      for (const page of [tab, other, bob, eve]) page.socket.disconnect();
    }
    // Nothing that a client of the old one emits ends it, or leads to another place.
    const old = await open(proxy, ada);
    old.socket.emit("order:create", { item: "coffee" });
    old.socket.emit("order:create", { item: "cake" });
    old.socket.emit("sendMessage");
    await see("ordered: cake for 6", old);
    assert.equal(typeof (await old.say(`nowhere/../${channelId}`, "by a detour")).error, "string");
    assert.deepEqual(await old.order("tea"), { data: { item: "tea", price: 4 } });
  });

  test("after", async (t) => {
    const port = await freePort();
    const { directory, open, startRoomkey, env, createChannels } = await start(t, port);
    const url = await startRoomkey();
    const channelId = await createChannels(url);
    const [tab, other, bob, eve] = await Promise.all([ada, ada, staff, stranger].map((token) => open(url, token)));
    assert.equal((await tab.order("tea")).code, "BACKEND_FAILED", "the backend is not there yet");
    const backend = await listen(t, directory, "after.mjs", { ...env(url), PORT: String(port) });
    const headers = { "webhook-id": "1", "webhook-timestamp": String(Math.floor(Date.now() / 1000)), "webhook-signature": "v1,nonsense" };
    const forged = await fetch(`${backend}/events`, { method: "POST", headers, body: '{"type":"admin:announce"}' });
    assert.equal(forged.status, 401, "nobody but Roomkey asks it");
    await refuse(open, url);
    await useShop({ tab, other, bob, eve, channelId });
  });

  test("as a Rust program", async (t) => {
    const example = await readFile(new URL("../crates/server/examples/shop.rs", import.meta.url), "utf8");
    assert.equal(snippet("shop.rs"), example, "the page shows the example as it is");
    const { open } = await start(t, 0);
    const { url } = await startExample(t, "shop", ["0"], { JWT_SECRET: SECRET });
    await refuse(open, url);
    const [tab, other, bob, eve] = await Promise.all([ada, ada, staff, stranger].map((token) => open(url, token)));
    await useShop({ tab, other, bob, eve, channelId: "support" });
  });
});
