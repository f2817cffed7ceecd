// The page inside the binary, in a real browser: what a new user does first.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { PASSWORD, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Generous: it only ends a test that hangs. */
const PATIENCE_MS = 60_000;

let browser;
before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: FLAGS });
});
after(() => browser?.close());

const COMPRESSION = {
  "not compressed": {},
  "every message compressed": { ROOMKEY__ENGINE__DEFLATE: "true", ROOMKEY__ENGINE__DEFLATE_THRESHOLD_BYTES: "1" },
};

for (const [how, env] of Object.entries(COMPRESSION)) {
  test(`two people register and chat, ${how}`, async (t) => {
    const server = await startServer(t, { env });
    const ada = await register(t, server, "ada");
    const bob = await register(t, server, "bob");

    await ada.getByTestId("channel-name").fill("harbour");
    await ada.getByTestId("create-channel").click();
    await ada.getByTestId("channel-title").getByText("harbour").waitFor();

    await bob.getByTestId("reload-channels").click();
    await bob.getByTestId("public-channels").locator('[data-name="harbour"]').click();
    await bob.getByTestId("join-channel").click();

    await say(bob, "Is anyone here?");
    await hear(ada, "Is anyone here?", "bob");
    await say(ada, "Ahoy ⚓ <b>Bob</b>");
    await hear(bob, "Ahoy ⚓ <b>Bob</b>", "ada");
    assert.equal(await bob.locator('[data-testid="message-content"] b').count(), 0, "text stays text");

    const { text } = await request(server, "GET", "/metrics");
    assert.equal(/^roomkey_deflate_messages_total 0$/m.test(text), how === "not compressed");
  });
}

test("a private channel is for those who were invited", async (t) => {
  const server = await startServer(t);
  const ada = await register(t, server, "ada");
  const bob = await register(t, server, "bob");
  await ada.getByTestId("channel-name").fill("secret");
  await ada.getByTestId("channel-visibility").selectOption("private");
  await ada.getByTestId("create-channel").click();
  await ada.getByTestId("members-open").click();
  await ada.getByTestId("invite-name").fill("bob");
  await ada.getByTestId("invite-submit").click();
  await ada.getByTestId("member").nth(1).waitFor();
  await ada.getByTestId("members-close").click();

  await bob.getByTestId("reload-channels").click();
  await bob.getByTestId("my-channels").locator('[data-name="secret"]').click();
  await say(ada, "only for you");
  await hear(bob, "only for you", "ada");
});

test("messages survive a reload and a restart of the server", async (t) => {
  const server = await startServer(t);
  const ada = await register(t, server, "ada");
  await ada.getByTestId("channel-name").fill("harbour");
  await ada.getByTestId("create-channel").click();
  await say(ada, "before");
  await server.stop("SIGTERM");
  await server.restart();
  await connected(ada);
  await say(ada, "after");
  await ada.reload();
  await connected(ada);
  await ada.getByTestId("my-channels").locator('[data-name="harbour"]').click();
  await ada.getByTestId("message-content").getByText("after").waitFor();
  assert.deepEqual(await ada.getByTestId("message-content").allInnerTexts(), ["before", "after"]);
});

test("a login goes on over the end of its token and over a reload, until the user leaves", async (t) => {
  const env = { ROOMKEY__AUTH__ACCESS_TOKEN_LIFETIME_S: "3", ROOMKEY__AUTH__EXPIRY_WARNING_S: "1" };
  const server = await startServer(t, { env });
  const ada = await register(t, server, "ada");
  const answered = (path, status) =>
    ada.waitForResponse((answer) => answer.url() === server.url + path && answer.status() === status);
  await answered("/api/auth/refresh", 200);
  await answered("/api/auth/refresh", 200);
  await ada.getByTestId("channel-name").fill("harbour");
  await ada.getByTestId("create-channel").click();
  await say(ada, "still here");
  await ada.reload();
  await connected(ada);
  await answered("/api/auth/refresh", 200);
  await ada.getByTestId("my-channels").locator('[data-name="harbour"]').click();
  await say(ada, "and here");
  const left = answered("/api/auth/logout", 204);
  await ada.getByTestId("sign-out").click();
  await left;
  await ada.getByTestId("login-submit").waitFor();
});

test("a wrong password is told as such, and the page has no faults of its own", async (t) => {
  const server = await startServer(t);
  const page = await open(t, server);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.getByTestId("email").fill("nobody@example.com");
  await page.getByTestId("password").fill("not the password at all");
  await page.getByTestId("login-submit").click();
  await page.locator('[data-testid="error-notice"][data-code="INVALID_CREDENTIALS"]').waitFor();
  assert.deepEqual(faults, []);
});

test("the page loads nothing from elsewhere and may not be framed", async (t) => {
  const server = await startServer(t);
  const requested = [];
  const page = await open(t, server);
  page.on("request", (request) => requested.push(new URL(request.url()).origin));
  const answer = await page.reload();
  assert.deepEqual([...new Set(requested)], [server.url]);
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /default-src 'self'|default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe-(inline|eval)/);
});

/** A page of its own browser profile, on the address that the server printed. */
async function open(t, server) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(server.url);
  return page;
}

async function register(t, server, username) {
  const page = await open(t, server);
  await page.getByTestId("mode-switch").click();
  await page.getByTestId("email").fill(`${username}@example.com`);
  await page.getByTestId("username").fill(username);
  await page.getByTestId("password").fill(PASSWORD);
  await page.getByTestId("register-submit").click();
  await connected(page);
  return page;
}

function connected(page) {
  return page.locator('[data-testid="connection-state"][data-state="connected"]').waitFor();
}

/** Writes a message and waits until the server has it. */
async function say(page, text) {
  await page.getByTestId("composer").fill(text);
  await page.getByTestId("composer").press("Enter");
  await page.locator('[data-testid="message"][data-status="sent"]').getByText(text).waitFor();
}

async function hear(page, text, author) {
  const message = page.getByTestId("message").filter({ hasText: text });
  await message.waitFor();
  assert.equal(await message.getByTestId("message-author").textContent(), author);
}
