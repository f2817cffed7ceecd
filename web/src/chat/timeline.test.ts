import { expect, test } from "vitest";
import { Failure } from "../wire/failure";
import type { Message } from "../wire/message";
import { EMPTY, contiguousFrom, discard, fail, receive, send, type Timeline } from "./timeline";

const REFUSED = new Failure("RATE_LIMITED", "Too many requests", "after");

function message(seq: number, from = "bob", clientId?: string): Message {
  const createdAt = "2026-11-20T10:00:00.000Z";
  return {
    id: `m${seq}`,
    channelId: "c",
    userId: from,
    content: `#${seq}`,
    seq,
    createdAt,
    user: { id: from },
    ...(clientId === undefined ? {} : { clientId }),
  };
}

function writing(clientId: string) {
  return { clientId, content: clientId, writtenAt: "2026-11-20T10:00:00.000Z" };
}

/** `1 2 | a! b`: the confirmed by seq, then the outgoing, with a mark on those that were refused. */
function text({ messages, outgoing }: Timeline): string {
  return [
    messages.map(({ seq }) => seq).join(" "),
    outgoing.map(({ clientId, failure }) => clientId + (failure ? "!" : "")).join(" "),
  ].join(" | ");
}

test.each([
  { name: "in order", arrive: [[1], [2], [3]], expected: "1 2 3 | " },
  { name: "out of order", arrive: [[3], [1], [2]], expected: "1 2 3 | " },
  { name: "twice", arrive: [[1, 2], [2], [1, 2]], expected: "1 2 | " },
  {
    name: "older above newer",
    arrive: [
      [51, 52],
      [49, 50],
    ],
    expected: "49 50 51 52 | ",
  },
])("messages that arrive $name stand by seq, each once", ({ arrive, expected }) => {
  const timeline = arrive.reduce(
    (timeline, page) =>
      receive(
        timeline,
        page.map((seq) => message(seq)),
        "me",
      ),
    EMPTY,
  );
  expect(text(timeline)).toBe(expected);
});

test("the confirmed message takes the place of the outgoing one, by ack and by event alike", () => {
  const waiting = send(send(EMPTY, writing("a")), writing("b"));
  const once = receive(waiting, [message(1, "me", "a")], "me");
  expect(text(once)).toBe("1 | b");
  expect(text(receive(once, [message(1, "me", "a")], "me"))).toBe("1 | b");
});

test("somebody else's clientId confirms nothing of mine", () => {
  expect(text(receive(send(EMPTY, writing("a")), [message(1, "bob", "a")], "me"))).toBe("1 | a");
});

test("a refused message stays, goes behind the others when sent again, and can be discarded", () => {
  const refused = fail(send(send(EMPTY, writing("a")), writing("b")), "a", REFUSED);
  expect(text(refused)).toBe(" | a! b");
  expect(text(send(refused, writing("a")))).toBe(" | b a");
  expect(text(discard(refused, "a"))).toBe(" | b");
});

test("a refusal that comes after the confirmation changes nothing", () => {
  const confirmed = receive(send(EMPTY, writing("a")), [message(1, "me", "a")], "me");
  expect(text(fail(confirmed, "a", REFUSED))).toBe("1 | ");
});

test.each([
  { seqs: [], from: 0, end: 0 },
  { seqs: [1, 2, 3], from: 0, end: 3 },
  { seqs: [1, 2, 4], from: 0, end: 2 },
  { seqs: [8, 9, 11, 12], from: 8, end: 9 },
  { seqs: [8, 9, 11, 12], from: 10, end: 12 },
])("from $from on, $seqs is without a gap up to $end", ({ seqs, from, end }) => {
  expect(
    contiguousFrom(
      seqs.map((seq) => message(seq)),
      from,
    ),
  ).toBe(end);
});
