import type { GetToken } from "../auth/tokens.js";
import { platformWith } from "../platform.js";
import { RoomkeyError } from "../wire/failure.js";
import { request } from "../wire/rest.js";

/** Gets tokens from a `tokenRoute` at this path: what to give to `createClient` as `getToken`. */
export function routeToken(path: string, fetch: typeof globalThis.fetch = platformWith().fetch): GetToken {
  return async () => {
    try {
      return (await request<{ token: string }>(fetch, path, "POST")).token;
    } catch (thrown) {
      if (thrown instanceof RoomkeyError && thrown.code === "TOKEN_MISSING") return null;
      throw thrown;
    }
  };
}
