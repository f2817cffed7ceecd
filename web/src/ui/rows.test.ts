import { expect, test } from "vitest";
import { EMPTY, receive, send } from "../chat/timeline";
import type { Message } from "../wire/message";
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
    user: { id: from },
    ...(clientId === undefined ? {} : { clientId }),
  };
}

function text(...messages: Message[]): readonly string[] {
  return rows(receive(EMPTY, messages, ME.id), ME).map((row) =>
    row.kind === "day" ? "day" : `${row.user.id}${row.continues ? " continues" : ""}`,
  );
}

test("a day begins with a line, and an author is named again after others and after a while", () => {
  expect(
    text(
      at(1, "bob", "2026-11-19T10:00:00"),
      at(2, "bob", "2026-11-19T10:04:00"),
      at(3, "me", "2026-11-19T10:05:00"),
      at(4, "bob", "2026-11-19T10:06:00"),
      at(5, "bob", "2026-11-19T10:12:00"),
      at(6, "bob", "2026-11-20T00:01:00"),
    ),
  ).toEqual(["day", "bob", "bob continues", "me", "bob", "bob", "day", "bob"]);
});

test("the element of my own message stays the same when it is confirmed", () => {
  const key = (timeline: typeof EMPTY) => rows(timeline, ME).at(-1)?.key;
  const sending = send(EMPTY, { clientId: "a", content: "", writtenAt: "2026-11-20T10:00:00" });
  expect(key(receive(sending, [at(1, "me", "2026-11-20T10:00:01", "a")], "me"))).toBe(key(sending));
});
