// The demo page inside the binary, in a real browser: what two people do who chat.

import assert from "node:assert/strict";
import { test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
import {
  adaAndBob,
  channelItem,
  connected,
  createChannel,
  hear,
  longChannel,
  message,
  openAs,
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

const COMPRESSION = {
  "not compressed": {},
  "every message compressed": { ROOMKEY__ENGINE__DEFLATE: "true", ROOMKEY__ENGINE__DEFLATE_THRESHOLD_BYTES: "1" },
};

for (const [how, env] of Object.entries(COMPRESSION)) {
  test(`two people register and chat, ${how}`, async (t) => {
    const server = await startServer(t, { env });
    const { ada, bob } = await adaAndBob(browser, t, server);
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
  const { ada, bob } = await adaAndBob(browser, t, server);
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
  const { ada, bob } = await adaAndBob(browser, t, server);
  await say(ada, "you see this");
  await message(ada, "you see this", "read").waitFor();

  await createChannel(bob, "attic");
  await say(ada, "you are elsewhere");
  await message(ada, "you are elsewhere", "delivered").waitFor();
  await channelItem(bob, "harbour").getByTestId("unread").getByText("1").waitFor();

  await bob.close();
  await say(ada, "you are away");
  assert.equal(await message(ada, "you are away").getAttribute("data-status"), "sent");
  const again = await openAs(browser, t, server, "bob");
  await message(ada, "you are away", "delivered").waitFor();
  await openChannel(again, "harbour");
  await message(ada, "you are away", "read").waitFor();
});

test("who types and who is here is shown", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
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

test("what was written while the server was down is sent when it is back, once and in order", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
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

test("who scrolls up while the server is down has a page that answers, and the rest when it is back", async (t) => {
  const server = await startServer(t);
  await longChannel(server, 60);
  const ada = await openAs(browser, t, server, "ada");
  await openChannel(ada, "harbour");
  await message(ada, "message 60 of bob").waitFor();
  assert.equal(await ada.getByTestId("message").count(), 50);
  await server.stop("SIGKILL");
  await connected(ada, "reconnecting");
  await ada.getByTestId("messages").evaluate((box) => {
    const scrolled = new Promise((resolve) => box.addEventListener("scroll", resolve, { once: true }));
    box.scrollTop = 0;
    return scrolled;
  });
  await ada.locator('[data-testid="history"][data-state="more"]').waitFor();
  await ada.getByTestId("load-older").click();
  await ada.getByTestId("composer").fill("still here");
  await ada.locator('[data-testid="history"][data-state="more"]').waitFor();

  await server.restart();
  await connected(ada);
  await ada.locator('[data-testid="message"][data-seq="1"]').waitFor({ state: "attached" });
  assert.equal(await ada.getByTestId("message").count(), 60);
});

test("older messages that are refused are not asked for again before the user says so", async (t) => {
  const server = await startServer(t);
  await longChannel(server, 60);
  const ada = await browser.open(t, server.url);
  await ada.addInitScript(() => {
    Object.assign(globalThis, { asked: 0, isRefused: true });
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (frame) {
      const id = /^42(\d+)\["message:history",.*"before":/.exec(String(frame))?.[1];
      if (id !== undefined) globalThis.asked += 1;
      if (id === undefined || !globalThis.isRefused) return send.call(this, frame);
      const data = `43${id}[{"error":"Slow down","code":"RATE_LIMITED","retry":"after"}]`;
      queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
    };
  });
  await ada.reload();
  await signIn(ada, "ada");
  await connected(ada);
  await openChannel(ada, "harbour");
  await message(ada, "message 60 of bob").waitFor();
  await ada.getByTestId("messages").evaluate((box) => (box.scrollTop = 0));
  await ada.locator('[data-testid="history"][data-code="RATE_LIMITED"]').waitFor();
  await say(ada, "meanwhile");
  assert.equal(await ada.evaluate(() => globalThis.asked), 1);
  await ada.evaluate(() => (globalThis.isRefused = false));
  await ada.getByTestId("load-older").click();
  await ada.locator('[data-testid="message"][data-seq="1"]').waitFor({ state: "attached" });
});

test("a device without a network says so, and goes on by itself", async (t) => {
  const server = await startServer(t);
  const { ada, bob } = await adaAndBob(browser, t, server);
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
