import type { GetToken } from "../auth/tokens.js";
import { platformWith } from "../platform.js";
import { RoomkeyError } from "../wire/failure.js";
import { request } from "../wire/rest.js";

/** Gets tokens from a `tokenRoute` at this path: what to give to `createClient` as `getToken`. */
export function routeToken(path: string, fetch: typeof globalThis.fetch = platformWith().fetch): GetToken {
  return async () => {
    try {
      const answer = await request<{ token?: string } | undefined>(fetch, path, "POST");
      if (answer?.token) return answer.token;
    } catch (thrown) {
      if (thrown instanceof RoomkeyError && thrown.code === "TOKEN_MISSING") return null;
      throw thrown;
    }
    // Such as a login page, to which something in front of the route sends whoever has no session.
    throw new RoomkeyError("UNEXPECTED", "The route gave no token.");
  };
}
