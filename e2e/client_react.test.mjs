// The hooks in a real browser, under StrictMode and React's development build: one connection, and nothing left behind.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { createChannel, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { token } from "./support/tokens.mjs";

const PACKAGE = fileURLToPath(new URL("../clients/js/", import.meta.url));
const PAGE = fileURLToPath(new URL("support/strict_page.jsx", import.meta.url));

/** What the browser itself writes when the server is gone, at the end of a test. */
const EXPECTED = /^Failed to load resource|^WebSocket connection to .* failed/;

let browser;
let script;
before(async () => {
  const { build } = createRequire(`${PACKAGE}package.json`)("esbuild");
  const { outputFiles } = await build({
    entryPoints: [PAGE],
    bundle: true,
    format: "iife",
    jsx: "automatic",
    // One React for the page and the package, though the folder of the tests has one, too.
    alias: {
      roomkey: `${PACKAGE}dist/index.js`,
      "roomkey/react": `${PACKAGE}dist/react/index.js`,
      react: `${PACKAGE}node_modules/react`,
      "react-dom": `${PACKAGE}node_modules/react-dom`,
    },
    define: { "process.env.NODE_ENV": '"development"' },
    write: false,
  });
  script = outputFiles[0].text;
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args });
});
after(() => browser?.close());

/** A page without anything in it. */
async function startSite(t) {
  const site = createServer((_, response) => response.setHeader("content-type", "text/html").end("<!doctype html><body>"));
  await once(site.listen(0, "127.0.0.1"), "listening");
  t.after(() => (site.close(), site.closeAllConnections()));
  return `http://127.0.0.1:${site.address().port}`;
}

/** The page of ada, who has two channels; `sockets` are all WebSockets that it ever made. */
async function open(t) {
  const server = await startServer(t);
  const channels = [await createChannel(server, token("ada")), await createChannel(server, token("ada"))];
  for (const [index, { id }] of channels.entries()) await write(server, id, `message ${index}`);
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    const isBad = ["error", "warning"].includes(message.type()) && !EXPECTED.test(message.text());
    if (isBad) faults.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, [], "the page has faults");
  });
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket));
  await page.goto(await startSite(t));
  const given = { url: server.url, token: token("ada"), channels: channels.map(({ id }) => id) };
  await page.evaluate((given) => (window.page = given), given);
  await page.addScriptTag({ content: script });
  return { page, server, sockets, channels, go: (way) => page.evaluate((way) => window.go(way), way) };
}

async function write(server, channelId, content) {
  const path = `/api/channels/${channelId}/messages`;
  assert.equal((await request(server, "POST", path, { token: token("ada"), body: { content } })).status, 201);
}

const closed = (socket) => socket.isClosed() || socket.waitForEvent("close");

test("a provider makes one connection under StrictMode, and takes it along when it goes", async (t) => {
  const { page, server, sockets, channels, go } = await open(t);
  for (let round = 1; round <= 3; round += 1) {
    await go("own");
    await page.getByText("connected, 0 unread").waitFor();
    await page.locator(".channel", { hasText: "live: message 0" }).nth(1).waitFor();
    await write(server, channels[0].id, `round ${round}`);
    await page.locator(".channel", { hasText: `round ${round}` }).nth(1).waitFor();
    assert.equal(sockets.length, round, "one connection for each time that it is on the page");
    await go("nothing");
    await closed(sockets.at(-1));
  }
});

test("components that come and go leave nothing behind on a client that stays", async (t) => {
  const { page, sockets, go } = await open(t);
  const release = await page.evaluateHandle(() => window.shared.hold());
  const show = async (way, text) => {
    await go(way);
    if (text) await page.locator(".channel", { hasText: text }).waitFor();
  };
  const listeners = () =>
    page.evaluate(async () => {
      // What is let go of is ended in the next turn.
      await new Promise((resolve) => setTimeout(resolve));
      await new Promise((resolve) => setTimeout(resolve));
      const { socket } = window.shared;
      return Object.values(socket._callbacks).reduce((sum, { length }) => sum + length, 0);
    });
  await show("shared", "live: message 0");
  await show("nothing");
  const first = await listeners();
  for (let round = 0; round < 5; round += 1) {
    await show("shared", "live: message 0");
    await show("other", "live: message 1");
    await show("nothing");
  }
  assert.equal(await listeners(), first);
  assert.equal(sockets.length, 1);
  await release.evaluate((release) => release());
  await closed(sockets[0]);
});

test("useSocket(token) makes one connection under StrictMode, and closes it", async (t) => {
  const { page, sockets, go } = await open(t);
  await go("raw");
  await page.locator(".raw", { hasText: /^connected/ }).waitFor();
  assert.equal(sockets.length, 1);
  await go("nothing");
  await closed(sockets[0]);
});
