import type { Clock } from "../platform.js";
import { asFailure, RoomkeyError, tokenMissing } from "../wire/failure.js";
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

/** The tokens of a client: never kept longer than to ask for the next one. */
export class Tokens {
  readonly #getToken: GetToken;
  readonly #flight: Flight;
  readonly #clock: Clock;
  #login: string | undefined;
  #user: string | undefined;
  #wantsFresh = false;

  constructor(getToken: GetToken, flight: Flight, clock: Clock) {
    this.#getToken = getToken;
    this.#flight = flight;
    this.#clock = clock;
  }

  /** Whose the tokens are, as far as can be seen. */
  get user(): string | undefined {
    return this.#user;
  }

  /** From here on the tokens may be of another user. */
  begin(): void {
    this.#user = undefined;
  }

  /** The last token is known to have ended. */
  expire(): void {
    this.#wantsFresh = true;
  }

  /** The token to show now. */
  async current(): Promise<string> {
    if (this.#wantsFresh) return this.fresh();
    const token = await this.#ask(false);
    if (isEnding(token, this.#clock.now(), NEAR_END_MS)) return this.fresh();
    return this.#note(token);
  }

  /** A token that is newer than the last one. Calls at the same time share one, also those of other tabs. */
  async fresh(): Promise<string> {
    return this.#note(await this.#flight.run(this.#login, () => this.#ask(true)));
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
    const token = await Promise.resolve(this.#getToken({ skipCache })).catch((thrown: unknown) => {
      throw asFailure(thrown);
    });
    if (!token) throw tokenMissing();
    return token;
  }
}
