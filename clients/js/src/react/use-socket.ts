"use client";
import { useContext, useEffect, useRef, useState } from "react";
import type { Socket } from "socket.io-client";

import { userOf } from "../auth/claims.js";
import { type Client, createClient } from "../client.js";
import type { ConnectionState } from "../connection.js";
import type { Platform } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { RoomkeyError } from "../wire/failure.js";
import { ClientContext } from "./context.js";
import { useObservable } from "./use-observable.js";

export interface SocketView {
  /** The stock client's socket, the same one over all connections; null without a token. */
  readonly socket: Socket | null;
  readonly isConnected: boolean;
  readonly error: RoomkeyError | null;
}

export interface SocketOptions {
  /** Where Roomkey answers; without it, the page's own origin. */
  url?: string;
  platform?: Partial<Platform>;
}

const NOBODY: Observable<ConnectionState> = new Store<ConnectionState>({ phase: "idle" });

/**
 * The stock client's socket: that of the provider, or with a token one of the component's own. Another token of the same
 * login is shown in band; with that of another user the socket connects anew.
 */
export function useSocket(token?: string | null, options: SocketOptions = {}): SocketView {
  const given = useContext(ClientContext);
  const isOwn = token !== undefined;
  const own = useTokenClient(isOwn ? token : null, options);
  const client = isOwn ? own : given;
  if (client === null && !isOwn) throw new Error("useSocket needs a token, or a <RoomkeyProvider> around it.");
  const state = useObservable(client?.connection ?? NOBODY);
  const error = "error" in state ? state.error : null;
  return { socket: client?.socket ?? null, isConnected: state.phase === "connected", error };
}

function useTokenClient(token: string | null, { url, platform }: SocketOptions): Client | null {
  const [client, setClient] = useState<Client | null>(null);
  const kept = useRef<{ readonly url: string | undefined; readonly client: Client } | null>(null);
  const shown = useRef(token);
  const world = useRef(platform);
  const isWanted = token !== null && token !== "";

  useEffect(() => {
    if (shown.current === token) return;
    const before = userOf(shown.current ?? "");
    shown.current = token;
    if (isWanted && kept.current !== null) show(kept.current.client, before !== undefined && before === userOf(token));
  }, [isWanted, token]);

  useEffect(() => {
    if (!isWanted) return;
    if (kept.current === null || kept.current.url !== url) {
      const getToken = () => shown.current;
      const options = { getToken, ...(url && { url }), ...(world.current && { platform: world.current }) };
      kept.current = { url, client: createClient(options) };
    }
    setClient(kept.current.client);
    return kept.current.client.hold();
  }, [isWanted, url]);

  return isWanted ? client : null;
}

/** Shows the new token on the connection that stands, or tries again with it. */
function show(client: Client, isSameUser: boolean): void {
  const { phase } = client.connection.get();
  const again = () => (client.close(), client.connect());
  if (phase === "stopped") client.connect();
  // The next attempt of the same user has the new token anyway; another user's would be refused as somebody else's.
  if ((phase === "connecting" || phase === "reconnecting") && !isSameUser) again();
  if (phase !== "connected") return;
  client.renew().catch((thrown: unknown) => {
    if (thrown instanceof RoomkeyError && thrown.code === "PRINCIPAL_MISMATCH") again();
  });
}
