// The demo page in a real browser: what waits in a channel, what was said long ago, and who may come in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import {
  adaAndBob,
  channelItem,
  createChannel,
  hear,
  longChannel,
  message,
  openAs,
  openChannel,
  register,
  say,
} from "./support/demo.mjs";
import { startServer } from "./support/server.mjs";

const browser = useBrowser();

test("what came while the user was elsewhere is counted, and begins with a line", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
  await say(ada, "old");
  await hear(bob, "old", "ada");
  // Who leaves before that has not read it.
  await message(ada, "old", "read").waitFor();
  await createChannel(bob, "attic");
  await channelItem(bob, "harbour").getByTestId("unread").waitFor({ state: "detached" });
  for (const text of ["one", "two", "three"]) await say(ada, text);

  await channelItem(bob, "harbour").getByTestId("unread").getByText("3").waitFor();
  await channelItem(bob, "harbour").getByText("ada: three").waitFor();
  /** Frame by frame: what is drawn after the messages comes with one of the next. */
  const comes = async (what) => {
    while (!(await what())) await bob.evaluate(() => new Promise(requestAnimationFrame));
  };
  await comes(async () => (await bob.title()).startsWith("(3) attic"));
  const names = () =>
    bob
      .getByTestId("my-channels")
      .locator("[data-name]")
      .evaluateAll((items) => items.map((item) => item.dataset.name));
  // Where something was written last comes first.
  await comes(async () => (await names()).join() === "harbour,attic");
  await openChannel(bob, "harbour");
  const behind = bob.locator('[data-testid="divider"] + [data-testid="message"]');
  assert.equal(await behind.getByTestId("message-content").innerText(), "one");
  await channelItem(bob, "harbour").getByTestId("unread").waitFor({ state: "detached" });
  await say(bob, "I am back");
  // Who answers has read.
  await bob.getByTestId("divider").waitFor({ state: "detached" });
});

test("what comes while the window is in the background is not read, and new when the user is back", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
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
  const ada = await openAs(browser, t, server, "ada");
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
  assert.deepEqual(
    seqs,
    Array.from({ length: 131 }, (_, index) => index + 1),
  );
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

test("an owner renames a channel and archives it, before the eyes of the others", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
  const change = async (how) => {
    await ada.getByTestId("settings-open").click();
    await how();
    await ada.getByTestId("settings-save").click();
    await ada.getByTestId("settings").waitFor({ state: "detached" });
  };
  await bob.getByTestId("members-open").click();
  await bob.getByTestId("leave-channel").waitFor();
  assert.equal(await bob.getByTestId("settings-open").count(), 0);
  await ada.getByTestId("members-open").click();
  await change(() => ada.getByTestId("channel-name").fill("haven"));
  await bob.getByTestId("channel-title").getByText("haven").waitFor();
  await change(() => ada.getByTestId("channel-archived").check());
  await bob.getByText("This channel is archived.").waitFor();
  assert.equal(await bob.getByTestId("composer").count(), 0);
  await change(() => ada.getByTestId("channel-archived").uncheck());
  await say(bob, "open again");
});
