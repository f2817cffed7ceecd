import type { Message, Outgoing } from "roomkey";
import { expect, test } from "vitest";
import { rows } from "./rows";

const ME = { id: "me", username: "me" };

function at(seq: number, from: string, time: string, clientId?: string): Message {
  return {
    id: `m${seq}`,
    channelId: "c",
    userId: from,
    content: "",
    seq,
    createdAt: time,
    updatedAt: time,
    editedAt: null,
    deliveryStatus: "SENT",
    user: { id: from, username: from },
    ...(clientId === undefined ? {} : { clientId }),
  };
}

function text(messages: readonly Message[], divider: number | null = null, hasOlder = false): readonly string[] {
  return rows({ messages, outgoing: [], hasOlder }, ME, divider).map((row) =>
    row.kind === "message" ? `${row.user.id}${row.continues ? " continues" : ""}` : row.kind,
  );
}

test("a day begins with a line, and an author is named again after others and after a while", () => {
  expect(
    text([
      at(1, "bob", "2026-11-19T10:00:00"),
      at(2, "bob", "2026-11-19T10:04:00"),
      at(3, "me", "2026-11-19T10:05:00"),
      at(4, "bob", "2026-11-19T10:06:00"),
      at(5, "bob", "2026-11-19T10:12:00"),
      at(6, "bob", "2026-11-20T00:01:00"),
    ]),
  ).toEqual(["day", "bob", "bob continues", "me", "bob", "bob", "day", "bob"]);
});

test("what is new begins behind a line, with its author, at the first message of somebody else", () => {
  const messages = [1, 2, 3, 4].map((seq) => at(seq, seq === 3 ? "me" : "bob", `2026-11-19T10:0${seq}:00`));
  expect(text(messages, 1)).toEqual(["day", "bob", "divider", "bob", "me", "bob"]);
  expect(text(messages, 2)).toEqual(["day", "bob", "bob continues", "me", "divider", "bob"]);
  expect(text(messages, 4)).not.toContain("divider");
});

test("where older messages are not loaded, nobody knows whether the first one here is the first new one", () => {
  const messages = [at(51, "bob", "2026-11-19T10:01:00"), at(52, "bob", "2026-11-19T10:02:00")];
  expect(text(messages, 20, true)).not.toContain("divider");
  expect(text(messages, 50, false)).toEqual(["day", "divider", "bob", "bob continues"]);
});

test("the element of my own message stays the same when it is confirmed", () => {
  const outgoing: Outgoing = {
    clientId: "a",
    channelId: "c",
    content: "",
    createdAt: "2026-11-20T10:00:00",
    deliveryStatus: "SENDING",
    error: null,
  };
  const sending = rows({ messages: [], outgoing: [outgoing], hasOlder: false }, ME, null);
  const message = at(1, "me", "2026-11-20T10:00:01", "a");
  const sent = rows({ messages: [message], outgoing: [], hasOlder: false }, ME, null);
  expect(sent.at(-1)?.key).toBe(sending.at(-1)?.key);
});
