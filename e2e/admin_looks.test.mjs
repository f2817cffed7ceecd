// The admin page for everybody: with a screen reader, a keyboard, a phone, by day and by night.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addAdmin, confirm, goTo, logIn, openAs, startWithPage } from "./support/admin.mjs";
import { assertAccessible, DESKTOP, PHONE, picture, useBrowser } from "./support/browser.mjs";
import { connect, refusal } from "./support/client.mjs";
import { createChannel, register, request } from "./support/rest.mjs";
import { forgedToken, token } from "./support/tokens.mjs";

const browser = useBrowser();

/** A server on which something goes on: users of two kinds, a channel, and somebody who guesses. */
async function startBusy(t) {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const [ada, bob] = [await register(server, "ada"), await register(server, "bob")];
  const channel = await createChannel(server, ada.token, [bob.user.id], "public");
  for (const each of [ada, ada, bob]) {
    const socket = await connect(t, server, each.token);
    await socket.emitWithAck("joinRoom", `channel:${channel.id}`);
  }
  await connect(t, server, token("auth0|65f1c0ffee", { roles: ["staff"] }));
  await refusal(t, server, { auth: { token: forgedToken("eve") }, transports: ["websocket"] });
  await request(server, "POST", "/api/auth/login", { body: { username: "ada", password: "guessed" } });
  return { server, url, ada, channel };
}

/** Every view by the link to it, and what is there once it has come. */
function views({ ada, channel }) {
  return [
    ["overview", "overview", "plots"],
    ["connections", "connections", "connections"],
    ["rooms", "rooms", "rooms"],
    ["room", `rooms/${encodeURIComponent(`channel:${channel.id}`)}`, "members"],
    ["users", "users", "users"],
    ["user", `users/${ada.user.id}`, "sessions"],
    ["security", "security", "decisions"],
    ["notify", "notify", "send"],
    ["policy", `policy?user=${ada.user.id}&room=${encodeURIComponent(`channel:${channel.id}`)}`, "explain"],
    ["account", "account", "my-sessions"],
  ];
}

const LOOKS = [
  { colorScheme: "light", viewport: DESKTOP },
  { colorScheme: "dark", viewport: DESKTOP },
  { colorScheme: "light", viewport: PHONE },
  { colorScheme: "dark", viewport: PHONE },
];

for (const look of LOOKS) {
  const name = `${look.colorScheme}, ${look.viewport.width} pixels wide`;
  test(`axe finds nothing in any view: ${name}`, async (t) => {
    const busy = await startBusy(t);
    const page = await browser.open(t, busy.url, { ...look, bypassCSP: true });
    const lookAt = async (what) => {
      await assertAccessible(page, what);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= look.viewport.width, `${what} is ${width} pixels wide`);
      await picture(page, `${what}-${look.colorScheme}-${look.viewport.width}`);
    };
    await page.getByTestId("login").waitFor();
    await lookAt("login");
    await logIn(page, "root", "wrong");
    await page.getByTestId("problem").waitFor();
    await lookAt("login-refused");
    await logIn(page, "root");
    await page.locator('[data-testid="live"][data-state="live"]').waitFor();
    for (const [what, place, there] of views(busy)) {
      await goTo(page, place);
      await page.getByTestId(there).waitFor();
      if (what === "policy") {
        await page.getByTestId("explain").click();
        await page.getByTestId("verdict").waitFor();
      }
      await lookAt(what);
    }
    await goTo(page, "connections");
    await page.locator('[data-testid="connections"] tbody a').first().click();
    await page.getByTestId("disconnect").waitFor();
    await lookAt("connection");
    await page.getByTestId("disconnect").click();
    await page.getByTestId("reason").waitFor();
    await lookAt("action");
    if (look.viewport === PHONE) {
      await page.getByTestId("action-cancel").click();
      await page.getByTestId("menu").click();
      await lookAt("menu");
    }
  });
}

test("a keyboard is enough: to a connection, into the dialog, out of it, and back to the row", async (t) => {
  const { url } = await startBusy(t);
  const page = await openAs(t, browser, url, "root");
  const focused = () => page.evaluate(() => document.activeElement?.dataset.testid ?? document.activeElement?.id ?? "");
  await page.getByTestId("to-connections").focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("connections").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Connections");
  const link = page.locator('[data-testid="connections"] tbody a').first();
  await link.focus();
  const row = await link.evaluate((element) => element.closest("tr").dataset.key);
  await page.keyboard.press("Enter");
  await page.getByTestId("disconnect").waitFor();
  assert.equal(await focused(), "detail-title");
  await page.getByTestId("disconnect").focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("reason").waitFor();
  assert.equal(await focused(), "reason");
  await page.keyboard.press("Escape");
  await page.getByTestId("action").waitFor({ state: "detached" });
  assert.equal(await focused(), "disconnect");
  await page.keyboard.press("Escape");
  await page.getByTestId("detail").waitFor({ state: "detached" });
  await page.waitForFunction((row) => document.activeElement?.closest("tr")?.dataset.key === row, row);
});

test("the focus stays in a detail whose button does away with itself, and Escape still closes it", async (t) => {
  const { url, ada } = await startBusy(t);
  const page = await openAs(t, browser, url, "root");
  const titleFocused = () => page.waitForFunction(() => document.activeElement?.id === "detail-title");
  const press = async (button) => {
    await button.focus();
    await page.keyboard.press("Enter");
  };
  const close = async () => {
    await page.keyboard.press("Escape");
    await page.getByTestId("detail").waitFor({ state: "detached" });
  };
  const detail = page.getByTestId("detail");

  await goTo(page, "connections");
  await press(page.locator('[data-testid="connections"] tbody a').first());
  await press(detail.getByTestId("disconnect"));
  await confirm(page, "maintenance");
  await detail.locator('[data-code="NOT_FOUND"]').waitFor();
  await titleFocused();
  await close();

  await goTo(page, `users/${ada.user.id}`);
  await press(detail.getByTestId("end-session"));
  await confirm(page, "a stolen laptop");
  await detail.getByTestId("end-session").waitFor({ state: "detached" });
  await titleFocused();
  await press(detail.getByTestId("block"));
  await confirm(page, "spam");
  await detail.getByTestId("unblock").waitFor();
  await close();
});

test("who hears the page is told of new decisions in the middle of a flood of them", async (t) => {
  const { server, url } = await startBusy(t);
  const page = await browser.open(t, url);
  await page.clock.install();
  await logIn(page, "root");
  await page.getByTestId("live").waitFor();
  await goTo(page, "security");
  await page.getByTestId("decisions").waitFor();
  // What was there at first is not new. From here on, the time of the page goes on only where it is told to.
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.clock.runFor(3_000);
  const rows = page.locator('[data-testid="decisions"] > li');
  for (let number = 1; number <= 3; number += 1) {
    const before = await rows.count();
    await request(server, "POST", "/api/auth/login", { body: { username: `nobody ${number}`, password: "guessed" } });
    await rows.nth(before).waitFor();
    await page.clock.runFor(2_000);
  }
  assert.match(await page.locator("main").getByRole("status").first().textContent(), /^\d+ new decisions?: /);
});

test("places are links: Back leads to the list as it was searched, and a reload stays", async (t) => {
  const { url } = await startBusy(t);
  const page = await openAs(t, browser, url, "root");
  await page.getByTestId("to-users").click();
  await page.getByTestId("users").locator("tbody tr").nth(1).waitFor();
  await page.getByTestId("search").fill("bob");
  const only = page.getByTestId("users").locator("tbody tr");
  await page.waitForFunction(() => location.hash === "#/users?q=bob");
  await only.nth(1).waitFor({ state: "detached" });
  await only.getByRole("link").click();
  await page.getByTestId("sessions").waitFor();
  await page.reload();
  await page.getByTestId("sessions").waitFor();
  await page.goBack();
  await page.getByTestId("detail").waitFor({ state: "detached" });
  assert.equal(await page.getByTestId("search").inputValue(), "bob");
});

test("who asked for less motion gets none", async (t) => {
  const { url } = await startBusy(t);
  const page = await openAs(t, browser, url, "root", { reducedMotion: "reduce" });
  await goTo(page, "connections");
  await page.getByTestId("connections").waitFor();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});
