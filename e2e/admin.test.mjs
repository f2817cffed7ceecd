// The admin page in a real browser: who gets in, what they see as it happens, and what they do about it.

import assert from "node:assert/strict";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { addAdmin, admin, ADMIN_PASSWORD, confirm, goTo, logIn, openAs, startWithPage } from "./support/admin.mjs";
import { useBrowser } from "./support/browser.mjs";
import { connect, next, refusal } from "./support/client.mjs";
import { createChannel, expectStatus, PASSWORD, register, request } from "./support/rest.mjs";
import { temporaryDirectory } from "./support/server.mjs";
import { forgedToken, token } from "./support/tokens.mjs";

const browser = useBrowser();

/** A text that would do something if it were ever taken for markup. */
const MARKUP = `<img src=x onerror="globalThis.hacked=1">`;

/** Where the server listens: the addresses of its listening sockets. */
async function listening(server) {
  const descriptors = await readdir(`/proc/${server.pid}/fd`);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${server.pid}/fd/${fd}`).catch(() => "")));
  const table = await readFile(`/proc/${server.pid}/net/tcp`, "utf8");
  const rows = table.split("\n").map((row) => row.trim().split(/\s+/));
  const LISTEN = "0A";
  return rows.filter((row) => row[3] === LISTEN && links.includes(`socket:[${row[9]}]`)).map((row) => row[1]);
}

test("nothing listens for admins until there is one, nor after the last is removed", async (t) => {
  const server = await startWithPage(t);
  const before = new Set(await listening(server));
  assert.doesNotMatch(server.output.stdout, /Admin page/);
  const url = await addAdmin(t, server, "root");
  await server.printed(`Admin page: ${url}\n`);
  const added = (await listening(server)).filter((address) => !before.has(address));
  assert.equal(added.length, 1);
  const page = await browser.open(t, url);
  await page.getByTestId("login").waitFor();
  await admin(t, server, ["remove", "root"]);
  await assert.rejects(fetch(url));
  assert.deepEqual(new Set(await listening(server)), before);
});

test("a wrong password is told, too many have to wait, and the right one opens the page", async (t) => {
  const server = await startWithPage(t, { env: { ROOMKEY__LIMITS__LOGIN_FAILURES_PER_ACCOUNT: "2" } });
  const url = await addAdmin(t, server, "root");
  const page = await browser.open(t, url);
  const refused = (code) => page.locator(`[data-testid="problem"][data-code="${code}"]`);
  await logIn(page, "root", "wrong");
  await refused("INVALID_CREDENTIALS").waitFor();
  // Each failure locks for longer than the one before: on a slow machine the first lock is over before the next attempt.
  const waited = page.getByTestId("login").getByText(/^Wait \d+ s$/).waitFor();
  while ((await refused("RATE_LIMITED").count()) === 0) {
    const answer = page.waitForResponse((response) => response.url().endsWith("/api/login"));
    await logIn(page, "root", "wrong");
    await answer;
    await page.locator('[data-testid="login"][aria-busy="false"]').waitFor();
  }
  await waited;
  await page.getByTestId("login").getByText("Log in", { exact: true }).waitFor();
  await logIn(page, "root");
  await page.getByTestId("to-overview").waitFor();
  await page.reload();
  await page.getByTestId("to-overview").waitFor();
  await page.getByTestId("logout").click();
  await page.getByTestId("login").waitFor();
  await page.reload();
  await page.getByTestId("login").waitFor();
});

test("the login of a user and the cookies of a user do not count", async (t) => {
  const server = await startWithPage(t, { env: { ROOMKEY__AUTH__SESSION_COOKIES: "true" } });
  const url = await addAdmin(t, server, "root");
  const ada = await register(server, "ada");
  const withToken = await request({ url }, "GET", "/api/stats", { token: ada.token });
  assert.equal(withToken.status, 403);
  assert.equal((await request({ url }, "GET", "/api/stats")).status, 401);

  const body = { username: "ada", password: PASSWORD };
  const login = await request(server, "POST", "/api/auth/login", { headers: { origin: server.url }, body });
  const cookie = login.headers.getSetCookie().map((set) => set.split(";")[0]).join("; ");
  const theirs = await request(server, "GET", "/api/auth/me", { headers: { origin: server.url, cookie } });
  assert.equal(theirs.status, 200, "where they belong, the cookies count");
  for (const sent of [cookie, cookie.replace("__Host-roomkey=", "__Host-roomkey-admin=")]) {
    const headers = { origin: url, cookie: sent };
    assert.equal((await request({ url }, "GET", "/api/stats", { headers })).status, 401, sent);
  }
});

test("who connects appears by themselves, with device, session, token and rooms", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const page = await openAs(t, browser, url, "root");
  await goTo(page, "connections");
  await page.getByTestId("empty").waitFor();
  const ada = await register(server, "ada");
  const extraHeaders = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0" };
  const socket = await connect(t, server, ada.token, { extraHeaders });
  const channel = await createChannel(server, ada.token, [], "public");
  await socket.emitWithAck("joinRoom", `channel:${channel.id}`);
  const row = page.locator(`[data-testid="connections"] tbody tr`);
  await row.waitFor();
  assert.match(await row.innerText(), /ada[\s\S]*127\.0\.0\.1[\s\S]*Firefox 132 on Linux[\s\S]*websocket[\s\S]*in \d+ min/);
  await row.getByRole("link").click();
  const detail = page.getByTestId("detail");
  await detail.getByText(`channel:${channel.id}`).waitFor();
  const shown = await page.content();
  assert.ok(!shown.includes(ada.token) && !shown.includes(ada.token.split(".")[2]), "a token is never shown");
  await page.getByTestId("detail-close").click();
  await detail.waitFor({ state: "detached" });
  await goTo(page, "overview");
  await page.getByTestId("number-connections").getByText("1", { exact: true }).waitFor();
});

test("an admin ends a session: its client is thrown out with auth:revoked and cannot come back", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const ada = await register(server, "ada");
  const socket = await connect(t, server, ada.token);
  const page = await openAs(t, browser, url, "root");
  await goTo(page, "connections");
  await page.locator(`[data-testid="connections"] tbody a`).click();
  await page.getByTestId("end-session").click();
  await page.getByTestId("action-submit").click();
  await page.locator('[data-testid="problem"][data-code="REASON_REQUIRED"]').waitFor();
  const [revoked, gone] = [next(socket, "auth:revoked"), next(socket, "disconnect")];
  assert.equal(await confirm(page, "a stolen laptop"), "1 socket closed.");
  assert.equal((await revoked)[0].code, "TOKEN_REVOKED");
  assert.equal((await gone)[0], "io server disconnect");
  const error = await refusal(t, server, { auth: { token: ada.token }, transports: ["websocket"] });
  assert.equal(error.data.code, "TOKEN_REVOKED");
  // It is recorded, and the page itself says so.
  await goTo(page, "security");
  await page.getByTestId("all").click();
  const record = page.locator('[data-testid="decisions"] [data-event="authz_admin"]').first();
  await record.waitFor();
  assert.match(await record.innerText(), /admin root: a stolen laptop/);
});

test("an admin disconnects, notifies, kicks and blocks", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token, [], "public");
  const open = async () => {
    const socket = await connect(t, server, ada.token);
    await socket.emitWithAck("joinRoom", `channel:${channel.id}`);
    return socket;
  };
  let socket = await open();
  const page = await openAs(t, browser, url, "root");

  await goTo(page, "notify");
  await page.getByTestId("to").fill(ada.user.id);
  await page.getByTestId("notification").fill('{"title": "Tea is ready"}');
  await page.getByTestId("send").click();
  const notified = next(socket, "notification");
  await confirm(page, "tea");
  assert.deepEqual((await notified)[0], { title: "Tea is ready" });

  await goTo(page, "rooms");
  await page.locator(`[data-testid="rooms"] a`).getByText("harbour").click();
  await page.getByTestId("kick").click();
  const evicted = next(socket, "room:evicted");
  assert.equal(await confirm(page, "noise"), "1 socket left the room.");
  assert.equal((await evicted)[0].room, `channel:${channel.id}`);
  assert.ok(socket.connected);

  await goTo(page, "connections");
  await page.locator(`[data-testid="connections"] tbody a`).click();
  await page.getByTestId("disconnect").click();
  let gone = next(socket, "disconnect");
  await confirm(page, "maintenance");
  assert.equal((await gone)[0], "io server disconnect");
  socket = await open();

  await goTo(page, "users");
  await page.getByTestId("search").fill("ada");
  await page.locator(`[data-testid="users"] tbody a`).click();
  await page.getByTestId("detail").getByTestId("block").click();
  gone = next(socket, "disconnect");
  await confirm(page, "spam");
  await gone;
  await page.getByTestId("unblock").waitFor();
  const body = { username: "ada", password: "7 purple tandems at noon" };
  assert.notEqual((await request(server, "POST", "/api/auth/login", { body })).status, 200);
  await page.getByTestId("unblock").click();
  await confirm(page, "a mistake");
  await page.getByTestId("detail").getByTestId("block").waitFor();
  expectStatus(200, await request(server, "POST", "/api/auth/login", { body }));
});

test("many are disconnected only by who types how many they are", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const sockets = await Promise.all(["ada", "bob", "eve"].map((user) => connect(t, server, token(user))));
  const page = await openAs(t, browser, url, "root");
  await goTo(page, "connections");
  await page.getByTestId("disconnect-many").click();
  await page.getByTestId("reason").fill("maintenance");
  await page.getByTestId("action-submit").click();
  await page.getByTestId("confirm").waitFor();
  await page.getByTestId("confirm").fill("2");
  await page.getByTestId("action-submit").click();
  await page.locator('[data-testid="problem"][data-code="CONFIRMATION_REQUIRED"]').waitFor();
  assert.ok(sockets.every((socket) => socket.connected));
  const gone = sockets.map((socket) => next(socket, "disconnect"));
  await page.getByTestId("confirm").fill("3");
  await page.getByTestId("action-submit").click();
  await Promise.all(gone);
  await page.getByTestId("told").getByText("3 sockets closed.").waitFor();
});

test("a viewer sees everything and can do nothing", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "vera", "viewer");
  const ada = await register(server, "ada");
  const socket = await connect(t, server, ada.token);
  const page = await openAs(t, browser, url, "vera");
  await page.getByTestId("read-only").waitFor();
  assert.equal(await page.getByTestId("to-notify").count(), 0);
  await goTo(page, "connections");
  assert.equal(await page.getByTestId("disconnect-many").count(), 0);
  await page.locator(`[data-testid="connections"] tbody a`).click();
  await page.getByTestId("user-link").waitFor();
  for (const id of ["disconnect", "end-session", "revoke", "block", "notify", "kick"]) {
    assert.equal(await page.getByTestId("detail").getByTestId(id).count(), 0, id);
  }
  await goTo(page, "notify");
  assert.equal(await page.getByTestId("send").count(), 0);
  // Nor by hand.
  const status = await page.evaluate(async (user) => {
    const headers = { "X-Roomkey-Admin": "1", "Content-Type": "application/json" };
    const body = JSON.stringify({ reason: "because" });
    return (await fetch(`/api/users/${user}/block`, { method: "POST", headers, body })).status;
  }, ada.user.id);
  assert.equal(status, 403);
  assert.ok(socket.connected);
});

test("failed logins and refused handshakes appear as they happen, and a pause holds them back", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  await register(server, "ada");
  const page = await openAs(t, browser, url, "root");
  await goTo(page, "security");
  await page.getByTestId("empty").waitFor();
  const refused = page.locator('[data-testid="decisions"] [data-event="authn_login_fail"]');
  await request(server, "POST", "/api/auth/login", { body: { username: "ada", password: "guessed" } });
  await refused.nth(0).waitFor();
  assert.match(await refused.first().innerText(), /Refused: wrong name or password\s+from 127\.0\.0\.1/);
  await page.getByTestId("pause").click();
  await refusal(t, server, { auth: { token: forgedToken("ada") }, transports: ["websocket"] });
  await page.getByTestId("pause").getByText("Go on (1 new)").waitFor();
  assert.equal(await refused.count(), 1);
  await page.getByTestId("pause").click();
  await refused.nth(1).waitFor();
});

test("the login is shown with the reason when the session ends elsewhere", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const [here, there] = [await openAs(t, browser, url, "root"), await openAs(t, browser, url, "root")];
  await goTo(here, "account");
  await here.getByTestId("my-sessions").getByTestId("end").click();
  await there.getByTestId("ending").waitFor();
  assert.match(await there.getByTestId("ending").innerText(), /ended/);
  // Another password ends all other sessions.
  await logIn(there, "root");
  await there.getByTestId("live").waitFor();
  await here.getByTestId("password").fill(ADMIN_PASSWORD);
  await here.getByTestId("new-password").fill("4 lazy herons in the reeds");
  await here.getByTestId("change-password").click();
  await there.getByTestId("ending").getByText(/password was changed/).waitFor();
  await here.getByTestId("to-overview").waitFor();
  await logIn(there, "root", "4 lazy herons in the reeds");
  await there.getByTestId("live").waitFor();
  // A server that is gone is no end of a session: the page says so, and tries again.
  await server.stop("SIGTERM");
  await there.locator('[data-testid="live"][data-state="waiting"]').waitFor();
});

test("what others named stays text everywhere", async (t) => {
  const directory = await temporaryDirectory(t);
  const config = path.join(directory, "roomkey.toml");
  const rule = `name = "free"\neffect = "allow"\nactions = ["join"]\nrooms = "room:*"`;
  await writeFile(config, `[[policy.rules]]\n${rule}\n`, { mode: 0o600 });
  const server = await startWithPage(t, { args: ["--config", config] });
  const url = await addAdmin(t, server, "root");
  const extraHeaders = { "user-agent": MARKUP };
  const socket = await connect(t, server, token(MARKUP, { roles: [MARKUP], name: MARKUP }), { extraHeaders });
  const room = `room:${MARKUP}`;
  const ack = await socket.emitWithAck("joinRoom", room);
  assert.equal(ack?.code, undefined, JSON.stringify(ack));
  await request(server, "POST", "/api/auth/login", { body: { username: MARKUP, password: "guessed" } });

  const page = await openAs(t, browser, url, "root");
  await goTo(page, "connections");
  await page.locator(`[data-testid="connections"] tbody a`).click();
  await page.getByTestId("detail").getByText(room).click();
  await page.getByTestId("detail").getByTestId("kick").click();
  await page.getByTestId("action").getByText(MARKUP).first().waitFor();
  await page.getByTestId("action-cancel").click();
  await goTo(page, `users/${encodeURIComponent(MARKUP)}`);
  await page.getByTestId("detail").locator("h2").getByText(MARKUP).waitFor();
  await goTo(page, "policy?" + new URLSearchParams({ user: MARKUP, room }));
  await page.getByTestId("explain").click();
  await page.getByTestId("verdict").getByText(MARKUP).waitFor();
  await goTo(page, "security");
  await page.getByTestId("decisions").waitFor();
  assert.equal(await page.evaluate(() => globalThis.hacked), undefined);
  assert.equal(await page.locator('img:not([src="/assets/icon.svg"])').count(), 0);
});

test("the page obeys the strictest policy, and loads nothing from elsewhere", async (t) => {
  const server = await startWithPage(t);
  const url = await addAdmin(t, server, "root");
  const page = await openAs(t, browser, url, "root");
  const requested = [];
  page.on("request", (request) => requested.push(new URL(request.url()).origin));
  const answer = await page.reload();
  await page.getByTestId("plots").waitFor();
  assert.deepEqual([...new Set(requested)], [url]);
  const policy = answer.headers()["content-security-policy"];
  for (const word of ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) {
    assert.ok(policy.includes(word), policy);
  }
  assert.doesNotMatch(policy, /unsafe-(inline|eval)/);
});
