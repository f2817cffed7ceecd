import { type Platform, platformWith } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { RoomkeyError } from "../wire/failure.js";
import type { Account } from "../wire/records.js";
import { type Method, request } from "../wire/rest.js";
import { Flight } from "./flight.js";
import { Logins } from "./logins.js";
import { baseOf, type Credentials, type Registration, type SessionOptions } from "./session.js";
import type { GetToken } from "./tokens.js";

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
    this.end();
  }

  /** Forgets the login, which the server has ended. */
  end(): void {
    this.#user.set(null);
  }

  /** A ticket for one connection; null where nobody is logged in. */
  readonly getToken: GetToken = async ({ skipCache }) => {
    const before = this.#user.get();
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
    throw new RoomkeyError("PRINCIPAL_MISMATCH", "Somebody else has logged in.");
  };

  /** Asks Roomkey's HTTP API in the name of who is logged in. */
  readonly request = async <T>(method: Method, path: string, body?: unknown): Promise<T> => {
    try {
      return await this.#ask<T>(method, path, body);
    } catch (thrown) {
      if (!(thrown instanceof RoomkeyError) || thrown.retry !== "refresh") throw thrown;
      await this.#renew();
      return this.#ask<T>(method, path, body);
    }
  };

  /** Exchanges what is in the cookies, which all tabs share. */
  async #renew(): Promise<void> {
    await this.#flight.run("cookies", async () => JSON.stringify((await this.#post<Answer>("refresh")).user));
  }

  #start({ user, token }: Answer): Account {
    if (token !== undefined) throw new RoomkeyError("UNEXPECTED", "The server keeps no tokens in cookies.");
    return this.#note(user);
  }

  #note({ id, username, email }: Account): Account {
    const known = this.#user.get();
    if (known?.id === id) return known;
    const user = { id, username: username ?? null, email: email ?? null };
    this.#user.set(user);
    return user;
  }

  /** Nobody is logged in, or not any more. */
  #isOver(thrown: unknown): boolean {
    const isOver = thrown instanceof RoomkeyError && thrown.code.startsWith("TOKEN_");
    if (isOver) this.end();
    return isOver;
  }

  #post<T>(action: string, body?: unknown): Promise<T> {
    return this.#ask("POST", `/api/auth/${action}`, body);
  }

  #ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
    return request<T>(this.#platform.fetch, this.#base + path, method, { body, withCookies: true });
  }
}

/** A login to Roomkey's own accounts, in cookies. */
export function createCookieSession(options?: CookieSessionOptions): CookieSession {
  return new CookieSession(options);
}
