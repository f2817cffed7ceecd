import type { RoomkeyError } from "roomkey";
import { soon } from "./time";

/** Why something that was tried was refused. */
export function refusalText(error: RoomkeyError): string {
  switch (error.code) {
    case "FORBIDDEN":
      return "You may not do that here, or it does not exist any more.";
    case "LAST_OWNER":
      return "A channel needs an owner: make somebody else one first.";
    case "CHANNEL_ARCHIVED":
      return "This channel is archived: it can be read, but nothing can be written.";
    case "RATE_LIMITED":
      return `That was too much at once. Try again ${soon(error.retryAfterMs)}.`;
    case "PAYLOAD_TOO_LARGE":
      return "That is too long.";
    case "UNREACHABLE":
    case "CLOSED":
      return "There is no connection to the server. Try again when it is back.";
    case "NO_ANSWER":
      return "The server did not answer in time.";
    case "UNAVAILABLE":
      return "The server cannot do that right now. Try again in a moment.";
    default:
      return error.message;
  }
}

/** Why a log-in or a registration was refused. */
export function signInText(error: RoomkeyError, mode: "login" | "register"): string {
  switch (error.code) {
    case "INVALID_CREDENTIALS":
      return "That name and password do not match. Check both and try again.";
    case "CONFLICT":
      return mode === "register" ? "That email or username is already taken." : error.message;
    case "FORBIDDEN":
      return mode === "register" ? "New accounts cannot be made here. Ask whoever runs this server." : error.message;
    case "RATE_LIMITED":
      return `Too many attempts. Try again ${soon(error.retryAfterMs)}.`;
    case "UNREACHABLE":
      return "The server cannot be reached. Check your connection and try again.";
    default:
      return error.message;
  }
}

/** Why the password was not changed. */
export function passwordText(error: RoomkeyError): string {
  return error.code === "INVALID_CREDENTIALS" ? "That is not your current password." : signInText(error, "login");
}

/** What ended a login, by the reason that `auth:revoked` gives. */
const REASONS = new Map(
  Object.entries({
    blocked: "Your account was blocked by an administrator. Ask them before you log in again.",
    key_revoked: "The server has changed its keys, and all sessions ended. Log in again.",
    logged_out: "You were signed out from another place. Log in again to go on.",
    password_changed: "Your password was changed in another place. Log in with the new one.",
    refresh_reused:
      "This session was used in two places at once, which looks like theft, so it was ended. Log in again.",
    revoked: "An administrator ended your session. Log in again to go on.",
    session_limit: "You have logged in in too many places, so the oldest session, this one, was ended. Log in again.",
  }),
);

/** Why a login ended that the user did not end. */
export function endingText(error: RoomkeyError): string {
  const known = error.reason === undefined ? undefined : REASONS.get(error.reason);
  if (known !== undefined) return known;
  switch (error.code) {
    case "TOKEN_EXPIRED":
    case "TOKEN_MISSING":
      return "Your session has expired. Log in again.";
    case "TOKEN_REVOKED":
      return "Your session was ended. Log in again.";
    case "TOKEN_INVALID":
      return "The server does not accept this session any more. Log in again.";
    default:
      return `${error.message} Log in again.`;
  }
}
