import { computed, signal } from "@preact/signals";
import { Failure, asFailure } from "../wire/failure";
import { request, type Method } from "../wire/rest";
import type { Account } from "../wire/user";
import { claim, load, save } from "./saved";

/** What register, login and refresh answer. Without tokens: the server keeps them in cookies. */
interface Grant {
  readonly token?: string | undefined;
  readonly refreshToken?: string | undefined;
  readonly user: Account;
}

/** How long before its end a token is not worth presenting any more. */
const NEAR_END_MS = 20_000;

export type Credentials = ({ email: string } | { username: string }) & { password: string };
export type Registration = { email: string; username?: string; password: string };

/** Who is signed in in this tab, and the token that proves it. The token never leaves but through here. */
export class Session {
  readonly #loaded = load() ?? null;
  readonly #grant = signal<Grant | null>(this.#loaded);
  readonly #claim = claim();
  #refreshing: Promise<void> | undefined;

  /** The user who is signed in, or null. */
  readonly user = computed(() => this.#grant.value?.user ?? null);
  /** Why the last session ended; null where that was the user's own wish. */
  readonly ending = signal<Failure | null>(null);

  async register(registration: Registration): Promise<void> {
    this.#start(await request<Grant>("POST", "/api/auth/register", { body: registration }));
  }

  async logIn(credentials: Credentials): Promise<void> {
    this.#start(await request<Grant>("POST", "/api/auth/login", { body: credentials }));
  }

  /** Ends the session by the user's wish: here at once, on the server as soon as it hears of it. */
  signOut(): void {
    const token = this.#grant.peek()?.token;
    this.end(null);
    void request("POST", "/api/auth/logout", { token, body: {} }).catch(() => undefined);
  }

  /** Ends the session in this tab and says why. */
  end(reason: Failure | null): void {
    this.ending.value = reason;
    this.#set(null);
  }

  /** The token to present now: a fresh one, where the one there is ends at once. */
  async token(): Promise<string | undefined> {
    const grant = this.#grant.peek();
    const isNearEnd = grant?.refreshToken !== undefined && endOf(grant.token) < Date.now() + NEAR_END_MS;
    await (isNearEnd ? this.refresh() : this.#refreshing)?.catch(() => undefined);
    return this.#grant.peek()?.token;
  }

  /** Exchanges the refresh token for fresh ones. Calls at the same time share one exchange. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#exchange().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** A request in this user's name. An expired token is refreshed once; a token that is refused ends the session. */
  async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
    let token = await this.token();
    try {
      try {
        return await request<T>(method, path, { token, body });
      } catch (thrown) {
        if (asFailure(thrown).retry !== "refresh") throw thrown;
        await this.refresh();
        token = await this.token();
        return await request<T>(method, path, { token, body });
      }
    } catch (thrown) {
      const failure = asFailure(thrown);
      // Only where it is still this session that was refused.
      if (failure.code.startsWith("TOKEN_") && token === this.#grant.peek()?.token) this.end(failure);
      throw failure;
    }
  }

  async #exchange(): Promise<void> {
    const before = this.#grant.peek();
    const isAnothers = before !== null && before === this.#loaded && (await this.#claim) === "theirs";
    if (before === null || isAnothers) throw expired();
    const grant = await renew(before);
    // Signed out in the meantime: the new tokens belong to nobody any more.
    if (this.#grant.peek() === before) this.#set(grant);
  }

  #start(grant: Grant): void {
    this.ending.value = null;
    this.#set(grant);
  }

  #set(grant: Grant | null): void {
    this.#grant.value = grant;
    save(grant === null ? undefined : { token: grant.token, user: grant.user });
    void this.#claim.then((claim) => {
      if (grant !== null && claim !== "unknown" && this.#grant.peek() === grant) save(grant);
    });
  }
}

async function renew({ token, refreshToken }: Grant): Promise<Grant> {
  if (refreshToken === undefined && token !== undefined) throw expired();
  try {
    return await request<Grant>("POST", "/api/auth/refresh", { body: { refreshToken } });
  } catch (thrown) {
    const failure = asFailure(thrown);
    throw failure.isTransient || failure.code === "TOKEN_REVOKED" ? failure : expired();
  }
}

/** When a token ends, in milliseconds since 1970; never, as far as can be seen, where it does not say. */
function endOf(token: string | undefined): number {
  try {
    const claims = JSON.parse(atob(token?.split(".")[1]?.replace(/-/g, "+").replace(/_/g, "/") ?? ""));
    return typeof claims.exp === "number" ? claims.exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

function expired(): Failure {
  return new Failure("TOKEN_EXPIRED", "Your session has expired.");
}
