// The demo page inside the binary, in a real browser: what two people do who chat.

import assert from "node:assert/strict";
import { test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import {
  channelItem,
  connected,
  createChannel,
  hear,
  joinChannel,
  message,
  openChannel,
  register,
  say,
  texts,
  write,
} from "./support/demo.mjs";
import * as rest from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const browser = useBrowser();

/** Two new users in one public channel of ada's, both looking at it. */
async function adaAndBob(t, server) {
  const [ada, bob] = [await browser.open(t, server.url), await browser.open(t, server.url)];
  await Promise.all([register(ada, "ada"), register(bob, "bob")]);
  await createChannel(ada, "harbour");
  await joinChannel(bob, "harbour");
  return { ada, bob };
}

/** `ada` with a channel of so many messages of bob's, both made over HTTP. */
async function longChannel(server, messages) {
  const [ada, bob] = [await rest.register(server, "ada"), await rest.register(server, "bob")];
  const channel = await rest.createChannel(server, ada.token, [bob.user.id]);
  const tell = async (content) => {
    const path = `/api/channels/${channel.id}/messages`;
    rest.expectStatus(201, await rest.request(server, "POST", path, { token: bob.token, body: { content } }));
  };
  for (let number = 1; number <= messages; number += 1) await tell(`message ${number} of bob`);
  return { ada, bob, channel, tell };
}

async function openAs(t, server, username, options) {
  const page = await browser.open(t, server.url, options);
  await page.getByTestId("email").fill(username);
  await page.getByTestId("password").fill(rest.PASSWORD);
  await page.getByTestId("login-submit").click();
  await connected(page);
  return page;
}

const COMPRESSION = {
  "not compressed": {},
  "every message compressed": { ROOMKEY__ENGINE__DEFLATE: "true", ROOMKEY__ENGINE__DEFLATE_THRESHOLD_BYTES: "1" },
};

for (const [how, env] of Object.entries(COMPRESSION)) {
  test(`two people register and chat, ${how}`, async (t) => {
    const server = await startServer(t, { env });
    const { ada, bob } = await adaAndBob(t, server);
    await say(bob, "Is anyone here?");
    await hear(ada, "Is anyone here?", "bob");
    await say(ada, "Ahoy ⚓ <b>Bob</b>, see https://example.com/a?b=c.");
    await hear(bob, "Ahoy ⚓ <b>Bob</b>", "ada");
    const content = bob.getByTestId("message-content");
    assert.equal(await content.locator("b").count(), 0, "text stays text");
    assert.equal(await content.locator("a").getAttribute("href"), "https://example.com/a?b=c");

    const { text } = await rest.request(server, "GET", "/metrics");
    assert.equal(/^roomkey_deflate_messages_total 0$/m.test(text), how === "not compressed");
  });
}

test("an edit and a deletion are seen by the other, and a deletion is asked about first", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await say(ada, "see you at fife");
  await say(ada, "nonsense");
  await hear(bob, "nonsense", "ada");

  await message(ada, "see you at fife").hover();
  await message(ada, "see you at fife").getByTestId("edit").click();
  await ada.getByTestId("edit-input").fill("see you at five");
  await ada.getByTestId("edit-save").click();
  await message(bob, "see you at five").getByTestId("message-edited").waitFor();

  await message(ada, "nonsense").hover();
  await message(ada, "nonsense").getByTestId("delete").click();
  await ada.getByTestId("confirm-no").click();
  assert.deepEqual(await texts(bob), ["see you at five", "nonsense"]);
  await message(ada, "nonsense").hover();
  await message(ada, "nonsense").getByTestId("delete").click();
  await ada.getByTestId("confirm-yes").click();
  await message(bob, "Message deleted").waitFor();
  assert.deepEqual(await texts(bob), ["see you at five", "Message deleted"]);
  assert.equal(await bob.getByTestId("edit").count(), 0, "nobody edits what somebody else has written");
});

test("a message is sent, delivered when it has arrived anywhere, and read when it was on screen", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await say(ada, "you see this");
  await message(ada, "you see this", "read").waitFor();

  await createChannel(bob, "attic");
  await say(ada, "you are elsewhere");
  await message(ada, "you are elsewhere", "delivered").waitFor();
  await channelItem(bob, "harbour").getByTestId("unread").getByText("1").waitFor();

  await bob.close();
  await say(ada, "you are away");
  assert.equal(await message(ada, "you are away").getAttribute("data-status"), "sent");
  const again = await openAs(t, server, "bob");
  await message(ada, "you are away", "delivered").waitFor();
  await openChannel(again, "harbour");
  await message(ada, "you are away", "read").waitFor();
});

test("who types and who is here is shown", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await ada.locator('[data-testid="attendance"][data-members="2"][data-online="2"]').waitFor();
  await bob.getByTestId("composer").pressSequentially("hm");
  await ada.getByTestId("typing").getByText("bob is typing…").waitFor();
  await bob.getByTestId("composer").fill("");
  await ada.locator('[data-testid="typing"][data-typing="0"]').waitFor();

  await ada.getByTestId("members-open").click();
  const member = ada.getByTestId("member").filter({ hasText: "bob" });
  await member.and(ada.locator('[data-online="true"]')).waitFor();
  await bob.close();
  await member.and(ada.locator('[data-online="false"]')).waitFor();
  await member.getByText("seen just now").waitFor();
});

test("what came while the user was elsewhere is counted, and begins with a line", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await say(ada, "old");
  await hear(bob, "old", "ada");
  await createChannel(bob, "attic");
  assert.equal(await channelItem(bob, "harbour").getByTestId("unread").count(), 0);
  for (const text of ["one", "two", "three"]) await say(ada, text);

  await channelItem(bob, "harbour").getByTestId("unread").getByText("3").waitFor();
  await channelItem(bob, "harbour").getByText("ada: three").waitFor();
  assert.match(await bob.title(), /^\(3\) attic/);
  const names = () => bob.getByTestId("my-channels").locator("[data-name]").evaluateAll((items) => items.map((item) => item.dataset.name));
  assert.deepEqual(await names(), ["harbour", "attic"], "where something was written last comes first");
  await openChannel(bob, "harbour");
  const behind = bob.locator('[data-testid="divider"] + [data-testid="message"]');
  assert.equal(await behind.getByTestId("message-content").innerText(), "one");
  await channelItem(bob, "harbour").getByTestId("unread").waitFor({ state: "detached" });
  await say(bob, "I am back");
  assert.equal(await bob.getByTestId("divider").count(), 0, "who answers has read");
});

test("what comes while the window is in the background is not read, and new when the user is back", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await say(ada, "you see this");
  await message(ada, "you see this", "read").waitFor();
  await bob.evaluate(() => {
    document.hasFocus = () => false;
    dispatchEvent(new Event("blur"));
  });
  await say(ada, "are you there?");
  await say(ada, "hello?");
  await message(ada, "hello?", "delivered").waitFor();
  await channelItem(bob, "harbour").getByTestId("unread").getByText("2").waitFor();
  const behind = bob.locator('[data-testid="divider"] + [data-testid="message"]');
  assert.equal(await behind.getByTestId("message-content").innerText(), "are you there?");
  assert.equal(await message(ada, "hello?").getAttribute("data-status"), "delivered");

  await bob.evaluate(() => {
    document.hasFocus = () => true;
    dispatchEvent(new Event("focus"));
  });
  await message(ada, "hello?", "read").waitFor();
  await channelItem(bob, "harbour").getByTestId("unread").waitFor({ state: "detached" });
});

test("a long history is loaded upwards, and what is on screen stays where it is", async (t) => {
  const server = await startServer(t);
  const { tell } = await longChannel(server, 130);
  const ada = await openAs(t, server, "ada");
  await openChannel(ada, "harbour");
  await message(ada, "message 130 of bob").waitFor();
  assert.equal(await ada.getByTestId("message").count(), 50);

  const box = ada.getByTestId("messages");
  const marked = message(ada, "message 100 of bob");
  await marked.evaluate((item) => item.scrollIntoView({ block: "start" }));
  const before = await marked.boundingBox();
  assert.equal(await ada.getByTestId("message").count(), 50, "nothing is loaded before it is needed");
  await box.evaluate((element) => (element.scrollTop -= 600));
  await ada.locator('[data-testid="message"][data-seq="31"]').waitFor({ state: "attached" });
  const after = await marked.boundingBox();
  assert.ok(Math.abs(after.y - before.y - 600) < 2, `moved from ${before.y} to ${after.y}`);

  await tell("one more");
  await ada.locator('[data-testid="message"][data-seq="131"]').waitFor({ state: "attached" });
  assert.ok(Math.abs((await marked.boundingBox()).y - after.y) < 2, "what is written below moves nothing");

  while ((await ada.getByTestId("message").count()) < 131) {
    const first = await ada.getByTestId("message").first().getAttribute("data-seq");
    await box.evaluate((element) => (element.scrollTop = 0));
    await ada.waitForFunction((seq) => document.querySelector("[data-seq]").dataset.seq !== seq, first);
  }
  await ada.locator('[data-testid="history"][data-state="complete"]').waitFor();
  const seqs = await ada.getByTestId("message").evaluateAll((items) => items.map((item) => Number(item.dataset.seq)));
  assert.deepEqual(seqs, Array.from({ length: 131 }, (_, index) => index + 1));
  await ada.getByTestId("to-end").click();
  await message(ada, "one more").waitFor();
  await ada.getByTestId("to-end").waitFor({ state: "detached" });
});

test("a private channel is for those who were added, or have an invite", async (t) => {
  const server = await startServer(t);
  const permissions = ["clipboard-read", "clipboard-write"];
  const [ada, bob, eve] = await Promise.all([
    browser.open(t, server.url, { permissions }),
    browser.open(t, server.url),
    browser.open(t, server.url),
  ]);
  await Promise.all([register(ada, "ada"), register(bob, "bob"), register(eve, "eve")]);
  await createChannel(ada, "secret", "private");
  await ada.getByTestId("members-open").click();
  await ada.getByTestId("invite-name").fill("nobody");
  await ada.getByTestId("invite-submit").click();
  await ada.locator('[data-testid="error-notice"][data-code="NOT_FOUND"]').waitFor();
  await ada.getByTestId("invite-name").fill("bob");
  await ada.getByTestId("invite-submit").click();
  await ada.getByTestId("member").filter({ hasText: "bob" }).waitFor();
  await openChannel(bob, "secret");

  await ada.getByTestId("invite-link").click();
  await ada.getByTestId("notice").waitFor();
  const link = await ada.evaluate(() => navigator.clipboard.readText());
  await eve.getByTestId("reload-channels").click();
  assert.equal(await channelItem(eve, "secret").count(), 0);
  await eve.goto(link);
  await eve.getByTestId("channel-title").getByText("secret").waitFor();
  await bob.goto(link);
  await bob.locator('[data-testid="error-notice"][data-code="FORBIDDEN"]').waitFor();
  await openChannel(bob, "secret");

  await say(ada, "only for you");
  await hear(bob, "only for you", "ada");
  await hear(eve, "only for you", "ada");

  const ofBob = ada.getByTestId("member").filter({ hasText: "bob" });
  await ofBob.getByTestId("member-role").selectOption("reader");
  await bob.getByText("You can read this channel, but not write in it.").waitFor();
  await ofBob.getByTestId("member-remove").click();
  await bob.getByText("This channel is not open to you").waitFor();

  await ada.getByTestId("leave-channel").click();
  await ada.getByTestId("confirm-yes").click();
  await ada.locator('[data-testid="error-notice"][data-code="LAST_OWNER"]').waitFor();
  await eve.getByTestId("members-open").click();
  await eve.getByTestId("leave-channel").click();
  await eve.getByTestId("confirm-yes").click();
  await channelItem(eve, "secret").waitFor({ state: "detached" });
});

test("what was written while the server was down is sent when it is back, once and in order", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await say(ada, "before");
  await server.stop("SIGKILL");
  await connected(ada, "reconnecting");
  await ada.getByTestId("connection-trouble").getByText("The server cannot be reached").waitFor();
  await write(ada, "written in between");
  await write(ada, "and one more");
  assert.equal(await message(ada, "and one more").getAttribute("data-status"), "sending");
  const again = await server.restart();
  await connected(ada);
  await message(ada, "and one more").and(ada.locator("[data-seq]")).waitFor();
  await hear(bob, "and one more", "ada");
  assert.equal(await ada.getByTestId("connection-trouble").count(), 0);
  for (const page of [ada, bob]) assert.deepEqual(await texts(page), ["before", "written in between", "and one more"]);

  await again.stop("SIGTERM");
  await connected(ada, "reconnecting");
  await server.restart();
  await connected(ada);
  await ada.reload();
  await connected(ada);
  await message(ada, "and one more").waitFor();
  assert.deepEqual(await texts(ada), ["before", "written in between", "and one more"]);
});

test("a device without a network says so, and goes on by itself", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(t, server);
  await ada.context().setOffline(true);
  await connected(ada, "offline");
  await ada.getByTestId("connection-trouble").getByText("You are offline").waitFor();
  await write(ada, "from the tunnel");
  await say(bob, "meanwhile");
  await ada.context().setOffline(false);
  await connected(ada);
  await hear(bob, "from the tunnel", "ada");
  await hear(ada, "meanwhile", "bob");
  assert.deepEqual(await texts(ada), await texts(bob));
});

test("a message that the server refuses says so, and can be sent again or discarded", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__LIMITS__MESSAGE_CONTENT_BYTES: "20" } });
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  await createChannel(ada, "harbour");
  const long = "far too long to be sent to anybody";
  await write(ada, long);
  await message(ada, long, "failed").waitFor();
  await message(ada, long).getByTestId("retry").click();
  await message(ada, long, "failed").waitFor();
  await message(ada, long).getByTestId("discard").click();
  await message(ada, long).waitFor({ state: "detached" });
  await say(ada, "short");
});
