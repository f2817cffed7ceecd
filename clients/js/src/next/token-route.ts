import { type Clock, platformWith } from "../platform.js";
import { minter, type TokenClaims } from "./mint.js";

/** The part of an Auth.js session that says whose it is. */
export interface AuthSession {
  readonly user?: { readonly id?: string | null; readonly name?: string | null; readonly email?: string | null } | null;
}

export interface TokenRouteOptions<Session extends AuthSession> {
  /** The session of the request that is answered: `auth` of Auth.js, or `() => getServerSession(options)` of NextAuth 4. */
  auth: () => Promise<Session | null>;
  /**
   * Shared with Roomkey: its `JWT_SECRET`, or the secret of an issuer. At least 32 bytes. It is looked at when the first
   * token is asked for: an application is built without its secrets.
   */
  secret: string | undefined;
  /** How long a token is good for; five minutes where it is not said. */
  lifetimeS?: number;
  /** `iss` and `aud`, where an issuer is configured for these tokens. */
  issuer?: string;
  audience?: string;
  /** What the token says, where it is not `sub` from the session's user id and `name`. Nothing: the user gets no token. */
  claims?: (session: Session) => TokenClaims | null;
  clock?: Pick<Clock, "now">;
}

const LIFETIME_S = 300;

/**
 * A route handler that gives whoever has a session a short token for Roomkey: `export const POST = tokenRoute({...})`.
 * The session's cookie stays with your application.
 */
export function tokenRoute<Session extends AuthSession>(
  options: TokenRouteOptions<Session>,
): (request: Request) => Promise<Response> {
  const { auth, lifetimeS = LIFETIME_S, issuer, audience, claims = claimsOf } = options;
  let mint: ReturnType<typeof minter> | undefined;
  const clock = options.clock ?? platformWith().clock;
  return async (request) => {
    mint ??= minter(options.secret);
    if (!isOwnPage(request)) return refusal(403, "FORBIDDEN", "Only for the pages of this site");
    const session = await auth();
    const said = session === null ? null : claims(session);
    if (said === null || !said.sub) return refusal(401, "TOKEN_MISSING", "Nobody is logged in");
    const all = { ...said, ...(issuer && { iss: issuer }), ...(audience && { aud: audience }) };
    return answer(200, { token: await mint(all, lifetimeS, clock.now()), expiresIn: lifetimeS });
  };
}

function claimsOf({ user }: AuthSession): TokenClaims | null {
  if (!user?.id) return null;
  return { sub: user.id, ...(user.name && { name: user.name }) };
}

/** Browsers say where a request comes from; other programs have no session's cookie to be misused. */
function isOwnPage(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  return site === null || site === "same-origin";
}

function refusal(status: number, code: string, message: string): Response {
  return answer(status, { code, message, retry: "never" });
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
