import { expect, test } from "vitest";
import { invitee } from "./channel";

test.each([
  { text: "bob", expected: { username: "bob" } },
  { text: "bob.the-builder_2", expected: { username: "bob.the-builder_2" } },
  { text: "0190a3c2-7b1e-7c3d-9a4f-0123456789ab", expected: { userId: "0190a3c2-7b1e-7c3d-9a4f-0123456789ab" } },
  { text: "clerk:user_2abc", expected: { userId: "clerk:user_2abc" } },
  { text: "auth0|5f7c", expected: { userId: "auth0|5f7c" } },
])("an invitation of $text", ({ text, expected }) => {
  expect(invitee(text)).toEqual(expected);
});
