import type { Failure } from "../wire/failure";
import { roughly } from "./time";

/** Reasons that the server gives in one word, where a person wants a sentence. */
const ENDINGS: Readonly<Record<string, string>> = {
  expired: "Your session has expired, because you were away or because it was long. Log in again.",
  logged_out: "This session was ended from another window.",
  password_changed: "The password was changed, so this session has ended.",
  removed: "This admin account was removed.",
  session_limit: "You logged in elsewhere too often, so this session has ended.",
  unknown: "The server does not know your session any more. Log in again.",
};

/** Why the login is shown again. */
export function endingText(reason: string): string {
  return ENDINGS[reason.replaceAll(/[\s-]/g, "_")] ?? reason;
}

/** Why a login was refused. */
export function loginText(failure: Failure): string {
  switch (failure.code) {
    case "INVALID_CREDENTIALS":
      return "The name or the password is wrong.";
    case "RATE_LIMITED":
      return "Too many attempts.";
    case "UNREACHABLE":
      return "The server cannot be reached. Is it still running?";
    default:
      return failure.message;
  }
}

/** Why something could not be done, with how long to wait where that is known. */
export function failureText(failure: Failure): string {
  const { retryAfterMs } = failure;
  return retryAfterMs === undefined
    ? failure.message
    : `${failure.message} Try again in ${roughly(Math.max(retryAfterMs, 1_000))}.`;
}
