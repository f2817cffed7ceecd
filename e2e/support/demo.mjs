// What a person does in the demo page, and what they see of it.

import assert from "node:assert/strict";

import * as rest from "./rest.mjs";

/** Makes an account, by the form. */
export async function register(page, username) {
  await page.getByTestId("mode-switch").click();
  await page.getByTestId("email").fill(`${username}@example.com`);
  await page.getByTestId("username").fill(username);
  await page.getByTestId("password").fill(rest.PASSWORD);
  await page.getByTestId("register-submit").click();
  await connected(page);
}

export async function signIn(page, username, password = rest.PASSWORD) {
  await page.getByTestId("email").fill(username);
  await page.getByTestId("password").fill(password);
  await page.getByTestId("login-submit").click();
}

/** Until the connection stands, or is what else is asked for. */
export function connected(page, state = "connected") {
  return page.locator(`[data-testid="connection-state"][data-state="${state}"]`).waitFor({ state: "attached" });
}

/** Makes a channel, and opens it. */
export async function createChannel(page, name, visibility = "public") {
  await page.getByTestId("new-channel").click();
  await page.getByTestId("channel-name").fill(name);
  await page.getByTestId("channel-visibility").selectOption(visibility);
  await page.getByTestId("create-channel").click();
  await page.getByTestId("channel-title").getByText(name).waitFor();
}

export function channelItem(page, name) {
  return page.locator(`[data-testid="channel-item"][data-name="${name}"]`);
}

export async function openChannel(page, name) {
  await channelItem(page, name).click();
  await page.getByTestId("channel-title").getByText(name).waitFor();
}

/** Looks for public channels, and joins this one. */
export async function joinChannel(page, name) {
  await page.getByTestId("reload-channels").click();
  await openChannel(page, name);
  await page.getByTestId("join-channel").click();
  await page.getByTestId("composer").waitFor();
}

/** Messages with this text, of whatever status; or of this one. */
export function message(page, text, status) {
  const selector = status === undefined ? "" : `[data-status="${status}"]`;
  return page.locator(`[data-testid="message"]${selector}`).filter({ hasText: text });
}

/** Writes a message and waits until the server has it. */
export async function say(page, text) {
  await write(page, text);
  await message(page, text).and(page.locator("[data-seq]")).waitFor();
}

export async function write(page, text) {
  await page.getByTestId("composer").fill(text);
  await page.getByTestId("composer").press("Enter");
}

export async function hear(page, text, author) {
  await message(page, text).waitFor();
  assert.equal(await message(page, text).getByTestId("message-author").textContent(), author);
}

/** All that is said in the channel on screen, top to bottom. */
export function texts(page) {
  return page.getByTestId("message-content").allInnerTexts();
}

/** Until the page for logging in is there, with this reason; the words that say it. */
export async function thrownOut(page, reason) {
  await page.locator(`[data-testid="sign-in"][data-reason="${reason}"]`).waitFor();
  return page.getByTestId("error-notice").innerText();
}

/** Two new users in one public channel of ada's, both looking at it. */
export async function adaAndBob(browser, t, server) {
  const [ada, bob] = [await browser.open(t, server.url), await browser.open(t, server.url)];
  await Promise.all([register(ada, "ada"), register(bob, "bob")]);
  await createChannel(ada, "harbour");
  await joinChannel(bob, "harbour");
  return { ada, bob };
}

/** `ada` with a channel of so many messages of bob's, both made over HTTP. */
export async function longChannel(server, messages) {
  const [ada, bob] = [await rest.register(server, "ada"), await rest.register(server, "bob")];
  const channel = await rest.createChannel(server, ada.token, [bob.user.id]);
  const tell = async (content) => {
    const path = `/api/channels/${channel.id}/messages`;
    rest.expectStatus(201, await rest.request(server, "POST", path, { token: bob.token, body: { content } }));
  };
  for (let number = 1; number <= messages; number += 1) await tell(`message ${number} of bob`);
  return { ada, bob, channel, tell };
}

/** A page of its own, in which this user is logged in. */
export async function openAs(browser, t, server, username, options) {
  const page = await browser.open(t, server.url, options);
  await signIn(page, username);
  await connected(page);
  return page;
}
