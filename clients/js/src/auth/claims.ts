/** What can be read of a token without its key: whose it is and when it ends. Never to decide by, only to plan by. */
export interface Claims {
  readonly iss?: unknown;
  readonly sub?: unknown;
  readonly sid?: unknown;
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

/** When a token ends, in milliseconds since 1970; never, as far as can be seen, where it does not say. */
export function endOf(token: string | undefined): number {
  const end = claimsOf(token)?.exp;
  return typeof end === "number" ? end * 1000 : Infinity;
}

/** Tokens with the same text here are of the same user and login; undefined where that cannot be seen. */
export function principalOf(token: string | undefined): string | undefined {
  const claims = claimsOf(token);
  return typeof claims?.sub === "string" ? JSON.stringify([claims.iss, claims.sub, claims.sid]) : undefined;
}
