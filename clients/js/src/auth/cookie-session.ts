import { type Platform, platformWith } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { RoomkeyError, tokenMissing } from "../wire/failure.js";
import type { Account } from "../wire/records.js";
import { type Method, request } from "../wire/rest.js";
import { Flight } from "./flight.js";
import { Logins } from "./logins.js";
import { baseOf, type Credentials, type Registration, type SessionOptions } from "./session.js";
import type { GetToken } from "./tokens.js";

/** What a tab tells the others: who has logged in, or that nobody is any more. */
type Notice = { readonly user: Account | null };

export type CookieSessionOptions = Omit<SessionOptions, "storage">;

interface Answer {
  readonly user: Account;
  readonly token?: string;
}

/**
 * A login to Roomkey's own accounts whose tokens no script of the page can read: the server keeps them in cookies
 * (`auth.session_cookies`). It is that of all tabs, and survives the page. What a connection shows in the place of a
 * token is a ticket, which is good once.
 */
export class CookieSession {
  readonly #base: string;
  readonly #platform: Platform;
  readonly #flight: Flight;
  readonly #user = new Store<Account | null>(null);
  readonly #endListeners = new Set<(error: RoomkeyError) => void>();
  #tabs: BroadcastChannel | undefined;
  /** The cookies may be somebody else's than this page's, until it asks whose they are. */
  #isPast = false;
  /** Nobody listened when that became known. */
  #isUntold = false;
  /** The user's logins on all devices, and what is done with them. */
  readonly logins = new Logins((method, path, body) => this.request(method, path, body));

  constructor({ url, platform }: CookieSessionOptions = {}) {
    this.#base = baseOf(url);
    this.#platform = platformWith(platform);
    this.#flight = new Flight(this.#platform, `roomkey-cookies ${this.#base}`);
  }

  /** Who is logged in, or null: also where nobody has asked yet. */
  get user(): Observable<Account | null> {
    return this.#user;
  }

  async logIn(credentials: Credentials): Promise<Account> {
    return this.#start(await this.#post<Answer>("login", credentials));
  }

  async register(registration: Registration): Promise<Account> {
    return this.#start(await this.#post<Answer>("register", registration));
  }

  /** Asks who is logged in, as when a page begins. */
  async resume(): Promise<Account | null> {
    this.#isPast = false;
    try {
      return this.#note((await this.request<Answer>("GET", "/api/auth/me")).user);
    } catch (thrown) {
      if (!this.#isOver(thrown)) throw thrown;
      return null;
    }
  }

  /** Ends the login. Where the server cannot be reached it goes on: only the server can take the cookies back. */
  async logOut(): Promise<void> {
    await this.#post("logout");
    this.#tell(null);
    this.end();
  }

  /** Forgets the login, which the server has ended. */
  end(): void {
    this.#isPast ||= this.#user.get() !== null;
    this.#user.set(null);
  }

  /** Calls `listener` when somebody else has logged in, or the login was ended in another tab. */
  onEnd(listener: (error: RoomkeyError) => void): () => void {
    this.#endListeners.add(listener);
    return () => void this.#endListeners.delete(listener);
  }

  /** A ticket for one connection; null where nobody is logged in. */
  readonly getToken: GetToken = async ({ skipCache }) => {
    const before = this.#user.get();
    const isUntold = this.#isUntold && this.#endListeners.size === 0;
    this.#isPast = this.#isUntold = false;
    // Who was told begins anew; who was not would go on for the other user.
    if (isUntold) throw somebodyElse();
    try {
      if (skipCache) await this.#renew();
      const { ticket } = await this.request<{ ticket: string }>("POST", "/api/auth/ticket");
      // In this order: whoever has logged in in another tab until the ticket was made is seen.
      const { user } = await this.request<Answer>("GET", "/api/auth/me");
      this.#note(user);
      if (before === null || before.id === user.id) return ticket;
    } catch (thrown) {
      if (!this.#isOver(thrown)) throw thrown;
      return null;
    }
    this.#isPast = true;
    throw somebodyElse();
  };

  /** Asks Roomkey's HTTP API in the name of who is logged in. */
  readonly request = async <T>(method: Method, path: string, body?: unknown): Promise<T> => {
    try {
      return await this.#askAsMe<T>(method, path, body);
    } catch (thrown) {
      if (!(thrown instanceof RoomkeyError) || thrown.retry !== "refresh") throw thrown;
      await this.#renew();
      return this.#askAsMe<T>(method, path, body);
    }
  };

  /** Exchanges what is in the cookies, which all tabs share. */
  async #renew(): Promise<void> {
    await this.#flight.run("cookies", async () => JSON.stringify((await this.#post<Answer>("refresh")).user));
  }

  #start({ user, token }: Answer): Account {
    if (token !== undefined) throw new RoomkeyError("UNEXPECTED", "The server keeps no tokens in cookies.");
    const before = this.#user.get();
    const account = this.#note(user);
    this.#isPast = false;
    this.#tell(account);
    if (before !== null && before !== account) this.#ended(somebodyElse());
    return account;
  }

  /** Tells the other tabs whose the cookies are from now on. */
  #tell(user: Account | null): void {
    this.#listen();
    this.#tabs?.postMessage({ user } satisfies Notice);
  }

  /** From the first login on: who has none does nothing in anybody's name. */
  #listen(): void {
    if (this.#tabs !== undefined || this.#platform.broadcast === undefined) return;
    this.#tabs = this.#platform.broadcast(`roomkey-login ${this.#base}`);
    this.#tabs.onmessage = ({ data }: MessageEvent<Notice>) => this.#hear(data.user);
  }

  #hear(user: Account | null): void {
    const known = this.#user.get();
    if (known === null || known.id === user?.id) return;
    this.#isPast = true;
    this.#isUntold = this.#endListeners.size === 0;
    this.#user.set(user);
    this.#ended(user === null ? loggedOut() : somebodyElse());
  }

  #ended(error: RoomkeyError): void {
    for (const listener of [...this.#endListeners]) listener(error);
  }

  #note({ id, username, email }: Account): Account {
    const known = this.#user.get();
    if (known?.id === id) return known;
    const user = { id, username: username ?? null, email: email ?? null };
    this.#listen();
    this.#user.set(user);
    return user;
  }

  /** Nobody is logged in, or not any more. */
  #isOver(thrown: unknown): boolean {
    const isOver = thrown instanceof RoomkeyError && thrown.code.startsWith("TOKEN_");
    if (isOver) this.end();
    return isOver;
  }

  /** The cookies speak for whoever has logged in last, in any tab: not after it is known that this is another one. */
  async #askAsMe<T>(method: Method, path: string, body?: unknown): Promise<T> {
    if (this.#isPast) throw this.#user.get() === null ? tokenMissing() : somebodyElse();
    return this.#ask<T>(method, path, body);
  }

  #post<T>(action: string, body?: unknown): Promise<T> {
    return this.#ask("POST", `/api/auth/${action}`, body);
  }

  #ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
    return request<T>(this.#platform.fetch, this.#base + path, method, { body, withCookies: true });
  }
}

function somebodyElse(): RoomkeyError {
  return new RoomkeyError("PRINCIPAL_MISMATCH", "Somebody else has logged in.");
}

function loggedOut(): RoomkeyError {
  return new RoomkeyError("TOKEN_REVOKED", "Logged out in another tab.", "never", undefined, "logged_out");
}

/** A login to Roomkey's own accounts, in cookies. */
export function createCookieSession(options?: CookieSessionOptions): CookieSession {
  return new CookieSession(options);
}
