import assert from "node:assert/strict";
import { test } from "node:test";

import { claimsOf, isEnding, loginOf, userOf } from "../src/auth/claims.js";
import { Flight } from "../src/auth/flight.js";
import { Tokens } from "../src/auth/tokens.js";
import { platformWith } from "../src/platform.js";
import { settled, TestClock } from "./support/clock.js";
import { tabs } from "./support/tabs.js";
import { jwt } from "./support/world.js";

test("claims are read of a JWT, and of nothing else", () => {
  const clock = new TestClock();
  assert.equal(claimsOf(jwt(clock, 60, { sub: "Zoë ☕" }))?.sub, "Zoë ☕");
  for (const none of [undefined, "", "ticket", "a.b.c", "a.bnVsbA.c", "a.NQ.c"]) {
    assert.equal(claimsOf(none), undefined);
    assert.equal(loginOf(none ?? ""), undefined);
  }
});

test("whose a token is", () => {
  const clock = new TestClock();
  const user = (claims: object) => userOf(jwt(clock, 60, { sub: undefined, ...claims }));
  assert.equal(user({ sub: "1", sid: "a" }), user({ sub: "1", sid: "b" }));
  assert.notEqual(user({ sub: "1" }), user({ sub: "1", iss: "other" }));
  assert.equal(new Set([{ id: 7 }, { userId: "8" }, { username: "ada" }, {}].map(user)).size, 4);
  assert.equal(user({ name: "Ada" }), undefined);
});

test("a token is as good as over shortly before its end", () => {
  const clock = new TestClock();
  const iat = clock.now() / 1000;
  const isOver = (token: string, afterS: number) => isEnding(token, clock.now() + afterS * 1000, 20_000);
  assert.deepEqual(
    [39, 41].map((seconds) => isOver(jwt(clock, 60), seconds)),
    [false, true],
  );
  assert.deepEqual(
    [3.9, 4.1, 6].map((seconds) => isOver(jwt(clock, 5, { iat }), seconds)),
    [false, true, true],
  );
  assert.equal(isOver("a ticket", 1_000_000), false);
});

/** The tokens of a tab; each fetch takes a moment and gives a text of its own. */
function tab(clock: TestClock, shared: ReturnType<typeof tabs>, claims: object, fetched: string[]) {
  const platform = platformWith({ clock, ...shared });
  const getToken = async ({ skipCache }: { skipCache: boolean }) => {
    if (!skipCache) return jwt(clock, 60, claims);
    await settled();
    fetched.push(jwt(clock, 600, { ...claims, jti: fetched.length }));
    return fetched.at(-1);
  };
  return new Tokens(getToken, new Flight(platform, "roomkey"), clock);
}

test("tabs of one login ask for one fresh token; those of another ask for their own", async () => {
  const clock = new TestClock();
  const [shared, fetched] = [tabs(), [] as string[]];
  const claims = [{ sub: "ada", sid: "1" }, { sub: "ada", sid: "1" }, { sub: "ada", sid: "1" }, { sub: "bob" }];
  const all = claims.map((one) => tab(clock, shared, one, fetched));
  await Promise.all(all.map((one) => one.current()));
  const fresh = Promise.all(all.flatMap((one) => [one.fresh(), one.fresh()]));
  await clock.advance(1_000);
  const tokens = await fresh;
  assert.equal(fetched.length, 2);
  assert.equal(new Set(tokens.slice(0, 6)).size, 1);
  assert.equal(loginOf(tokens[6] ?? ""), loginOf(jwt(clock, 1, { sub: "bob" })));
});

test("where another tab fails, the next one asks itself", async () => {
  const clock = new TestClock();
  const platform = platformWith({ clock, ...tabs() });
  const [one, other] = [new Flight(platform, "roomkey"), new Flight(platform, "roomkey")];
  const failed = one.run("key", () => settled().then(() => Promise.reject(new Error("down"))));
  const got = other.run("key", async () => "mine");
  await assert.rejects(failed, { message: "down" });
  await clock.advance(1_000);
  assert.equal(await got, "mine");
});

test("where a tab does not give up its turn, the others go on without it", async () => {
  const clock = new TestClock();
  const platform = platformWith({ clock, ...tabs() });
  const [stuck, other] = [new Flight(platform, "roomkey"), new Flight(platform, "roomkey")];
  void stuck.run("key", () => new Promise<string>(() => {}));
  const got = other.run("key", async () => "mine");
  await clock.advance(15_000);
  assert.equal(await got, "mine");
});

test("a source of tokens that hangs is given up, and asked again", async () => {
  const clock = new TestClock();
  const platform = platformWith({ clock, ...tabs() });
  let asked = 0;
  const getToken = () => ((asked += 1) === 1 ? new Promise<string>(() => {}) : jwt(clock, 60));
  const tokens = new Tokens(getToken, new Flight(platform, "roomkey"), clock);
  const hangs = tokens.fresh();
  hangs.catch(() => undefined);
  await clock.advance(30_000);
  await assert.rejects(hangs, { code: "NO_ANSWER", retry: "after" });
  assert.equal(await tokens.fresh(), jwt(clock, 60));
  assert.equal(clock.pending, 0);
});

test("a machine whose clock is wrong asks for one fresh token, and then leaves the time to the server", async () => {
  const [clock, server] = [new TestClock(), new TestClock()];
  await clock.advance(3_600_000);
  const asked: boolean[] = [];
  const getToken = ({ skipCache }: { skipCache: boolean }) => (asked.push(skipCache), jwt(server, 300));
  const tokens = new Tokens(getToken, new Flight(platformWith({ clock, ...tabs() }), "roomkey"), clock);
  for (let count = 0; count < 3; count += 1) assert.equal(await tokens.current(), jwt(server, 300));
  assert.deepEqual(asked, [false, true, false, false]);
});

test("where a page may not have locks, each tab asks for itself", async () => {
  const clock = new TestClock();
  const locks = { request: () => Promise.reject(new DOMException("not allowed", "SecurityError")) };
  const flight = new Flight(platformWith({ ...tabs(), clock, locks: locks as unknown as LockManager }), "roomkey");
  assert.equal(await flight.run("key", async () => "mine"), "mine");
  const failed = flight.run("key", () => Promise.reject(new Error("down")));
  await assert.rejects(failed, { message: "down" });
  assert.equal(clock.pending, 0);
});
