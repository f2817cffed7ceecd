// The npm package in a real browser, as it is built: modules without a bundler, two tabs of one login.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { PASSWORD } from "./support/rest.mjs";
import { startServer, temporaryDirectory } from "./support/server.mjs";

const PACKAGE = fileURLToPath(new URL("../clients/js", import.meta.url));
const SOCKET_IO = "/node_modules/socket.io-client/dist/socket.io.esm.min.js";
const PAGE = `<!doctype html><script type="importmap">{"imports": {"socket.io-client": "${SOCKET_IO}"}}</script>`;

/** A site of its own: a page, and the package that it loads. */
async function startSite(t) {
  const site = createServer(async ({ url }, response) => {
    if (url === "/") return response.setHeader("content-type", "text/html").end(PAGE);
    const file = await readFile(path.join(PACKAGE, path.normalize(url))).catch(() => undefined);
    response.writeHead(file ? 200 : 404, { "content-type": "text/javascript" }).end(file);
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  t.after(() => (site.close(), site.closeAllConnections()));
  return `http://127.0.0.1:${site.address().port}`;
}

async function startBrowser(t) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];
  const browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args });
  t.after(() => browser.close());
  return browser.newContext();
}

/** In the page: a client of the login that the tabs share, and what it does. */
async function connect({ url, registration }) {
  const { createClient, createSession } = await import("/dist/index.js");
  const storage = {
    load: () => JSON.parse(localStorage.getItem("login") ?? "null"),
    save: (grant) => localStorage.setItem("login", JSON.stringify(grant)),
  };
  const session = createSession({ url, storage });
  if (registration) await session.register(registration);
  const client = createClient({ url, session });
  const seen = { phases: [], tokens: [], error: null };
  client.connection.subscribe(() => {
    const state = client.connection.get();
    seen.phases.push(state.phase);
    seen.error = state.error?.reason ?? null;
  });
  client.socket.onAnyOutgoing((event, payload) => event === "auth:refresh" && seen.tokens.push(payload.token));
  client.connect();
  Object.assign(window, { client, session, seen });
}

test("two tabs of one login renew its token together, and end together", async (t) => {
  const site = await startSite(t);
  const config = path.join(await temporaryDirectory(t), "roomkey.toml");
  await writeFile(config, `[auth]\naccess_token_lifetime_s = 5\n[http]\norigins = ["${site}"]\n`, { mode: 0o600 });
  const server = await startServer(t, { args: ["--config", config], env: { JWT_SECRET: undefined } });
  const browser = await startBrowser(t);
  const tabs = [await browser.newPage(), await browser.newPage()];
  const exchanges = [];
  for (const tab of tabs) {
    tab.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/api/auth/refresh")) exchanges.push(request.url());
    });
    await tab.goto(site);
  }
  const registration = { email: "ada@example.com", username: "ada", password: PASSWORD };
  await tabs[0].evaluate(connect, { url: server.url, registration });
  await tabs[1].evaluate(connect, { url: server.url });
  for (const tab of tabs) await tab.waitForFunction(() => window.seen.tokens.length >= 2);

  const seen = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.seen)));
  for (const { phases } of seen) assert.deepEqual([...new Set(phases)], ["connecting", "connected"]);
  assert.deepEqual(seen[0].tokens.slice(0, 2), seen[1].tokens.slice(0, 2), "each fresh token is shown by both");
  assert.ok(exchanges.length <= Math.max(...seen.map(({ tokens }) => tokens.length)) + 1, `${exchanges.length} exchanges`);

  await tabs[0].evaluate(() => window.session.logOut());
  for (const tab of tabs) await tab.waitForFunction(() => window.seen.phases.at(-1) === "stopped");
  assert.equal(await tabs[1].evaluate(() => window.seen.error), "logged_out");
});
