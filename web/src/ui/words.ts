import type { ConnectionState } from "../chat/connection";
import type { Failure } from "../wire/failure";

/** Why a log-in or a registration was refused. */
export function signInText(failure: Failure, mode: "login" | "register"): string {
  switch (failure.code) {
    case "INVALID_CREDENTIALS":
      return "That name and password do not match.";
    case "CONFLICT":
      return mode === "register" ? "That email or username is already taken." : failure.message;
    case "RATE_LIMITED":
      return `Too many attempts. Try again ${soon(failure.retryAfterMs)}.`;
    case "UNREACHABLE":
      return "The server cannot be reached. Check that it is running, then try again.";
    default:
      return failure.message;
  }
}

/** Why a session ended that the user did not end. */
export function endingText(failure: Failure): string {
  switch (failure.code) {
    case "TOKEN_EXPIRED":
      return "Your session has expired. Log in again.";
    case "TOKEN_REVOKED":
      return "Your session was ended from another place. Log in again.";
    case "TOKEN_INVALID":
    case "TOKEN_MISSING":
      return "The server does not accept this session. Log in again.";
    default:
      return `${failure.message} Log in again.`;
  }
}

/** What the connection is doing, in few words. */
export function connectionText(state: ConnectionState): string {
  switch (state.phase) {
    case "connected":
      return "Connected";
    case "connecting":
      return "Connecting…";
    case "reconnecting":
      return "Reconnecting…";
    case "stopped":
      return "Disconnected";
  }
}

/** Why there is no connection, where there is something to say. */
export function connectionTrouble(state: ConnectionState): string | null {
  if (state.phase === "stopped") return state.failure.message;
  if (state.phase !== "connected" && state.failing) return "The server cannot be reached. Trying again…";
  return null;
}

function soon(ms: number | undefined): string {
  if (ms === undefined || ms < 2_000) return "in a moment";
  return ms < 90_000 ? `in ${Math.ceil(ms / 1_000)} seconds` : `in ${Math.ceil(ms / 60_000)} minutes`;
}
