/** What a minted token says, beside its times. */
export interface TokenClaims {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

const SECRET_BYTES_MIN = 32;

/** Signs tokens with a secret that the backend shares with Roomkey (HS256). Nothing for a page: it has no secrets. */
export function minter(
  secret: string | undefined,
): (claims: TokenClaims, lifetimeS: number, nowMs: number) => Promise<string> {
  if ("window" in globalThis) throw new Error("The secret belongs to the server: this must not run in a browser.");
  if (!secret) throw new Error("There is no secret to sign tokens with.");
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length < SECRET_BYTES_MIN) {
    throw new Error(`The secret has ${bytes.length} bytes; HS256 needs ${SECRET_BYTES_MIN} or more.`);
  }
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  return async (claims, lifetimeS, nowMs) => {
    const iat = Math.floor(nowMs / 1000);
    const all = { ...claims, iat, exp: iat + lifetimeS };
    const input = `${encoded({ alg: "HS256", typ: "JWT" })}.${encoded(all)}`;
    const signature = await crypto.subtle.sign("HMAC", await imported, new TextEncoder().encode(input));
    return `${input}.${base64url(new Uint8Array(signature))}`;
  };
}

function encoded(part: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(part)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}
