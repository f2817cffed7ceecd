import type { Consideration, Decision, Explanation } from "../wire/records";

const EVENTS: Readonly<Record<string, string>> = {
  authn_login_fail: "Refused",
  authn_login_fail_max: "Failed too often",
  authn_login_success: "Let in",
  authn_password_change: "Password changed",
  authn_token_created: "Token made",
  authn_token_reuse: "Refresh token used twice",
  authn_token_revoked: "Revoked",
  authz_admin: "Operator",
  authz_change: "Unblocked",
  authz_fail: "Not allowed",
  authz_on_behalf: "Acted for a user",
  excess_rate_limit_exceeded: "Too fast",
  excess_sessions_exceeded: "Too many sessions",
  input_validation_fail: "Broke the protocol",
  malicious_cors: "Foreign origin",
  malicious_csrf: "Forged request",
  malicious_direct_reference: "Somebody else's session",
  session_created: "Session began",
  session_expired: "Session expired",
  session_logout: "Logged out",
  session_renewed: "Session renewed",
  user_archived: "Blocked",
  user_created: "Account made",
  user_deleted: "User removed",
};

/** What was decided, in a few words. Unknown events are said by their own name. */
export function eventText(event: string): string {
  return EVENTS[event] ?? event;
}

/** What a login that failed was tried with, and what was wrong with it. */
const FAILED: Readonly<Record<string, string>> = {
  "admin password": "wrong name or password of an admin",
  password: "wrong name or password",
  refresh: "refresh token unknown or over",
};

/** What a login that succeeded was proven by. */
const PROVEN: Readonly<Record<string, string>> = {
  "admin password": "an admin, with a password",
  password: "with a password",
  refresh: "with a refresh token",
  ticket: "with a ticket",
  token: "with a token",
};

/** The reason of a decision. Most are sentences already; of logins it is the way that was tried. */
export function reasonText({ event, reason }: Pick<Decision, "event" | "reason">): string | null {
  if (!reason) return null;
  const words = event === "authn_login_fail" ? FAILED : event === "authn_login_success" ? PROVEN : {};
  return words[reason] ?? reason;
}

const MISMATCHES: Readonly<Record<string, string>> = {
  action: "is about other actions",
  author: "is about one's own messages, and this is somebody else's",
  claim: "asks for a claim that the token does not have",
  membership: "is about others than this kind of member",
  role: "asks for a role that the token does not have",
  room: "is about other rooms",
  scope: "is about tokens without the scope, and this one has it",
};

/** Why a rule decided, or did not. */
export function considerationText(rule: Consideration, isDecisive: boolean): string {
  if (!rule.matches) return `Does not apply: it ${MISMATCHES[rule.mismatch ?? ""] ?? "does not match"}.`;
  if (isDecisive) return rule.effect === "allow" ? "Applies, and allows it." : "Applies, and denies it.";
  return "Applies too, but was not needed any more.";
}

/** What is done, up to the name of the room. */
const ACTIONS: Readonly<Record<string, string>> = {
  create: "create channels",
  delete: "delete messages in",
  edit: "edit messages in",
  read: "read in",
  send: "send to",
};

/** The decision as a sentence. */
export function explanationText({ decision, rule, facts }: Explanation): string {
  const may = decision === "allowed" ? "may" : "may not";
  const where = facts.room === null ? "" : ` ${facts.room}`;
  const why = rule === null ? "no rule allows it" : `by the rule “${rule}”`;
  return `${facts.user} ${may} ${ACTIONS[facts.action] ?? facts.action}${where}: ${why}.`;
}
