// Who may open the admin page, on the command line.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";

import { runBinary, startServer, temporaryDirectory } from "./support/server.mjs";

const PASSWORD = "a horse that staples batteries";

/** A configuration under which tests do not meet. */
async function configuration(t) {
  const file = path.join(await temporaryDirectory(t), "roomkey.toml");
  await writeFile(file, '[admin]\nlisten = "127.0.0.1:0"\n');
  return ["--config", file];
}

/** What a command says as JSON; it must succeed. */
async function admin(t, args, input = "") {
  const run = await runBinary(t, ["admin", ...args, "--json"], { input });
  assert.equal(run.code, 0, run.stderr + run.stdout);
  return JSON.parse(run.stdout);
}

function logIn(url, name, password = PASSWORD) {
  const headers = { "content-type": "application/json", "x-roomkey-admin": "1", origin: url };
  return fetch(`${url}/api/login`, { method: "POST", headers, body: JSON.stringify({ name, password }) });
}

test("an admin is added to a running server, and the page is there at once", async (t) => {
  const config = await configuration(t);
  const server = await startServer(t, { args: config });
  const where = [...config, "--data-dir", server.dataDir];
  assert.equal((await admin(t, ["list", ...where])).page.state, "closed");
  const added = await admin(t, ["add", "ada", ...where], `${PASSWORD}\n`);
  assert.deepEqual([added.name, added.role, added.page.state], ["ada", "admin", "open"]);
  const { url } = added.page;
  assert.equal((await logIn(url, "ada")).status, 200);
  assert.equal((await logIn(url, "ada", "wrong")).status, 401);

  await admin(t, ["add", "kay", "--role", "viewer", ...where], `${PASSWORD}\n`);
  const { admins } = await admin(t, ["list", ...where]);
  assert.deepEqual(
    admins.map(({ name, role, lastLoginAt }) => [name, role, lastLoginAt !== null]),
    [
      ["ada", "admin", true],
      ["kay", "viewer", false],
    ],
  );

  const session = (await logIn(url, "ada")).headers.getSetCookie()[0].split(";")[0];
  const me = () => fetch(`${url}/api/me`, { headers: { cookie: session } });
  assert.equal((await me()).status, 200);
  await admin(t, ["passwd", "ada", ...where], "another horse with staples\n");
  assert.equal((await me()).status, 401, "logged out");
  assert.equal((await logIn(url, "ada")).status, 401);
  assert.equal((await logIn(url, "ada", "another horse with staples")).status, 200);

  await admin(t, ["remove", "kay", ...where]);
  await admin(t, ["remove", "ada", ...where]);
  assert.equal((await admin(t, ["list", ...where])).page.state, "closed");
  await assert.rejects(logIn(url, "ada"), "nobody listens any more");
});

test("an admin that is added before the server runs is there when it does", async (t) => {
  const config = await configuration(t);
  const dataDir = await temporaryDirectory(t);
  const where = [...config, "--data-dir", dataDir];
  const added = await runBinary(t, ["admin", "add", "ada", ...where], { input: `${PASSWORD}\n` });
  assert.equal(added.code, 0, added.stderr);
  assert.match(added.stdout, /^Added ada \(admin\)\. With the server the admin page is there: http:/);
  assert.doesNotMatch(added.stdout + added.stderr, /horse/);
  const again = await runBinary(t, ["admin", "add", "ada", ...where], { input: `${PASSWORD}\n` });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /is taken/);

  await startServer(t, { dataDir, args: config });
  const { url, state } = (await admin(t, ["list", ...where])).page;
  assert.equal(state, "open");
  assert.equal((await logIn(url, "ada")).status, 200);
});

test("names and passwords that are none are refused, and so is who is not there", async (t) => {
  const dataDir = await temporaryDirectory(t);
  const refused = async (args, input, message) => {
    const run = await runBinary(t, ["admin", ...args, "--data-dir", dataDir], { input });
    assert.equal(run.code, 1, run.stdout);
    assert.match(run.stderr, message);
  };
  await refused(["add", "a b"], `${PASSWORD}\n`, /name of an admin/);
  await refused(["add", "ada"], "short\n", /fewer than 8/);
  await refused(["add", "kassandra"], "kassandra-0815\n", /your name/);
  await refused(["remove", "ada"], "", /no such admin/);
  await refused(["passwd", "ada"], `${PASSWORD}\n`, /no such admin/);
});
