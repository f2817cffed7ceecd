// The same inputs to the reference server and to Roomkey: the same outputs, but for the differences that are listed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, describe, test } from "node:test";

import { difference } from "./differential/compare.mjs";
import { DIFFERENCES, EVERYWHERE } from "./differential/differences.mjs";
import { Run } from "./differential/run.mjs";
import handshake from "./differential/scripts/handshake.mjs";
import heartbeat, { FLAGS as HEARTBEAT } from "./differential/scripts/heartbeat.mjs";
import namespaces, { impatient } from "./differential/scripts/namespaces.mjs";
import packets from "./differential/scripts/packets.mjs";
import polling, { limited } from "./differential/scripts/polling.mjs";
import recovery from "./differential/scripts/recovery.mjs";
import revision3 from "./differential/scripts/revision_3.mjs";
import upgrade from "./differential/scripts/upgrade.mjs";
import websocket from "./differential/scripts/websocket.mjs";
import { startExample, startReference } from "./support/server.mjs";

const DEFAULTS = [];

/** The servers' flags, and the scripts for servers that were started so. */
const SUITES = {
  "with the defaults": [DEFAULTS, { ...handshake, ...polling, ...websocket, ...packets, ...namespaces, ...upgrade }],
  "with a small limit": [["--max-payload", "100"], limited],
  "with a short time to connect": [["--connect-timeout", "3000"], impatient],
  "with Engine.IO 3 allowed": [["--allow-eio3"], revision3],
  "with connection state recovery": [["--recovery"], recovery],
  "with a quick heartbeat": [HEARTBEAT, heartbeat],
};

/** The differences that are left to be seen. */
const listed = new Map(
  Object.entries(DIFFERENCES).flatMap(([name, scripts]) =>
    Object.entries(scripts).map(([script, [reference, roomkey]]) => [
      script,
      { name, notes: { reference: [reference].flat(), roomkey: [roomkey].flat() } },
    ]),
  ),
);
const seenEverywhere = new Set();

for (const [circumstances, [flags, scripts]] of Object.entries(SUITES)) {
  // Where they wait for time to pass, they wait together.
  describe(circumstances, { concurrency: flags !== DEFAULTS }, async () => {
    // One thread each, so that a server that has answered one connection has read the others.
    const [reference, roomkey] = await Promise.all([
      startReference({ after }, flags),
      startExample({ after }, "protocol_server", ["--port", "0", "--threads", "1", ...flags]),
    ]);

    for (const [name, script] of Object.entries(scripts)) {
      test(name, async (t) => {
        const [expected, actual] = await Promise.all([
          notesOf(t, reference, script, "reference"),
          notesOf(t, roomkey, script, "roomkey"),
        ]);
        const known = listed.get(name);
        listed.delete(name);
        assert.deepEqual(difference(expected, actual), known?.notes);
      });
    }
  });
}

test("every difference that is listed has been seen, and has its reason in the documentation", async () => {
  assert.deepEqual([...listed.keys()], []);
  const names = EVERYWHERE.map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !seenEverywhere.has(name)), []);
  const page = await readFile(new URL("../docs/compatibility.md", import.meta.url), "utf8");
  for (const name of [...names, ...Object.keys(DIFFERENCES)]) {
    assert.ok(page.includes(`| ${name} |`), `docs/compatibility.md says nothing about: ${name}`);
  }
});

/** What a script notes about a server, without what differs everywhere. */
async function notesOf(t, server, script, side) {
  const run = new Run(server);
  t.after(() => run.close());
  await script(run);
  return run.notes.map((note) => {
    for (const { name, server, from, to } of EVERYWHERE) {
      const same = server === side ? note.replaceAll(from, to) : note;
      if (same !== note) seenEverywhere.add(name);
      note = same;
    }
    return note;
  });
}
