"use client";
import type { ConnectionState } from "../connection.js";
import type { RoomkeyError } from "../wire/failure.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

export interface ConnectionView {
  readonly phase: ConnectionState["phase"];
  readonly isConnected: boolean;
  /** Why it is not connected, or why the token could not be renewed. */
  readonly error: RoomkeyError | null;
  /** Only another login helps. */
  readonly needsLogin: boolean;
  /** Tries again after it was stopped. */
  readonly connect: () => void;
}

/** How the connection stands. */
export function useConnection(): ConnectionView {
  const client = useClient();
  const state = useObservable(client.connection);
  const error = "error" in state ? state.error : null;
  const { phase } = state;
  const needsLogin = phase === "stopped" && state.error.needsLogin;
  return { phase, isConnected: phase === "connected", error, needsLogin, connect: client.connect };
}
