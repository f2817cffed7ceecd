import type { Clock } from "../platform.js";
import { asFailure, tokenMissing } from "../wire/failure.js";
import { isEnding, principalOf } from "./claims.js";
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
  #principal: string | undefined;
  #wantsFresh = false;

  constructor(getToken: GetToken, flight: Flight, clock: Clock) {
    this.#getToken = getToken;
    this.#flight = flight;
    this.#clock = clock;
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
    return this.#note(await this.#flight.run(this.#principal, () => this.#ask(true)));
  }

  #note(token: string): string {
    this.#principal = principalOf(token);
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
