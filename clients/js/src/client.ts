import type { Socket } from "socket.io-client";

import { Flight } from "./auth/flight.js";
import { baseOf, createSession, type Credentials, type Session } from "./auth/session.js";
import { type GetToken, Tokens } from "./auth/tokens.js";
import { ChannelStream } from "./chat/channel.js";
import { follow, type FollowOptions } from "./chat/follow.js";
import { Inbox } from "./chat/inbox.js";
import { Outbox } from "./chat/outbox.js";
import { type PresenceQuery, PresenceStream } from "./chat/presence.js";
import { TypingStream } from "./chat/typing.js";
import { Connection, type ConnectionState, type Off, type SocketSettings } from "./connection.js";
import { Lease } from "./lease.js";
import { type Platform, platformWith } from "./platform.js";
import type { Observable } from "./store.js";
import type { ClientEvent, DataOf, PayloadOf, ServerEvent, ServerEvents } from "./wire/events.js";
import { RoomkeyError } from "./wire/failure.js";
import type { Account, Message } from "./wire/records.js";
import { type Method, request } from "./wire/rest.js";

/** Something with tokens: a `Session` of this package, or that of an identity provider, such as Clerk's. */
export interface TokenSession {
  getToken: GetToken;
  /** The server does not accept its tokens any more. */
  end?(error: RoomkeyError): void;
  /** Asks Roomkey's HTTP API in the user's name, where that is not done with a token. */
  request?<T>(method: Method, path: string, body?: unknown): Promise<T>;
}

/** Where the tokens come from: always a function, never a text that gets old. */
export type TokenSource =
  | { getToken: GetToken; session?: never; login?: never }
  | { session: TokenSession; getToken?: never; login?: never }
  /** Logs in to Roomkey's own accounts when it is first needed. */
  | { login: () => Credentials | Promise<Credentials>; getToken?: never; session?: never };

export type ClientOptions = TokenSource & {
  /** Where Roomkey answers; without it, the page's own origin. */
  url?: string;
  /** Messages that may wait to be sent; more are refused with `QUEUE_FULL`. */
  queueMax?: number;
  /** Settings of the stock client, such as `path` or `transports`. */
  socket?: SocketSettings;
  platform?: Partial<Platform>;
};

const QUEUE_MAX = 1_000;
/** Channels, and other things to watch, that are kept for when they are looked at again. */
const UNWATCHED_MAX = 100;

interface Whose {
  readonly user: Account;
}

/** A connection of one user, and all that goes over it. */
export class Client {
  readonly #platform: Platform;
  readonly #base: string;
  readonly #session: TokenSession;
  readonly #tokens: Tokens;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #lease: Lease;
  readonly #channels = new Map<string, ChannelStream>();
  readonly #typing = new Map<string, TypingStream>();
  readonly #presence = new Map<string, PresenceStream>();
  #account: Promise<Account> | undefined;
  #user: string | undefined;

  constructor(options: ClientOptions) {
    this.#platform = platformWith(options.platform);
    const { clock } = this.#platform;
    this.#base = baseOf(options.url);
    const session = (this.#session = sessionOf(options));
    const flight = new Flight(this.#platform, `roomkey ${this.#base}`);
    this.#tokens = new Tokens((wanted) => session.getToken(wanted), flight, clock);
    this.#connection = new Connection(options.url, this.#tokens, this.#platform, options.socket);
    this.#outbox = new Outbox(this.#connection, this.#platform, options.queueMax ?? QUEUE_MAX);
    this.#inbox = new Inbox(this.#connection, clock);
    this.#lease = new Lease(clock, this.connect, this.close);
    this.connection.subscribe(() => {
      const state = this.connection.get();
      if (state.phase === "connected") this.#lookAtUser();
      if (state.phase === "stopped" || state.phase === "idle") this.#account = undefined;
      if (state.phase === "stopped" && state.error.code.startsWith("TOKEN_")) session.end?.(state.error);
    });
  }

  /** How the connection stands. */
  get connection(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  /** The stock client below, for whatever is not here. It is the same over all connections. */
  get socket(): Socket {
    return this.#connection.socket;
  }

  /** Connects, and stays connected until it is closed or told to stop; also again after that. */
  readonly connect = (): void => this.#connection.open();

  readonly close = (): void => this.#connection.close();

  /** Connects for as long as anybody holds it; the function that is returned lets it go. */
  readonly hold = (): Off => this.#lease.hold();

  /** Shows a fresh token now, in band; happens by itself before a token ends. Resolves with its end. */
  readonly renew = (): Promise<string> => this.#connection.renew();

  /** Emits an event and waits for its ack: the data in it, or a `RoomkeyError` thrown. */
  readonly emit = <E extends ClientEvent>(event: E, payload: PayloadOf<E>): Promise<DataOf<E>> =>
    this.#connection.request(event, payload);

  /** Calls `listener` at each event of this name, until the function that is returned is called. */
  readonly on = <E extends ServerEvent>(event: E, listener: (argument: ServerEvents[E]) => void): Off =>
    this.#connection.on(event, listener);

  /** Sends a message, now or when there is a connection; resolves when the server has it on disk. */
  readonly send = (channelId: string, content: string): Promise<Message> => {
    this.#typing.get(channelId)?.stop();
    return this.#outbox.send(channelId, content);
  };

  /** The messages of a channel as they are written, each once and in order, for programs that miss none. */
  readonly follow = (channelId: string, options?: FollowOptions): AsyncGenerator<Message, void, void> =>
    follow(this.#connection, this.#platform, channelId, options);

  /** A channel as it is shown; the same object for as long as it is watched, and for a while after that. */
  readonly channel = (channelId: string): ChannelStream =>
    entry(this.#channels, channelId, () => {
      const me = () => this.me().then(({ id }) => id);
      const [line, platform, outbox] = [this.#connection, this.#platform, this.#outbox];
      const [send, seen] = [this.send, this.#inbox.refresh];
      return new ChannelStream(channelId, { line, platform, outbox, me, send, seen });
    });

  /** Who types in a channel; the same object, likewise. */
  readonly typing = (channelId: string): TypingStream =>
    entry(this.#typing, channelId, () => new TypingStream(channelId, this.#connection, this.#platform.clock));

  /** Who of these users, or of the members of a channel, is online; the same object, likewise. */
  readonly presence = (query: PresenceQuery): PresenceStream =>
    entry(
      this.#presence,
      JSON.stringify(query),
      () => new PresenceStream(query, this.#connection, this.#platform.clock),
    );

  /** What waits for the user: unread messages, and the backend's notifications. */
  get inbox(): Inbox {
    return this.#inbox;
  }

  /** The user whom the token speaks for. */
  readonly me = (): Promise<Account> => {
    this.#account ??= this.#whoAmI().catch((thrown: unknown) => {
      this.#account = undefined;
      throw thrown;
    });
    return this.#account;
  };

  /** What one user has seen is not shown to the next. */
  #lookAtUser(): void {
    const { user } = this.#tokens;
    const isAnother = this.#user !== undefined && user !== this.#user;
    this.#user = user;
    if (!isAnother) return;
    for (const kept of [...this.#channels.values(), ...this.#presence.values(), this.#inbox]) kept.forget();
  }

  async #whoAmI(): Promise<Account> {
    const path = "/api/auth/me";
    if (this.#session.request !== undefined) return (await this.#session.request<Whose>("GET", path)).user;
    const ask = (token: string) => request<Whose>(this.#platform.fetch, this.#base + path, "GET", { token });
    const answer = await ask(await this.#tokens.current()).catch(async (thrown: unknown) => {
      if (!(thrown instanceof RoomkeyError) || thrown.retry !== "refresh") throw thrown;
      return ask(await this.#tokens.fresh());
    });
    return answer.user;
  }
}

/** A client that is not connected yet. */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}

function sessionOf(options: ClientOptions): TokenSession {
  if (options.session !== undefined) return options.session;
  if (options.login !== undefined) return loginOf(options.login, options);
  return { getToken: options.getToken };
}

/** Logs in when a token is asked for and nobody is logged in. */
function loginOf(credentials: () => Credentials | Promise<Credentials>, options: ClientOptions): TokenSession {
  const { url, platform } = options;
  const session: Session = createSession({ ...(url !== undefined && { url }), ...(platform && { platform }) });
  let running: Promise<unknown> | undefined;
  const logIn = async () => session.logIn(await credentials());
  return {
    getToken: async (wanted) => {
      running ??= session.user.get() === null ? logIn().finally(() => (running = undefined)) : undefined;
      await running;
      return session.getToken(wanted);
    },
    end: () => session.end(),
  };
}

/** Of those that nobody watches, the oldest are forgotten. */
function entry<T extends { readonly isWatched: boolean }>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  for (const [old, { isWatched }] of map) {
    if (map.size < UNWATCHED_MAX) break;
    if (!isWatched) map.delete(old);
  }
  const made = make();
  map.set(key, made);
  return made;
}
