// The demo page for everybody: without a mouse, without eyes, on a phone; and what it may load.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertAccessible, DESKTOP, PHONE, picture, useBrowser } from "./support/browser.mjs";
import {
  connected,
  createChannel,
  joinChannel,
  message,
  openChannel,
  register,
  say,
  signIn,
  texts,
  write,
} from "./support/demo.mjs";
import * as rest from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const browser = useBrowser();

const TALK = [
  ["ada", "Morning! The crane on pier 4 is free until noon."],
  ["bob", "Good. The Ondine comes in at nine, 40 containers."],
  ["bob", "Her papers: https://example.com/ondine/manifest (12 pages)"],
  ["eve", "I can take the first shift if somebody brings coffee ☕"],
  ["ada", "Deal."],
  ["ada", "Two sugars?"],
  [
    "eve",
    `None. And the tide turns at 10:40, so please be quick with the heavy ones:
- the turbine
- both transformers
- whatever Bob calls “that thing”`,
  ],
  ["bob", "It is a capstan."],
  ["bob", "From 1911!"],
  ["ada", "Then it goes last, and gently."],
];

/** Three members and what they have said; the caller's page is ada's. */
async function harbour(server) {
  const names = ["ada", "bob", "eve"];
  const users = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await rest.register(server, name)])),
  );
  const { ada, bob, eve } = users;
  const post = (path, user, body) => rest.request(server, "POST", path, { token: user.token, body });
  const channel = await rest.createChannel(server, ada.token, [bob.user.id, eve.user.id]);
  await rest.addMember(server, ada.token, channel.id, eve.user.id, "moderator");
  for (const name of ["lighthouse", "weather", "lost and found"]) {
    const { channel } = rest.expectStatus(201, await post("/api/channels", bob, { name, visibility: "public" }));
    if (name === "weather") rest.expectStatus(200, await post(`/api/channels/${channel.id}/join`, ada));
    await post(`/api/channels/${channel.id}/messages`, bob, { content: "Nothing new yet." });
  }
  for (const [name, content] of TALK) {
    rest.expectStatus(201, await post(`/api/channels/${channel.id}/messages`, users[name], { content }));
  }
  return users;
}

const LOOKS = [
  ["desktop light", { viewport: DESKTOP, colorScheme: "light" }],
  ["desktop dark", { viewport: DESKTOP, colorScheme: "dark" }],
  ["phone light", { viewport: PHONE, colorScheme: "light", hasTouch: true }],
  ["phone dark", { viewport: PHONE, colorScheme: "dark", hasTouch: true }],
];

for (const [look, options] of LOOKS) {
  test(`nobody is kept out: ${look}`, async (t) => {
    const server = await startServer(t);
    await harbour(server);
    const page = await browser.open(t, server.url, { ...options, bypassCSP: true });
    const bob = await browser.open(t, server.url);
    const check = async (what) => {
      await picture(page, `${look} ${what}`.replaceAll(" ", "-"));
      await assertAccessible(page, `${what}, ${look}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${what} is ${overflow} pixels too wide`);
    };
    await check("sign-in");
    await signIn(page, "ada", "not the password at all");
    await page.getByTestId("error-notice").waitFor();
    await check("sign-in refused");
    await page.getByTestId("mode-switch").click();
    await check("register");
    await page.getByTestId("mode-switch").click();
    await signIn(page, "ada");
    await connected(page);
    await page.getByTestId("my-channels").locator('[data-name="harbour"]').getByTestId("last-activity").waitFor();
    await check("channels");

    await signIn(bob, "bob");
    await openChannel(bob, "harbour");
    await openChannel(page, "harbour");
    await message(page, "gently").waitFor();
    await bob.getByTestId("composer").pressSequentially("and");
    await page.locator('[data-testid="typing"][data-typing="1"]').waitFor();
    await message(page, "gently").focus();
    await check("chat");
    await message(page, "gently").press("e");
    await page.getByTestId("edit-input").waitFor();
    await check("editing");
    await page.getByTestId("edit-cancel").click();
    await message(page, "gently").press("Delete");
    await page.getByTestId("confirm").waitFor();
    await check("deleting");
    await page.getByTestId("confirm-no").click();
    await page.getByTestId("members-open").click();
    await page.locator('[data-testid="member"][data-online="true"]').nth(1).waitFor();
    await check("members");
    await page.getByTestId("settings-open").click();
    await check("settings");
    await page.getByTestId("settings-close").click();
    await page.getByTestId("members-close").click();

    if (options.viewport === PHONE) await page.getByTestId("back").click();
    await page.getByTestId("sessions-open").click();
    await page.getByTestId("session").first().waitFor();
    await check("sessions");
    await page.getByTestId("password-open").click();
    await check("password");
    await page.getByTestId("sessions-close").click();
    await page.getByTestId("new-channel").click();
    await check("new channel");
    await page.getByTestId("new-channel-dialog-close").click();

    await openChannel(page, "harbour");
    await server.stop("SIGKILL");
    await connected(page, "reconnecting");
    await write(page, "Is the radio dead?");
    await page.getByTestId("connection-trouble").getByText("cannot be reached").waitFor();
    await page.waitForFunction(() => getComputedStyle(document.querySelector(".banner")).opacity === "1");
    await check("disconnected");
  });
}

test("all of it can be done with the keyboard alone", async (t) => {
  const server = await startServer(t);
  const page = await browser.open(t, server.url);
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.dataset.testid);
  const focusIsOn = (testId) => page.locator(`[data-testid="${testId}"]:focus`).waitFor();
  const tabTo = async (testId, key = "Tab") => {
    for (let stops = 0; (await focused()) !== testId; stops += 1) {
      assert.ok(stops < 30, `${testId} cannot be reached; the focus is at ${await focused()}`);
      await keyboard.press(key);
    }
  };
  await tabTo("mode-switch");
  await keyboard.press("Enter");
  await tabTo("email", "Shift+Tab");
  await keyboard.type("ada@example.com");
  await tabTo("username");
  await keyboard.type("ada");
  await tabTo("password");
  await keyboard.type(rest.PASSWORD);
  await keyboard.press("Enter");
  await connected(page);

  await tabTo("new-channel");
  await keyboard.press("Enter");
  await tabTo("channel-name");
  await keyboard.type("harbour");
  await keyboard.press("Enter");
  await page.getByTestId("composer").waitFor();
  await tabTo("composer");
  await keyboard.type("first line");
  await keyboard.press("Shift+Enter");
  await keyboard.type("second line");
  await keyboard.press("Enter");
  await message(page, "second line").and(page.locator("[data-seq]")).waitFor();
  await keyboard.type("to be deleted");
  await keyboard.press("Enter");
  await message(page, "to be deleted").and(page.locator("[data-seq]")).waitFor();
  assert.deepEqual(await texts(page), ["first line\nsecond line", "to be deleted"]);

  await keyboard.press("ArrowUp");
  await focusIsOn("edit-input");
  await keyboard.press("Escape");
  await focusIsOn("message");
  await keyboard.press("Delete");
  await page.getByTestId("confirm").waitFor();
  await tabTo("confirm-yes");
  await keyboard.press("Enter");
  await message(page, "Message deleted").waitFor();
  await tabTo("messages", "Shift+Tab");
  await keyboard.press("ArrowUp");
  await keyboard.press("ArrowUp");
  await keyboard.press("e");
  await focusIsOn("edit-input");
  await keyboard.press("Control+A");
  await keyboard.type("edited");
  await keyboard.press("Enter");
  await message(page, "edited").waitFor();
  await focusIsOn("message");

  await tabTo("sessions-open", "Shift+Tab");
  await keyboard.press("Enter");
  await page.getByTestId("session").waitFor();
  await keyboard.press("Escape");
  await page.getByTestId("sessions").waitFor({ state: "detached" });
  await focusIsOn("sessions-open");
  await tabTo("members-open");
  await keyboard.press("Enter");
  await page.getByTestId("members").waitFor();
  await keyboard.press("Escape");
  await page.getByTestId("members").waitFor({ state: "detached" });
  await focusIsOn("members-open");
});

test("a screen reader hears what others write, and only that", async (t) => {
  const server = await startServer(t);
  const [ada, bob] = [await browser.open(t, server.url), await browser.open(t, server.url)];
  await register(ada, "ada");
  await register(bob, "bob");
  await createChannel(ada, "harbour");
  await say(ada, "mine");
  await joinChannel(bob, "harbour");
  await say(bob, "theirs");
  await message(ada, "theirs").waitFor();
  const log = ada.getByRole("log");
  await log.getByText("bob: theirs").waitFor();
  assert.equal(await log.innerText(), "bob: theirs");
  for (const name of ["complementary", "navigation", "main", "heading"])
    assert.ok(await ada.getByRole(name).count(), name);
});

test("a phone shows one thing at a time, and nothing sticks out at 360 pixels", async (t) => {
  const server = await startServer(t);
  await harbour(server);
  const page = await browser.open(t, server.url, {
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
  });
  await signIn(page, "ada");
  await connected(page);
  const fits = async (what) => {
    await picture(page, `narrow ${what}`.replaceAll(" ", "-"));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${what} sticks out`);
  };
  assert.equal(await page.getByTestId("composer").count(), 0);
  await fits("channels");
  await page.locator('[data-name="harbour"]').tap();
  await say(page, "on my way with the loooooooooooooooooooooooooooooooooooooooooooooooooooooooooooong crane");
  assert.ok(!(await page.getByTestId("my-channels").isVisible()));
  await fits("chat");
  await page.getByTestId("members-open").tap();
  await page.getByTestId("member").first().waitFor();
  assert.ok(!(await page.getByTestId("composer").isVisible()));
  await fits("members");
  await page.getByTestId("members-close").tap();
  await page.getByTestId("composer").waitFor();
  await page.goBack();
  await page.getByTestId("my-channels").waitFor();
  await page.getByTestId("sessions-open").tap();
  await page.getByTestId("session").first().waitFor();
  await fits("sessions");
});

test("the page loads nothing from elsewhere and may not be framed", async (t) => {
  const server = await startServer(t);
  const requested = [];
  const page = await browser.open(t, server.url);
  page.on("request", (request) => requested.push(new URL(request.url()).origin));
  const answer = await page.reload();
  assert.deepEqual([...new Set(requested)], [server.url]);
  const policy = answer.headers()["content-security-policy"];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe-(inline|eval)/);
});
