import type { Clock } from "../platform.js";
import { soon } from "../soon.js";
import { asFailure, closed, RoomkeyError, tokenMissing } from "../wire/failure.js";
import { isEnding, loginOf, userOf } from "./claims.js";
import type { Flight } from "./flight.js";

/**
 * Gives the token to show, or nothing where nobody is logged in. With `skipCache` the last one is no good any more, or
 * will not be for long: a fresh one is wanted.
 */
export type GetToken = (options: {
  skipCache: boolean;
}) => string | null | undefined | Promise<string | null | undefined>;

/** How long before its end, by this machine's clock, a token is not worth showing. */
const NEAR_END_MS = 5_000;
/** How long is waited for a token. Then it is asked for again: of what hangs, nobody knows whether it ever ends. */
const WAIT_MAX_MS = 30_000;

/** For how long a token that came between two handshakes is kept for the next. A ticket is good for half a minute. */
const LATE_MAX_MS = 5_000;

/** The tokens of a client: never kept longer than to ask for the next one. */
export class Tokens {
  readonly #getToken: GetToken;
  readonly #flight: Flight;
  readonly #clock: Clock;
  #login: string | undefined;
  #user: string | undefined;
  #wantsFresh = false;
  /** A fresh token seemed to have ended: this machine's clock is wrong, and only the server knows the time. */
  #isClockOff = false;
  #beginnings = 0;
  /** Asked for, and not shown in a handshake yet. */
  #asked: Promise<string> | undefined;
  #askedGoodUntil = Infinity;

  constructor(getToken: GetToken, flight: Flight, clock: Clock) {
    this.#getToken = getToken;
    this.#flight = flight;
    this.#clock = clock;
  }

  /** Tokens with the same text here are of the same user. Where that cannot be seen, they are until the next beginning. */
  get user(): string {
    return this.#user ?? `somebody ${this.#beginnings}`;
  }

  /** From here on the tokens may be of another user. */
  begin(): void {
    this.#user = this.#login = undefined;
    this.#wantsFresh = false;
    this.#asked = undefined;
    this.#beginnings += 1;
  }

  /** The last token is known to have ended. */
  expire(): void {
    this.#wantsFresh = true;
    this.#asked = undefined;
  }

  /**
   * The token for a handshake; undefined where that does not wait for it any more. The server waits ten seconds, and the
   * source may be slower: the next handshake waits for the same token, or finds it here.
   */
  async forHandshake(isWaiting: () => boolean): Promise<string | undefined> {
    if (this.#clock.now() > this.#askedGoodUntil) this.#asked = undefined;
    if (this.#asked === undefined) this.#askedGoodUntil = Infinity;
    const asked = (this.#asked ??= this.current());
    const forget = () => this.#asked === asked && (this.#asked = undefined);
    try {
      const token = await asked;
      if (isWaiting()) return (forget(), token);
      if (this.#asked === asked) this.#askedGoodUntil = this.#clock.now() + LATE_MAX_MS;
      return undefined;
    } catch (thrown) {
      forget();
      throw thrown;
    }
  }

  /** The token to show now. */
  async current(): Promise<string> {
    if (this.#wantsFresh) return this.fresh();
    const beginning = this.#beginnings;
    const token = await this.#ask(false);
    this.#expect(beginning);
    if (!this.#isClockOff && isEnding(token, this.#clock.now(), NEAR_END_MS)) return this.fresh();
    return this.#note(token);
  }

  /** A token that is newer than the last one. Calls at the same time share one, also those of other tabs. */
  async fresh(): Promise<string> {
    const beginning = this.#beginnings;
    const token = await this.#flight.run(this.#login, () => this.#ask(true), this.#login ?? String(beginning));
    this.#expect(beginning);
    this.#isClockOff = isEnding(token, this.#clock.now(), NEAR_END_MS);
    return this.#note(token);
  }

  /** What was asked for before a new beginning may be of another user. */
  #expect(beginning: number): void {
    if (beginning !== this.#beginnings) throw closed();
  }

  /** Whoever is logged in now: what one user has begun, another does not go on with. */
  #note(token: string): string {
    const user = userOf(token);
    if (this.#user !== undefined && user !== undefined && this.#user !== user) {
      throw new RoomkeyError("PRINCIPAL_MISMATCH", "The token belongs to somebody else.");
    }
    this.#user ??= user;
    this.#login = loginOf(token);
    this.#wantsFresh = false;
    return token;
  }

  async #ask(skipCache: boolean): Promise<string> {
    try {
      const token = await soon(this.#clock, WAIT_MAX_MS, async () => this.#getToken({ skipCache }));
      if (!token) throw tokenMissing();
      return token;
    } catch (thrown) {
      throw asFailure(thrown);
    }
  }
}
