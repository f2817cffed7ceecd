import { signal } from "@preact/signals";
import {
  type Account,
  createSession,
  type Credentials,
  type GetToken,
  type GrantStorage,
  type Registration,
  RoomkeyError,
  type Session,
  type TokenSession,
} from "roomkey";

/** Who is signed in in this tab, and why the one before is not any more. */
export class Login {
  readonly session: Session;
  readonly user;
  /** Why the last login ended; null where that was the user's own wish. */
  readonly ending = signal<RoomkeyError | null>(null);
  /** Why the tokens of this login are not renewed any more: it comes before the connection notices. */
  #refusal: RoomkeyError | undefined;

  constructor(storage: GrantStorage | undefined) {
    this.session = createSession(storage === undefined ? {} : { storage });
    this.user = signal<Account | null>(this.session.user.get());
  }

  /** The tokens for a client. */
  readonly tokens: TokenSession = {
    getToken: (wanted) => this.#getToken(wanted),
    end: (error) => this.#end(this.#refusal ?? error),
  };

  async signIn(credentials: Credentials): Promise<void> {
    this.#start(await this.session.logIn(credentials));
  }

  async register(registration: Registration): Promise<void> {
    this.#start(await this.session.register(registration));
  }

  signOut(): void {
    void this.session.logOut();
    this.#end(null);
  }

  readonly #getToken: GetToken = async (wanted) => {
    try {
      return await this.session.getToken(wanted);
    } catch (thrown) {
      if (thrown instanceof RoomkeyError && !thrown.isTransient) this.#refusal ??= thrown;
      throw thrown;
    }
  };

  #start(user: Account): void {
    this.#refusal = undefined;
    this.ending.value = null;
    this.user.value = user;
  }

  #end(reason: RoomkeyError | null): void {
    this.session.end();
    this.ending.value = reason;
    this.user.value = null;
  }
}
