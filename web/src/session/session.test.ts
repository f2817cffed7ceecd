import { afterEach, expect, test, vi } from "vitest";
import { asFailure } from "../wire/failure";
import { Session } from "./session";

const USER = { id: "u1", username: "alice" };
const EXPIRED = { status: 401, body: { message: "Token expired", code: "TOKEN_EXPIRED", retry: "refresh" } };

type Answer = { status: number; body: unknown };

/** Answers requests in turn with what is given, and keeps what was asked. */
function serve(...answers: Answer[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, { headers }: { headers: Headers }) => {
    asked.push(`${path} ${headers.get("Authorization") ?? ""}`.trim());
    const answer = answers.shift();
    if (answer === undefined) throw new TypeError("network");
    return new Response(JSON.stringify(answer.body), { status: answer.status });
  });
  return asked;
}

const grant = (token: string, refreshToken?: string) => ({ status: 200, body: { token, refreshToken, user: USER } });
const OK = { status: 200, body: "data" };
const LOGIN = { username: "alice", password: "secret" };
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => "ok",
    (thrown: unknown) => asFailure(thrown).code,
  );

afterEach(() => vi.unstubAllGlobals());

test("an expired token is refreshed once and the request made again", async () => {
  const asked = serve(grant("t1", "r1"), EXPIRED, grant("t2", "r2"), { status: 200, body: "data" });
  const session = new Session();
  await session.logIn(LOGIN);
  expect(await session.request("GET", "/x")).toBe("data");
  expect(asked).toEqual(["/api/auth/login", "/x Bearer t1", "/api/auth/refresh", "/x Bearer t2"]);
});

test("a fresh token that is refused as well ends the session", async () => {
  const asked = serve(grant("t1", "r1"), EXPIRED, grant("t2", "r2"), EXPIRED);
  const session = new Session();
  await session.logIn(LOGIN);
  expect(await code(session.request("GET", "/x"))).toBe("TOKEN_EXPIRED");
  expect(asked).toHaveLength(4);
  expect([session.user.value, session.ending.value?.code]).toEqual([null, "TOKEN_EXPIRED"]);
});

test("without a refresh token, and where the server knows no refresh, the session ends as expired", async () => {
  for (const answers of [
    [grant("t1"), EXPIRED],
    [grant("t1", "r1"), EXPIRED, { status: 404, body: null }],
  ]) {
    serve(...answers);
    const session = new Session();
    await session.logIn(LOGIN);
    expect(await code(session.request("GET", "/x"))).toBe("TOKEN_EXPIRED");
    expect(session.user.value).toBeNull();
  }
});

test("a server that cannot be reached ends no session", async () => {
  serve(grant("t1", "r1"), EXPIRED);
  const session = new Session();
  await session.logIn(LOGIN);
  expect(await code(session.request("GET", "/x"))).toBe("UNREACHABLE");
  expect(session.user.value).toEqual(USER);
});

test("a token that is about to end is exchanged before it is presented", async () => {
  const ending = (secs: number) => `h.${btoa(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + secs }))}.s`;
  const [old, fresh] = [ending(5), ending(600)];
  const asked = serve(grant(old, "r1"), grant(fresh, "r2"));
  const session = new Session();
  await session.logIn(LOGIN);
  expect([await session.token(), await session.token()]).toEqual([fresh, fresh]);
  expect(asked).toHaveLength(2);
});

test("tokens in cookies are refreshed by cookie", async () => {
  const asked = serve({ status: 200, body: { user: USER } }, EXPIRED, { status: 200, body: { user: USER } }, OK);
  const session = new Session();
  await session.logIn(LOGIN);
  expect(await session.request("GET", "/x")).toBe("data");
  expect(asked).toEqual(["/api/auth/login", "/x", "/api/auth/refresh", "/x"]);
});

test("refreshes at the same time are one", async () => {
  const asked = serve(grant("t1", "r1"), grant("t2", "r2"));
  const session = new Session();
  await session.logIn(LOGIN);
  await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
  expect(asked).toHaveLength(2);
  expect(await session.token()).toBe("t2");
});

test("a refresh that is answered after the sign-out signs nobody in", async () => {
  serve(grant("t1", "r1"), grant("t2", "r2"));
  const session = new Session();
  await session.logIn(LOGIN);
  const refresh = session.refresh();
  session.signOut();
  await refresh;
  expect(session.user.value).toBeNull();
});

test("a refusal that is no matter of the token ends no session", async () => {
  serve(grant("t1"), { status: 403, body: { message: "Not allowed", code: "FORBIDDEN" } });
  const session = new Session();
  await session.logIn(LOGIN);
  expect(await code(session.request("GET", "/x"))).toBe("FORBIDDEN");
  expect(session.user.value).toEqual(USER);
});
