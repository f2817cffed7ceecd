"use client";
import type { PresenceQuery, Presences } from "../chat/presence.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

/** Who of these users, or of the members of a channel, is online; by user id. */
export function usePresence(query: PresenceQuery): Presences {
  return useObservable(useClient().presence(query));
}
