import { computed, signal } from "@preact/signals";
import { Failure, asFailure } from "../wire/failure";
import { request, type Method } from "../wire/rest";
import type { Account } from "../wire/user";
import { load, save } from "./saved";

/** What register, login and refresh answer. */
interface Grant {
  readonly token: string;
  readonly refreshToken?: string;
  readonly user: Account;
}

export type Credentials = ({ email: string } | { username: string }) & { password: string };
export type Registration = { email: string; username?: string; password: string };

/** Who is signed in in this tab, and the token that proves it. The token never leaves but through here. */
export class Session {
  readonly #grant = signal<Grant | null>(load() ?? null);
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

  /** The token to present now; waits for a refresh that is under way. */
  async token(): Promise<string | undefined> {
    await this.#refreshing?.catch(() => undefined);
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
    const grant = await renew(before?.refreshToken);
    // Signed out in the meantime: the new tokens belong to nobody any more.
    if (this.#grant.peek() === before) this.#set(grant);
  }

  #start(grant: Grant): void {
    this.ending.value = null;
    this.#set(grant);
  }

  #set(grant: Grant | null): void {
    save(grant === null ? undefined : { token: grant.token, user: grant.user });
    this.#grant.value = grant;
  }
}

async function renew(refreshToken: string | undefined): Promise<Grant> {
  if (refreshToken === undefined) throw expired();
  try {
    return await request<Grant>("POST", "/api/auth/refresh", { body: { refreshToken } });
  } catch (thrown) {
    const failure = asFailure(thrown);
    throw failure.isTransient || failure.code === "TOKEN_REVOKED" ? failure : expired();
  }
}

function expired(): Failure {
  return new Failure("TOKEN_EXPIRED", "Your session has expired.");
}
