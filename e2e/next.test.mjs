// The example application in examples/next, built and started as its users do: two browsers sign in and chat.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { startNext } from "./support/next.mjs";
import { createChannel } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { expiredToken, token } from "./support/tokens.mjs";

const PASSWORDS = { ada: "analytical", bob: "builder" };
/** What the browser itself writes when the servers are gone, at the end of a test. */
const EXPECTED = /^Failed to load resource|^WebSocket connection to .* failed/;

let browser;
before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args });
});
after(() => browser?.close());

/** A page of the application in a browser profile of its own. `sockets` has every WebSocket, with what was sent. */
async function open(t, application) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !EXPECTED.test(text)) faults.push(text);
  });
  const sockets = [];
  page.on("websocket", (socket) => {
    const seen = { socket, sent: [] };
    sockets.push(seen);
    socket.on("framesent", ({ payload }) => seen.sent.push(String(payload)));
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, [], "the page has faults");
  });
  await page.goto(application);
  return Object.assign(page, { sockets });
}

async function signIn(page, name, password = PASSWORDS[name]) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const connected = (page) => page.getByRole("status").filter({ hasText: "connected" }).waitFor();

async function openAs(t, application, name) {
  const page = await open(t, application);
  await signIn(page, name);
  await connected(page);
  return page;
}

async function write(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}

const line = (page, text) => page.locator("section li", { hasText: text });

test("two users sign in, make a channel, and chat in it; who signs out is gone", async (t) => {
  const server = await startServer(t);
  const application = await startNext(t, server);
  const ada = await open(t, application);
  await signIn(ada, "ada", "wrong");
  await ada.getByText("Wrong name or password").waitFor();
  await signIn(ada, "ada");
  await connected(ada);
  await ada.getByLabel("New channel").fill("harbour");
  await ada.getByLabel("New channel").press("Enter");
  await write(ada, "anybody here?");
  await line(ada, "anybody here?").getByText("sent").waitFor();

  const bob = await openAs(t, application, "bob");
  await bob.getByRole("button", { name: "harbour" }).click();
  await line(bob, "anybody here?").locator("b.online", { hasText: "ada" }).waitFor();
  await bob.getByLabel("Message").pressSequentially("y");
  await ada.getByText("somebody is typing").waitFor();
  await write(bob, "yes");
  await line(ada, "yes").waitFor();
  await write(ada, "good");
  await line(ada, "good").getByText("read").waitFor();
  await line(bob, "yes").getByRole("button", { name: "Delete" }).click();
  await line(ada, "deleted").locator("b", { hasText: "bob" }).waitFor();
  const written = await bob.locator("section li > p").allTextContents();
  assert.deepEqual(written, ["anybody here?", "deleted", "good"]);

  await ada.getByRole("button", { name: "Sign out" }).click();
  await ada.getByLabel("Password").waitFor();
  await line(bob, "good").locator("b:not(.online)", { hasText: "ada" }).waitFor();
  assert.equal(ada.sockets.length, 1, "one connection in all that time");
  assert.ok(ada.sockets[0].socket.isClosed());
  // Who comes next in the same browser is somebody else.
  await signIn(ada, "bob");
  await ada.getByRole("button", { name: "harbour" }).click();
  await line(ada, "deleted").getByText("bob").waitFor();
  await ada.locator("section li.mine", { hasText: "deleted" }).waitFor();
});

/** A page whose first token is another one than the application's own. */
async function openWithToken(t, application, name, make) {
  const page = await open(t, application);
  let isFirst = true;
  await page.route("**/api/roomkey", (route) => {
    if (!isFirst) return route.continue();
    isFirst = false;
    return route.fulfill({ json: { token: make() } });
  });
  await signIn(page, name);
  await connected(page);
  return page;
}

async function expectToChat(page) {
  await page.getByLabel("New channel").fill("harbour");
  await page.getByLabel("New channel").press("Enter");
  await write(page, "still here");
  await line(page, "still here").getByText("sent").waitFor();
  assert.equal(page.sockets.length, 1, "one connection in all that time");
}

test("a token that ends is renewed on the connection that stands", async (t) => {
  const server = await startServer(t);
  const application = await startNext(t, server);
  // Of a token that is in its last fifth before the page connects, another one would be got first.
  const soon = () => token("1", { exp: Math.floor(Date.now() / 1000) + 20 });
  const page = await openWithToken(t, application, "ada", soon);
  const [{ socket, sent }] = page.sockets;
  const isRenewed = () => sent.some((frame) => frame.includes("auth:refresh"));
  while (!isRenewed()) await socket.waitForEvent("framesent");
  await expectToChat(page);
});

test("a token that has ended is exchanged before anybody is bothered with it", async (t) => {
  const server = await startServer(t);
  const application = await startNext(t, server);
  const page = await openWithToken(t, application, "bob", () => expiredToken("2"));
  await expectToChat(page);
});

test("the stock socket of a session hears what is written", async (t) => {
  const server = await startServer(t);
  const application = await startNext(t, server);
  const page = await openAs(t, application, "ada");
  const channel = await createChannel(server, token("1"));
  await page.goto(`${application}/socket`);
  await page.getByText("connected").waitFor();
  const body = JSON.stringify({ content: "from a backend" });
  const headers = { authorization: `Bearer ${token("1")}`, "content-type": "application/json" };
  await fetch(`${server.url}/api/channels/${channel.id}/messages`, { method: "POST", headers, body });
  await page.getByText(/message.created .*from a backend/).waitFor();
  assert.equal(page.sockets.length, 2, "one on each page");
});

test("who is not signed in gets no token, and neither does another site", async (t) => {
  const application = await startNext(t, await startServer(t));
  const ask = (headers) => fetch(`${application}/api/roomkey`, { method: "POST", headers });
  assert.equal((await ask()).status, 401);
  assert.equal((await ask({ "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal((await fetch(`${application}/socket`, { redirect: "manual" })).status, 307);
});
