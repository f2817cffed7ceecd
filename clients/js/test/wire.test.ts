import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { readFailure, SERVER_CODES } from "../src/wire/failure.js";

test("the codes are those of the server", async () => {
  const source = await readFile("../../crates/model/src/failure.rs", "utf8");
  const codes = [...source.matchAll(/^ {4}\w+ = "([A-Z_]+)", \d+,/gm)].map(([, code]) => code);
  assert.deepEqual([...SERVER_CODES], codes);
});

test("the events that clients may emit are those of the server", async () => {
  const keys = (source: string, pattern: RegExp) => [...source.matchAll(pattern)].map(([, key]) => key).sort();
  const server = await readFile("../../crates/chat/src/events.rs", "utf8");
  const table = (await readFile("src/wire/events.ts", "utf8")).match(/interface ClientEvents \{(.*?)^\}/ms)?.[1] ?? "";
  const served = keys(server, /^ {8}"([\w:]+)" => /gm);
  assert.deepEqual(keys(table, /^ {2}"?([\w:]+)"?: Ask</gm), [...served, "auth:refresh"].sort());
});

test("failures are read wherever they come from, and nothing else is one", () => {
  const text = (body: unknown) => {
    const failure = readFailure(body, "default");
    return failure && `${failure.code} ${failure.message} ${failure.retry} ${failure.retryAfterMs} ${failure.reason}`;
  };
  assert.equal(text({ message: "No", code: "FORBIDDEN" }), "FORBIDDEN No never undefined undefined");
  const ack = { error: "Slow down", code: "RATE_LIMITED", retry: "after", retryAfterMs: 500 };
  assert.equal(text(ack), "RATE_LIMITED Slow down after 500 undefined");
  const revoked = { code: "TOKEN_REVOKED", reason: "blocked", message: "Gone" };
  assert.equal(text(revoked), "TOKEN_REVOKED Gone never undefined blocked");
  assert.equal(text({ code: "X", retry: "maybe", retryAfterMs: "1" }), "X default never undefined undefined");
  for (const none of [{ data: 1 }, { code: 5 }, "<html>", null, undefined]) assert.equal(text(none), undefined);
});
