// The admin page: who may open it, and how a test gets in.

import assert from "node:assert/strict";

import { runBinary, startServer } from "./server.mjs";

export const ADMIN_PASSWORD = "9 quiet otters by the canal";

/** A server whose admin page gets a port of its own once there is an admin. */
export function startWithPage(t, { env, ...options } = {}) {
  return startServer(t, { ...options, env: { ROOMKEY__ADMIN__LISTEN: "127.0.0.1:0", ...env } });
}

/** `roomkey admin WORDS` beside the running server: what it prints. */
export async function admin(t, server, words, input = "") {
  const args = ["admin", ...words, "--data-dir", server.dataDir];
  const { code, stdout, stderr } = await runBinary(t, args, { input });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Adds an admin; the address of the page. */
export async function addAdmin(t, server, name, role = "admin") {
  const added = JSON.parse(await admin(t, server, ["add", name, "--role", role, "--json"], `${ADMIN_PASSWORD}\n`));
  assert.equal(added.page.state, "open", JSON.stringify(added));
  return added.page.url;
}

export async function logIn(page, name, password = ADMIN_PASSWORD) {
  await page.getByTestId("name").fill(name);
  await page.getByTestId("password").fill(password);
  await page.getByTestId("login").click();
}

/** Opens the page as this admin, whose live figures have come. */
export async function openAs(t, browser, url, name, options) {
  const page = await browser.open(t, url, options);
  await logIn(page, name);
  await page.locator('[data-testid="live"][data-state="live"]').waitFor();
  return page;
}

/** Leads to a place of the page, as a link would. */
export async function goTo(page, place) {
  await page.evaluate((hash) => (location.hash = hash), `#/${place}`);
}

/** Gives the dialog its reason, and sends it off; what the page says was done. */
export async function confirm(page, reason) {
  await page.getByTestId("reason").fill(reason);
  await page.getByTestId("action-submit").click();
  await page.getByTestId("action").waitFor({ state: "detached" });
  return page.getByTestId("told").locator("p").textContent();
}
