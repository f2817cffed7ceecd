import { afterEach, expect, test, vi } from "vitest";
import { asFailure, type Failure } from "./failure";
import { pathOf, request, withQuery } from "./request";

afterEach(() => vi.unstubAllGlobals());

function answer(response: Response | Error) {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => {
    if (response instanceof Error) throw response;
    return response;
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

async function failureOf(response: Response | Error): Promise<Failure> {
  answer(response);
  return request("GET", "/api/stats").then(() => Promise.reject(new Error("no failure")), asFailure);
}

test("only what changes something has the page's own header", async () => {
  const fetch = answer(Response.json({ a: 1 }));
  expect(await request("GET", "/api/stats")).toEqual({ a: 1 });
  answer(Response.json({}));
  const post = answer(new Response(null, { status: 204 }));
  expect(await request("POST", "/api/logout", { b: 2 })).toBeUndefined();
  const header = (call: typeof fetch) => new Headers(call.mock.calls[0]?.[1].headers).get("X-Roomkey-Admin");
  expect([header(fetch), header(post)]).toEqual([null, "1"]);
  expect(post.mock.calls[0]?.[1].body).toBe('{"b":2}');
});

test("a refusal keeps its code, status, wait and details", async () => {
  const body = { code: "CONFIRMATION_REQUIRED", message: "How many?", retryAfterMs: 5, sockets: 12 };
  const failure = await failureOf(Response.json(body, { status: 422 }));
  expect(failure).toMatchObject({ code: body.code, message: body.message, status: 422, retryAfterMs: 5 });
  expect(failure.details["sockets"]).toBe(12);
});

test("an answer of something else than the server is a failure, too", async () => {
  const proxy = new Response("<html>Bad gateway", { status: 502, headers: { "Retry-After": "3" } });
  expect(await failureOf(proxy)).toMatchObject({ code: "UNEXPECTED", status: 502, retryAfterMs: 3_000 });
  expect(await failureOf(new TypeError("offline"))).toMatchObject({ code: "UNREACHABLE", status: undefined });
});

test("a wrong password does not end a session, an unknown session does", async () => {
  const refused = (code: string) => failureOf(Response.json({ code, message: "" }, { status: 401 }));
  expect((await refused("INVALID_CREDENTIALS")).isSessionOver).toBe(false);
  expect((await refused("TOKEN_MISSING")).isSessionOver).toBe(true);
});

test("names of others stay in their segment and parameter", () => {
  expect(pathOf`/api/rooms/${"a/../b?c#d"}/kick`).toBe("/api/rooms/a%2F..%2Fb%3Fc%23d/kick");
  expect(withQuery("/api/rooms", { q: "a&b=c", cursor: null, namespace: "", limit: 50 })).toBe(
    "/api/rooms?q=a%26b%3Dc&limit=50",
  );
  expect(withQuery("/api/rooms", {})).toBe("/api/rooms");
});
