import type { Socket } from "socket.io-client";

import type { GetToken } from "../auth/tokens.js";
import { createClient } from "../client.js";
import type { SocketSettings } from "../connection.js";
import type { Platform } from "../platform.js";

/** A session with a token in it, as a callback of NextAuth or Auth.js puts it there. */
export interface SessionWithToken {
  readonly token?: string | null | undefined;
}

export interface SocketOptions {
  /** Where Roomkey answers; without it, `NEXT_PUBLIC_SOCKET_URL`, and without that, the page's own origin. */
  url?: string;
  /** Gives the session as it is now, such as `getSession` of `next-auth/react`: for the next token. */
  getSession?: () => Promise<SessionWithToken | null>;
  /** Settings of the stock client. */
  socket?: SocketSettings;
  platform?: Partial<Platform>;
}

declare const process: { env: { NEXT_PUBLIC_SOCKET_URL?: string } } | undefined;

/**
 * The stock client's socket, connecting with the token in the session, and closed with `socket.disconnect()`. It is kept
 * connected as the server's contract says: for a fresh token `getSession` is asked, where there is one.
 */
export function createSocket(session: SessionWithToken | null | undefined, options: SocketOptions = {}): Socket {
  const first = session?.token;
  if (!first) throw new Error("No authentication token available");
  const { getSession, socket, platform } = options;
  let latest: string | null | undefined = first;
  const getToken: GetToken = async ({ skipCache }) => {
    if (skipCache && getSession !== undefined) latest = (await getSession())?.token;
    return latest;
  };
  const url = options.url ?? configuredUrl();
  const client = createClient({
    getToken,
    ...(url && { url }),
    ...(socket && { socket }),
    ...(platform && { platform }),
  });
  client.connect();
  return client.socket;
}

/** Next.js puts the value in the place of this expression. */
function configuredUrl(): string | undefined {
  return typeof process === "undefined" ? undefined : process.env.NEXT_PUBLIC_SOCKET_URL;
}
