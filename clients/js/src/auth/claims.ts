/** What can be read of a token without its key: whose it is and when it ends. Never to decide by, only to plan by. */
export interface Claims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly sid?: unknown;
  readonly iat?: unknown;
  readonly exp?: unknown;
}

/** The claims of a JWT; undefined where it is none, as encrypted sessions and tickets are. */
export function claimsOf(token: string | undefined): Claims | undefined {
  try {
    const part = token?.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? "";
    const text = new TextDecoder().decode(Uint8Array.from(atob(part), (char) => char.charCodeAt(0)));
    const claims: unknown = JSON.parse(text);
    return typeof claims === "object" && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether a token has ended, or will within `marginMs`: of one that lives shortly, within the last fifth of its life. A
 * token that does not say when it ends is taken for good.
 */
export function isEnding(token: string, nowMs: number, marginMs: number): boolean {
  const { iat, exp } = claimsOf(token) ?? {};
  if (typeof exp !== "number") return false;
  const lifeMs = typeof iat === "number" ? (exp - iat) * 1000 : Infinity;
  return exp * 1000 < nowMs + Math.min(marginMs, lifeMs / 5);
}

/** Tokens with the same text here are of the same user and login; undefined where that cannot be seen. */
export function principalOf(token: string | undefined): string | undefined {
  const claims = claimsOf(token);
  return typeof claims?.sub === "string" ? JSON.stringify([claims.iss, claims.sub, claims.sid]) : undefined;
}
