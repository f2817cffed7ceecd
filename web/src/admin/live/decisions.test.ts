import { expect, test } from "vitest";
import type { Decision } from "../wire/records";
import { Decisions, DECISIONS_MAX, grouped } from "./decisions";

const decision = (id: number, more: Partial<Decision> = {}): Decision => ({
  id,
  at: "2026-11-29T12:00:00Z",
  event: "authn_login_fail",
  outcome: "failure",
  description: "A client was refused",
  count: 1,
  ...more,
});
const ids = (decisions: Decisions) => decisions.shown.value.map(({ id }) => id);

test("decisions stand newest first, each once, however they come", () => {
  const decisions = new Decisions();
  decisions.add(decision(3));
  decisions.add(decision(2), decision(1), decision(3));
  expect(ids(decisions)).toEqual([3, 2, 1]);
});

test("there are never more of an outcome than the server keeps, and none drives out the other", () => {
  const decisions = new Decisions();
  decisions.add(decision(1));
  const successes = Array.from({ length: DECISIONS_MAX + 5 }, (_, index) =>
    decision(index + 2, { outcome: "success" }),
  );
  decisions.add(...successes);
  expect(decisions.shown.value.length).toBe(DECISIONS_MAX + 1);
  expect(ids(decisions).slice(-2)).toEqual([7, 1]);
});

test("failures are looked at apart, and all only as far back as all are known", () => {
  const decisions = new Decisions();
  decisions.add(decision(1), decision(5), decision(6, { outcome: "success" }));
  expect(decisions.of("failures", 0).map(({ id }) => id)).toEqual([5, 1]);
  expect(decisions.of("all", 5).map(({ id }) => id)).toEqual([6, 5]);
});

test("a pause keeps what is shown and counts what comes; older ones may still be fetched", () => {
  const decisions = new Decisions();
  decisions.add(decision(5));
  decisions.pause();
  decisions.add(decision(6), decision(7), decision(4));
  expect([ids(decisions), decisions.waiting.value]).toEqual([[5, 4], 2]);
  decisions.goOn();
  expect([ids(decisions), decisions.waiting.value]).toEqual([[7, 6, 5, 4], 0]);
});

test("a server that counts from one again is shown anew, paused or not", () => {
  const decisions = new Decisions();
  decisions.add(decision(900));
  decisions.pause();
  decisions.clear();
  decisions.add(decision(1));
  expect([ids(decisions), decisions.waiting.value]).toEqual([[], 1]);
  decisions.goOn();
  expect(ids(decisions)).toEqual([1]);
});

test("alike decisions are counted with those that a record stands for", () => {
  const groups = grouped([
    decision(1, { reason: "password", count: 40 }),
    decision(2, { reason: "password" }),
    decision(3),
    decision(4, { event: "session_created", outcome: "success", count: 2 }),
  ]);
  expect(groups.map(({ event, reason, count }) => [event, reason, count])).toEqual([
    ["authn_login_fail", "password", 41],
    ["session_created", null, 2],
    ["authn_login_fail", null, 1],
  ]);
});
