import { expect, test } from "vitest";
import { href, parseRoute } from "./route";

test.each([
  ["", { page: "overview", id: null, query: {} }],
  ["#/", { page: "overview", id: null, query: {} }],
  ["#/connections?user=ada&q=", { page: "connections", id: null, query: { user: "ada", q: "" } }],
  ["#/rooms/channel%3Aa%2Fb?namespace=%2Fshop", { page: "rooms", id: "channel:a/b", query: { namespace: "/shop" } }],
  ["#/rooms/%E0%A4%A", { page: "rooms", id: "%E0%A4%A", query: {} }],
])("the route of %s", (hash, expected) => {
  expect(parseRoute(hash)).toEqual(expected);
});

test.each(["<img src=x onerror=alert(1)>", "a/b?c#d", "%41", "مستخدم", " "])("a link leads to %s again", (id) => {
  expect(parseRoute(href("rooms", id, { q: id, namespace: undefined }))).toEqual({
    page: "rooms",
    id,
    query: { q: id },
  });
});
