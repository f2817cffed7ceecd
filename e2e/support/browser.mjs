// Headless Chromium on the pages inside the binary: what they print, and whether everybody can use them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Generous: it only ends a test that hangs. */
export const PATIENCE_MS = 60_000;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** What Chromium itself writes to the console about a request that the page expects to fail. */
const EXPECTED = /^Failed to load resource|^WebSocket connection to .* failed/;

/**
 * A browser for all tests of a file: `const browser = useBrowser()` at its top. `browser.open(t, url, options)` gives a
 * page with a profile of its own, closed with the test `t`. A test fails where one of its pages has written an error or a
 * warning to the console, has thrown, or has broken its content security policy. `options` are those of a context.
 */
export function useBrowser() {
  let browser;
  before(async () => {
    const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
    browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: FLAGS });
  });
  after(() => browser?.close());

  async function open(t, url, options = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const faults = faultsOf(page);
    t.after(async () => {
      await context.close();
      assert.deepEqual(faults, [], "the page has faults");
    });
    await page.goto(url);
    return page;
  }

  return { open };
}

/** All that goes wrong in a page from now on, as text; it fills while the page lives. */
export function faultsOf(page) {
  const faults = [];
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  page.on("console", (message) => {
    const isFault = message.type() === "error" || message.type() === "warning";
    if (isFault && !EXPECTED.test(message.text())) faults.push(`${message.type()}: ${message.text()}`);
  });
  return faults;
}

const AXE = await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/**
 * Fails where axe finds something in the page that keeps somebody out: the rules of WCAG 2.2 A and AA, and good practice.
 * The page has to be opened with `{ bypassCSP: true }`, for axe comes from outside.
 */
export async function assertAccessible(page, what) {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) }));
  });
  assert.deepEqual(violations, [], `what axe finds in ${what}`);
}

/** A picture of the page in the folder of `SCREENSHOTS`, to be looked at; nothing where that is not set. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
