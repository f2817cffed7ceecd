// A login in cookies that no script can read: the npm package in a real browser, on the server's own origin and on another.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { PASSWORD } from "./support/rest.mjs";
import { startServer, temporaryDirectory } from "./support/server.mjs";

const PACKAGE = fileURLToPath(new URL("../clients/js", import.meta.url));
const SOCKET_IO = "/node_modules/socket.io-client/dist/socket.io.esm.min.js";
const PAGE = `<!doctype html><script type="importmap">{"imports": {"socket.io-client": "${SOCKET_IO}"}}</script>`;
const ADA = { email: "ada@example.com", username: "ada", password: PASSWORD };
const BOB = { email: "bob@example.com", username: "bob", password: PASSWORD };

let browser;
before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args });
});
after(() => browser?.close());

/** A site beside the server, on another port: another origin, but the same site to a browser's cookies. */
async function startSite(t) {
  const site = createServer(async ({ url }, response) => {
    if (url === "/") return response.setHeader("content-type", "text/html").end(PAGE);
    const file = await readFile(path.join(PACKAGE, path.normalize(url))).catch(() => undefined);
    response.writeHead(file ? 200 : 404, { "content-type": "text/javascript" }).end(file);
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  t.after(() => (site.close(), site.closeAllConnections()));
  return `http://localhost:${site.address().port}`;
}

async function start(t, site, lifetimeS = 600) {
  const config = path.join(await temporaryDirectory(t), "roomkey.toml");
  const auth = `[auth]\nsession_cookies = true\naccess_token_lifetime_s = ${lifetimeS}\n`;
  await writeFile(config, `${auth}[http]\norigins = ["${site}"]\n`, { mode: 0o600 });
  const server = await startServer(t, { args: ["--config", config], env: { JWT_SECRET: undefined } });
  return server.url.replace("127.0.0.1", "localhost");
}

/** In the page: a session, a client, and what it has seen. */
async function begin({ url, registration }) {
  const { createClient, createCookieSession } = await import("/dist/index.js");
  const session = createCookieSession({ url });
  const client = createClient({ url, session });
  const seen = { phases: [], shown: 0, user: undefined };
  session.user.subscribe(() => (seen.user = session.user.get()?.username ?? null));
  client.connection.subscribe(() => seen.phases.push(client.connection.get().phase));
  client.socket.onAnyOutgoing((event) => event === "auth:refresh" && (seen.shown += 1));
  Object.assign(window, { client, session, seen });
  if (registration) await session.register(registration);
  client.connect();
}

/** A page of the site, in a browser profile of its own or beside another page. */
async function open(t, site, { beside, ...how }) {
  const context = beside?.context() ?? (await browser.newContext());
  if (!beside) t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(site);
  await page.evaluate(begin, how);
  return page;
}

const phase = (page, wanted) => page.waitForFunction((phase) => window.seen.phases.at(-1) === phase, wanted);

test("a page logs in, chats and logs out without a token in its hands, and is still logged in when it is loaded again", async (t) => {
  const site = await startSite(t);
  const url = await start(t, site);
  const page = await open(t, site, { url, registration: ADA });
  await phase(page, "connected");
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.equal(await page.evaluate(async () => (await window.client.me()).username), "ada");
  const sent = await page.evaluate(async () => {
    const channel = await window.client.emit("channel:create", { name: "harbour" });
    return (await window.client.send(channel.id, "hello")).content;
  });
  assert.equal(sent, "hello");

  await page.goto(site);
  await page.evaluate(begin, { url });
  await phase(page, "connected");
  assert.equal(await page.evaluate(() => window.seen.user), "ada");

  const other = await open(t, site, { url, beside: page });
  await phase(other, "connected");
  await other.evaluate(() => window.session.logOut());
  for (const tab of [page, other]) {
    await phase(tab, "stopped");
    await tab.waitForFunction(() => window.seen.user === null);
  }
  const names = (await page.context().cookies(url)).map(({ name }) => name);
  assert.deepEqual(names, []);
});

test("an access token that ends is exchanged by its cookie, and the connection stands", async (t) => {
  const site = await startSite(t);
  const url = await start(t, site, 5);
  const page = await open(t, site, { url, registration: ADA });
  await phase(page, "connected");
  const id = await page.evaluate(() => window.client.socket.id);
  await page.waitForFunction(() => window.seen.shown >= 2);
  await page.waitForFunction(() => !window.client.connection.get().error);
  assert.deepEqual(await page.evaluate(() => [...new Set(window.seen.phases)]), ["connecting", "connected"]);
  assert.equal(await page.evaluate(() => window.client.socket.id), id);
});

test("who has slept through the end of the token comes back with its cookie", async (t) => {
  const site = await startSite(t);
  const url = await start(t, site, 2);
  const page = await open(t, site, { url, registration: ADA });
  await phase(page, "connected");
  await page.evaluate(() => window.client.close());
  // Until the server has forgotten it, too.
  const isRefused = async (me) => (await fetch(me, { credentials: "include" })).status === 401;
  while (!(await page.evaluate(isRefused, `${url}/api/auth/me`))) await page.waitForTimeout(500);
  await page.evaluate(() => window.client.connect());
  await phase(page, "connected");
});

test("where somebody else logs in in another tab, the first one stops, and asks for nothing in their name", async (t) => {
  const site = await startSite(t);
  const url = await start(t, site);
  const page = await open(t, site, { url, registration: ADA });
  await phase(page, "connected");
  const other = await open(t, site, { url, registration: BOB, beside: page });
  await phase(page, "stopped");
  await phase(other, "connected");
  assert.equal(await page.evaluate(() => window.client.connection.get().error.code), "PRINCIPAL_MISMATCH");
  const create = async () => {
    const channel = { name: "made in Ada's tab", visibility: "private" };
    return window.client.request("POST", "/api/channels", channel).then(() => "made", ({ code }) => code);
  };
  assert.equal(await page.evaluate(create), "PRINCIPAL_MISMATCH");
  await page.evaluate(() => window.client.connect());
  await phase(page, "connected");
  assert.equal(await page.evaluate(async () => (await window.client.me()).username), "bob");
  assert.equal(await page.evaluate(create), "made");
});

test("a tab that was not told of another login stops when it connects again, before it shows anything of theirs", async (t) => {
  const site = await startSite(t);
  const url = await start(t, site);
  const page = await open(t, site, { url, registration: ADA });
  await phase(page, "connected");
  // A page that logs in without the package tells nobody.
  const other = await page.context().newPage();
  await other.goto(site);
  const register = async ({ url, body }) => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body), credentials: "include" };
    return (await fetch(`${url}/api/auth/register`, init)).status;
  };
  assert.equal(await other.evaluate(register, { url, body: BOB }), 201);
  await page.evaluate(() => window.client.socket.io.engine.close());
  await phase(page, "stopped");
  assert.equal(await page.evaluate(() => window.client.connection.get().error.code), "PRINCIPAL_MISMATCH");
});
