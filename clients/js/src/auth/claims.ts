/** What can be read of a token without its key: whose it is and when it ends. Never to decide by, only to plan by. */
export type Claims = Readonly<Record<string, unknown>>;

/** The claims of a JWT; undefined where it is none, as encrypted sessions and tickets are. */
export function claimsOf(token: string | undefined): Claims | undefined {
  try {
    const part = token?.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? "";
    const text = new TextDecoder().decode(Uint8Array.from(atob(part), (char) => char.charCodeAt(0)));
    const claims: unknown = JSON.parse(text);
    return typeof claims === "object" && claims !== null ? (claims as Claims) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a token has ended, or will within `marginMs`: of one that lives shortly, within the last fifth of its life. A
 * token that does not say when it ends is taken for good.
 */
export function isEnding(token: string, nowMs: number, marginMs: number): boolean {
  const { iat, exp }: Claims = claimsOf(token) ?? {};
  if (typeof exp !== "number") return false;
  const lifeMs = typeof iat === "number" ? (exp - iat) * 1000 : Infinity;
  return exp * 1000 < nowMs + Math.min(marginMs, lifeMs / 5);
}

/** Where Roomkey finds the user of a token, unless its issuer is configured otherwise. */
const SUBJECT_CLAIMS = ["sub", "id", "userId", "username"];

/** Tokens with the same text here are of the same user; undefined where that cannot be seen. */
export function userOf(token: string): string | undefined {
  const claims = claimsOf(token);
  const subject = SUBJECT_CLAIMS.map((name) => claims?.[name]).find((value) => value !== undefined);
  return subject === undefined ? undefined : JSON.stringify([claims?.["iss"], subject]);
}

/** Tokens with the same text here are of the same user and login; undefined where that cannot be seen. */
export function loginOf(token: string): string | undefined {
  const user = userOf(token);
  return user === undefined ? undefined : JSON.stringify([user, claimsOf(token)?.["sid"]]);
}
