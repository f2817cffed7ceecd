import { type Client, type ClientOptions, createClient } from "../../src/index.js";
import type { Platform } from "../../src/platform.js";
import { TestClock } from "./clock.js";
import { TestServer } from "./server.js";

/** A JWT that ends after so many seconds of this clock; its signature is none. */
export function jwt(clock: TestClock, seconds: number, claims: object = {}): string {
  const exp = Math.floor(clock.now() / 1000) + seconds;
  return `h.${Buffer.from(JSON.stringify({ sub: "me", exp, ...claims })).toString("base64url")}.s`;
}

export interface World {
  readonly clock: TestClock;
  readonly server: TestServer;
  readonly platform: Partial<Platform>;
  /** A client on this platform; its tokens are good for ten minutes, unless other ones are given. */
  client(options?: Partial<ClientOptions>): Client;
}

/** An answer over HTTP that is there at once: a real one is read by the event loop, in its own time. */
export function response(status: number, body: unknown): Response {
  const read = { status, ok: status < 300, headers: new Headers(), json: async () => body };
  return read as unknown as Response;
}

export function world(): World {
  const clock = new TestClock();
  const server = new TestServer(clock);
  let ids = 0;
  const platform: Partial<Platform> = {
    clock,
    random: () => 0,
    randomId: () => `id-${(ids += 1)}`,
    connect: server.connect,
    fetch: async () => response(200, { user: { id: "me", username: "me" } }),
    locks: undefined,
    broadcast: undefined,
  };
  const client = (options: Partial<ClientOptions> = {}) => {
    const given = "session" in options || "login" in options ? {} : { getToken: () => jwt(clock, 600) };
    return createClient({ url: "http://roomkey", platform, ...given, ...options } as ClientOptions);
  };
  return { clock, server, platform, client };
}
