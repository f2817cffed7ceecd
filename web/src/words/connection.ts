import type { ConnectionState, TokenLife } from "roomkey";
import { refusalText } from "./refusals";
import { countdown, soon } from "./time";

export type Standing = "connected" | "connecting" | "reconnecting" | "offline" | "stopped";

/** How the connection stands, for people: without a network it is not the server's fault. */
export function standingOf(state: ConnectionState, isOnline: boolean): Standing {
  if (state.phase === "stopped") return "stopped";
  if (state.phase === "connected") return "connected";
  if (!isOnline) return "offline";
  return state.phase === "reconnecting" ? "reconnecting" : "connecting";
}

/** The same in a word or two. */
export const STANDINGS: Record<Standing, string> = {
  connected: "Connected",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  stopped: "Disconnected",
};

/** What is wrong with the connection and what comes of it; null where there is nothing to say. */
export function troubleText(state: ConnectionState, isOnline: boolean): string | null {
  switch (standingOf(state, isOnline)) {
    case "connected":
      return null;
    case "offline":
      return "You are offline. What you write is sent when you are back.";
    case "stopped":
      return state.phase === "stopped" ? stoppedText(state.error.code, refusalText(state.error)) : null;
    case "connecting":
    case "reconnecting":
      return attemptText(state);
  }
}

/** What is known of the end of the token. */
export function tokenText(token: TokenLife, nowMs: number): string | null {
  if (token.isRenewing) return "Renewing the session…";
  if (token.endsAt === null) return null;
  return `Session renews by itself · token ends in ${countdown(token.endsAt - nowMs)}`;
}

/** Why the session, which ends soon, is not renewed; null where it is. */
export function renewalTrouble(state: ConnectionState, token: TokenLife, nowMs: number): string | null {
  if (state.phase !== "connected" || state.error === null || token.endsAt === null) return null;
  const left = countdown(token.endsAt - nowMs);
  if (state.error.isTransient) return `The session could not be renewed yet. It ends in ${left}; trying again.`;
  return `The session cannot be renewed and ends in ${left}. Copy what you are writing, then log in again.`;
}

function attemptText(state: ConnectionState): string {
  const error = state.phase === "connecting" || state.phase === "reconnecting" ? state.error : null;
  const tail = "What you write is sent when it is back.";
  if (error === null) return `Connecting to the server. ${tail}`;
  switch (error.code) {
    case "UNREACHABLE":
      return `The server cannot be reached; trying again. ${tail}`;
    case "UNAVAILABLE":
      return `The server is not available; trying again ${soon(error.retryAfterMs)}. ${tail}`;
    case "RATE_LIMITED":
      return `Too many connections; trying again ${soon(error.retryAfterMs)}. ${tail}`;
    case "TOKEN_EXPIRED":
      return `The session is being renewed. ${tail}`;
    default:
      return `${error.message}; trying again. ${tail}`;
  }
}

function stoppedText(code: string, text: string): string {
  return code === "DISCONNECTED" ? "The server ended the connection." : text;
}
