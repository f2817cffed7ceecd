import { type Platform, platformWith } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { closed, RoomkeyError, tokenMissing } from "../wire/failure.js";
import type { Account } from "../wire/records.js";
import { type Method, request } from "../wire/rest.js";
import { isEnding, loginOf } from "./claims.js";
import { Flight } from "./flight.js";
import { Logins } from "./logins.js";
import type { GetToken } from "./tokens.js";

export type Credentials = ({ email: string } | { username: string }) & { password: string };
export type Registration = { email: string; username?: string; password: string };

/** What a login gives. */
export interface Grant {
  readonly token: string;
  readonly refreshToken: string;
  readonly user: Account;
  /** When the token is to be exchanged, by this machine's clock, which may not be the server's. */
  readonly renewAt?: number;
}

/** The server's answer to a login. */
type Answer = Grant & { readonly expiresIn?: number };

/**
 * Where a login survives the page. The tabs that share a login must share the storage: a refresh token is good once,
 * and who uses an old one ends the session. Whatever script runs in the page can read it, too.
 */
export interface GrantStorage {
  load(): Grant | null;
  save(grant: Grant | null): void;
}

export interface SessionOptions {
  /** Where Roomkey answers; without it, the page's own origin. */
  url?: string;
  /** Without it, a login ends with the page. */
  storage?: GrantStorage;
  platform?: Partial<Platform>;
}

/** How long before its end a token is exchanged rather than shown. */
const NEAR_END_MS = 20_000;

/** A login to Roomkey's own accounts. */
export class Session {
  readonly #base: string;
  readonly #storage: GrantStorage | undefined;
  readonly #platform: Platform;
  readonly #flight: Flight;
  readonly #grant: Store<Grant | null>;
  readonly #user: Store<Account | null>;

  /** The user's logins on all devices, and what is done with them. */
  readonly logins = new Logins((method, path, body) => this.#ask(method, path, body));

  constructor({ url, storage, platform }: SessionOptions = {}) {
    this.#base = baseOf(url);
    this.#storage = storage;
    this.#platform = platformWith(platform);
    this.#flight = new Flight(this.#platform, `roomkey-session ${this.#base}`);
    this.#grant = new Store(storage?.load() ?? null);
    this.#user = new Store(this.#grant.get()?.user ?? null);
  }

  /** Who is logged in, or null. */
  get user(): Observable<Account | null> {
    return this.#user;
  }

  async logIn(credentials: Credentials): Promise<Account> {
    return this.#start(await this.#post<Answer>("login", credentials));
  }

  async register(registration: Registration): Promise<Account> {
    return this.#start(await this.#post<Answer>("register", registration));
  }

  /**
   * Ends the login: here at once, whatever happens. The server is told once; where it cannot be reached, the login stays in
   * the user's list there until it ends by itself, though nobody has its tokens any more.
   */
  async logOut(): Promise<void> {
    const grant = this.#grant.get();
    this.end();
    if (grant !== null) await this.#post("logout", { refreshToken: grant.refreshToken }).catch(() => undefined);
  }

  /** Forgets the login, which the server has ended. */
  end(): void {
    this.#set(null, this.#isStored(this.#grant.get()));
  }

  /** The token to show now; null where nobody is logged in. Calls at the same time share one exchange. */
  readonly getToken: GetToken = async ({ skipCache }) => {
    const grant = this.#grant.get();
    if (grant === null) return null;
    if (this.#isGood(grant) && !skipCache) return grant.token;
    return this.#flight.run(loginOf(grant.token), () => this.#exchange(this.#newest(grant), grant));
  };

  /** A request in the name of who is logged in; where the token has just ended, once more with a fresh one. */
  async #ask<T>(method: Method, path: string, body: unknown): Promise<T> {
    const once = async (skipCache: boolean) => {
      const token = await this.getToken({ skipCache });
      if (!token) throw tokenMissing();
      return request<T>(this.#platform.fetch, this.#base + path, method, { token, body });
    };
    return once(false).catch((thrown: unknown) => {
      if (thrown instanceof RoomkeyError && thrown.retry === "refresh") return once(true);
      throw thrown;
    });
  }

  /** Another tab may have logged out or in anew meanwhile: what it has stored is not overwritten. */
  #isStored(grant: Grant | null): boolean {
    const stored = this.#storage?.load() ?? null;
    return stored !== null && loginOf(stored.token) === loginOf(grant?.token ?? "");
  }

  #isGood(grant: Grant): boolean {
    const now = this.#platform.clock.now();
    return grant.renewAt === undefined ? !isEnding(grant.token, now, NEAR_END_MS) : now < grant.renewAt;
  }

  /** Another tab may have been quicker: then its refresh token is the one that is good. */
  #newest(grant: Grant): Grant {
    const stored = this.#storage?.load() ?? null;
    if (stored === null || loginOf(stored.token) !== loginOf(grant.token)) return grant;
    if (stored.refreshToken === grant.refreshToken) return grant;
    this.#set(stored, false);
    return stored;
  }

  async #exchange(before: Grant, asked: Grant): Promise<string> {
    if (before !== asked && this.#isGood(before)) return before.token;
    try {
      const grant = this.#granted(await this.#post<Answer>("refresh", { refreshToken: before.refreshToken }));
      // Logged out meanwhile, or logged in anew: the new tokens are nobody's.
      const now = this.#grant.get();
      if (now !== before) throw now === null ? tokenMissing() : closed();
      this.#set(grant, this.#isStored(before));
      return grant.token;
    } catch (thrown) {
      const isOver = thrown instanceof RoomkeyError && thrown.needsLogin;
      if (isOver && this.#grant.get() === before) this.end();
      throw thrown;
    }
  }

  #start(answer: Answer): Account {
    this.#set(this.#granted(answer));
    return answer.user;
  }

  #granted({ expiresIn, ...grant }: Answer): Grant {
    if (grant.token === undefined)
      throw new RoomkeyError("UNEXPECTED", "The server keeps tokens in cookies: use createCookieSession.");
    if (expiresIn === undefined) return grant;
    const lifeMs = expiresIn * 1000;
    return { ...grant, renewAt: this.#platform.clock.now() + lifeMs - Math.min(NEAR_END_MS, lifeMs / 5) };
  }

  #set(grant: Grant | null, save = true): void {
    this.#grant.set(grant);
    if (save) this.#storage?.save(grant);
    const user = grant?.user ?? null;
    if (user?.id !== this.#user.get()?.id) this.#user.set(user);
  }

  #post<T>(action: string, body: unknown): Promise<T> {
    return request<T>(this.#platform.fetch, `${this.#base}/api/auth/${action}`, "POST", { body });
  }
}

/** A login to Roomkey's own accounts; nobody is logged in yet, unless the storage has it. */
export function createSession(options?: SessionOptions): Session {
  return new Session(options);
}

/** Without a slash at the end; empty for the page's own origin. */
export function baseOf(url: string | undefined): string {
  return url?.replace(/\/+$/, "") ?? "";
}
