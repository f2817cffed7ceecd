// The demo page in a real browser: how a login goes on, and how it ends, with the reason on screen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { useBrowser } from "./support/browser.mjs";
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
  thrownOut,
} from "./support/demo.mjs";
import { PASSWORD } from "./support/rest.mjs";
import { runBinary, startServer } from "./support/server.mjs";

const browser = useBrowser();

/** As an operator does it, while the server runs. */
async function operate(t, server, ...words) {
  const { code, stderr } = await runBinary(t, [...words, "--data-dir", server.dataDir]);
  assert.equal(code, 0, stderr);
}

function answered(page, server, path, status) {
  return page.waitForResponse((answer) => answer.url() === server.url + path && answer.status() === status);
}

test("an expired token is renewed on the way, before the eyes of the user, and nothing is lost", async (t) => {
  const env = { ROOMKEY__AUTH__ACCESS_TOKEN_LIFETIME_S: "8", ROOMKEY__AUTH__EXPIRY_WARNING_S: "2" };
  const server = await startServer(t, { env });
  const [ada, bob] = [await browser.open(t, server.url), await browser.open(t, server.url)];
  await register(ada, "ada");
  await register(bob, "bob");
  await createChannel(ada, "harbour");
  await joinChannel(bob, "harbour");
  const endsAt = async () => Number(await ada.getByTestId("token-end").getAttribute("data-ends-at"));
  await ada
    .getByTestId("token-end")
    .getByText(/token ends in 0:0\d/)
    .waitFor();

  const first = await endsAt();
  const said = [];
  while ((await endsAt()) <= first + 8_000) {
    const text = `number ${said.push("") - 1}.`;
    await say(ada, text);
    said[said.length - 1] = text;
    await message(bob, text).waitFor();
  }
  await ada.locator('[data-testid="token-end"][data-state="renewed"]').waitFor();
  assert.deepEqual(await texts(bob), said);
  assert.deepEqual(await texts(ada), said);
  assert.equal(await ada.getByTestId("connection-state").getAttribute("data-state"), "connected");

  await ada.reload();
  await connected(ada);
  await answered(ada, server, "/api/auth/refresh", 200);
  await message(ada, said.at(-1)).waitFor();
  await say(ada, "still here");
  const left = answered(ada, server, "/api/auth/logout", 204);
  await ada.getByTestId("sign-out").click();
  await left;
  await ada.getByTestId("login-submit").waitFor();
  assert.equal(await ada.getByTestId("error-notice").count(), 0, "who leaves is not told why");
});

test("a session that cannot be renewed for the moment says so, and goes on when it can", async (t) => {
  const env = { ROOMKEY__AUTH__ACCESS_TOKEN_LIFETIME_S: "8", ROOMKEY__AUTH__EXPIRY_WARNING_S: "6" };
  const server = await startServer(t, { env });
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  await createChannel(ada, "harbour");
  // Seen for as long as the token lasts that was got before: looked for from the beginning.
  const failing = ada.locator('[data-testid="token-end"][data-state="failing"]').waitFor();
  const told = ada.getByTestId("connection-trouble").getByText("could not be renewed yet").waitFor();
  await ada.route("**/api/auth/refresh", (route) => route.abort());
  await Promise.all([failing, told]);
  await connected(ada, "reconnecting");
  await ada.getByTestId("composer").fill("written without a token");
  await ada.getByTestId("composer").press("Enter");
  await ada.unroute("**/api/auth/refresh");
  await connected(ada);
  await message(ada, "written without a token").and(ada.locator("[data-seq]")).waitFor();
  assert.equal(await ada.getByTestId("sign-in").count(), 0);
});

test("a blocked user is thrown out with the reason, and does not come back", async (t) => {
  const server = await startServer(t);
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  await createChannel(ada, "harbour");
  await operate(t, server, "user", "block", "ada");
  assert.match(await thrownOut(ada, "blocked"), /blocked by an administrator/);
  await signIn(ada, "ada");
  await ada.locator('[data-testid="error-notice"][data-code="INVALID_CREDENTIALS"]').waitFor();
  await ada.reload();
  await ada.getByTestId("login-submit").waitFor();

  await operate(t, server, "user", "unblock", "ada");
  await signIn(ada, "ada");
  await connected(ada);
});

test("a user whose sessions an operator ends is told so, and may log in again", async (t) => {
  const server = await startServer(t);
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  const id = await ada.getByTestId("me").getAttribute("data-user-id");
  await operate(t, server, "token", "revoke", "--user", id);
  assert.match(await thrownOut(ada, "revoked"), /administrator ended your session/);
  await signIn(ada, "ada");
  await connected(ada);
});

test("a login that was ended while the page was closed ends with its reason when it is opened", async (t) => {
  const server = await startServer(t);
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  await ada.goto("about:blank");
  await operate(t, server, "user", "logout", "ada");
  await ada.goto(server.url);
  await ada.locator('[data-testid="sign-in"][data-code="TOKEN_REVOKED"]').waitFor();
});

test("my sessions are listed, and one that is signed out is thrown out there", async (t) => {
  const server = await startServer(t);
  const [here, phone, other] = [
    await browser.open(t, server.url),
    await browser.open(t, server.url, {
      userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/605.1",
    }),
    await browser.open(t, server.url),
  ];
  await register(here, "ada");
  for (const page of [phone, other]) {
    await signIn(page, "ada");
    await connected(page);
  }
  await here.getByTestId("sessions-open").click();
  const sessions = here.getByTestId("session");
  await sessions.nth(2).waitFor();
  assert.equal(await sessions.count(), 3);
  assert.equal(await here.locator('[data-testid="session"][data-current="true"]').count(), 1);
  await sessions.filter({ hasText: "Safari on iPhone" }).getByText("127.0.0.1").waitFor();
  await sessions.filter({ hasText: "Safari on iPhone" }).getByTestId("session-end").click();
  assert.match(await thrownOut(phone, "logged_out"), /signed out from another place/);
  assert.equal(await other.getByTestId("sign-in").count(), 0);

  await here.getByTestId("sessions-end-others").click();
  await thrownOut(other, "logged_out");
  await sessions.nth(1).waitFor({ state: "detached" });
  assert.equal(await sessions.count(), 1);
  await here.getByTestId("sessions-close").click();
  assert.equal(await here.getByTestId("connection-state").getAttribute("data-state"), "connected");
});

test("a password that is changed ends the other sessions, and this one goes on", async (t) => {
  const server = await startServer(t);
  const [here, other] = [await browser.open(t, server.url), await browser.open(t, server.url)];
  await register(here, "ada");
  await signIn(other, "ada");
  await connected(other);
  await here.getByTestId("sessions-open").click();
  await here.getByTestId("password-open").click();
  await here.getByTestId("current").fill("not the password at all");
  await here.getByTestId("next").fill("8 amber lighthouses at dawn");
  await here.getByTestId("password-submit").click();
  await here
    .locator('[data-testid="error-notice"][data-code="INVALID_CREDENTIALS"]')
    .getByText("not your current password")
    .waitFor();
  await here.getByTestId("current").fill(PASSWORD);
  await here.getByTestId("password-submit").click();
  assert.match(await thrownOut(other, "password_changed"), /password was changed/);
  await here.getByTestId("notice").waitFor();
  await here.getByTestId("sessions-close").click();
  await createChannel(here, "harbour");
  await signIn(other, "ada", "8 amber lighthouses at dawn");
  await connected(other);
});

test("a wrong password is told as such, and too many of them with the time to wait", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__LIMITS__LOGIN_FAILURES_PER_ACCOUNT: "1" } });
  const page = await browser.open(t, server.url);
  const refused = (code) => page.locator(`[data-testid="error-notice"][data-code="${code}"]`);
  await signIn(page, "nobody@example.com", "not the password at all");
  await refused("INVALID_CREDENTIALS").getByText("do not match").waitFor();
  while ((await refused("RATE_LIMITED").count()) === 0) {
    const answer = page.waitForResponse((response) => response.url().endsWith("/api/auth/login"));
    await signIn(page, "nobody@example.com", "not the password at all");
    await answer;
    await page.locator('[data-testid="login-submit"][aria-busy="false"]').waitFor();
  }
  assert.match(
    await refused("RATE_LIMITED").innerText(),
    /Too many attempts\. Try again in (a moment|\d+ (seconds|minutes))\./,
  );
});

test("a tab that is a copy of another begins without its login, and the other one goes on", async (t) => {
  const server = await startServer(t);
  const ada = await browser.open(t, server.url);
  await register(ada, "ada");
  await createChannel(ada, "harbour");
  const [copy] = await Promise.all([
    ada.context().waitForEvent("page"),
    ada.evaluate(() => void window.open(location.href)),
  ]);
  await copy.getByTestId("login-submit").waitFor();
  await ada.reload();
  await connected(ada);
  await openChannel(ada, "harbour");
  await say(ada, "still me");
});
