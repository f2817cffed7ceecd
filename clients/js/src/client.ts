import type { Socket } from "socket.io-client";

import { Flight } from "./auth/flight.js";
import { baseOf, createSession, type Credentials, type Session } from "./auth/session.js";
import { type GetToken, Tokens } from "./auth/tokens.js";
import { ChannelList } from "./chat/channel-list.js";
import { ChannelStream } from "./chat/channel.js";
import { follow, type FollowOptions } from "./chat/follow.js";
import { Inbox } from "./chat/inbox.js";
import { MembersStream } from "./chat/members.js";
import { Newest } from "./chat/newest.js";
import { Outbox } from "./chat/outbox.js";
import { type PresenceQuery, PresenceStream } from "./chat/presence.js";
import { TypingStream } from "./chat/typing.js";
import { Connection, type ConnectionState, type Off, type SocketSettings, type TokenLife } from "./connection.js";
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
  /** Calls `listener` when its login has ended, or has become somebody else's; returns what ends that. */
  onEnd?(listener: (error: RoomkeyError) => void): Off;
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
  readonly #channelList: ChannelList;
  readonly #newest: Newest;
  readonly #channels = new Map<string, ChannelStream>();
  readonly #members = new Map<string, MembersStream>();
  readonly #typing = new Map<string, TypingStream>();
  readonly #presence = new Map<string, PresenceStream>();
  #account: Promise<Account> | undefined;
  #user: string | undefined;
  #offEnd: Off | undefined;

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
    this.#channelList = new ChannelList({ line: this.#connection, platform: this.#platform, me: this.#myId });
    this.#newest = new Newest(this.#connection, this.#platform, this.#channelList);
    this.connection.subscribe(() => {
      const state = this.connection.get();
      if (state.phase === "connected") this.#lookAtUser();
      if (state.phase === "stopped" || state.phase === "idle") {
        this.#account = undefined;
        this.#offEnd?.();
        this.#offEnd = undefined;
      } else this.#offEnd ??= session.onEnd?.((error) => this.#connection.stop(error));
      if (state.phase === "stopped" && state.error.code.startsWith("TOKEN_")) session.end?.(state.error);
    });
  }

  /** How the connection stands. */
  get connection(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  /** How long the token is good that it lives by. */
  get token(): Observable<TokenLife> {
    return this.#connection.token;
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

  /**
   * Emits an event and waits for its ack: the data in it, or a `RoomkeyError` thrown. A connection that is being made is
   * waited for, for a few seconds.
   */
  readonly emit = async <E extends ClientEvent>(event: E, payload: PayloadOf<E>): Promise<DataOf<E>> => {
    if (!this.#connection.isUp) await this.#connection.made();
    return this.#connection.request(event, payload);
  };

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
      const me = this.#myId;
      const [line, platform, outbox] = [this.#connection, this.#platform, this.#outbox];
      const [send, seen] = [this.send, this.#inbox.refresh];
      return new ChannelStream(channelId, { line, platform, outbox, me, send, seen });
    });

  /** The channels that I am in, and public ones that I could join. */
  get channels(): ChannelList {
    return this.#channelList;
  }

  /** The newest message of each channel that I am in. */
  get newest(): Newest {
    return this.#newest;
  }

  /** The members of a channel; the same object, likewise. */
  readonly members = (channelId: string): MembersStream =>
    entry(this.#members, channelId, () => {
      const [line, platform] = [this.#connection, this.#platform];
      return new MembersStream(channelId, { line, platform, request: this.request });
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

  /** A request to the HTTP API in the user's name; where the token has just ended, once more with a fresh one. */
  readonly request = async <T>(method: Method, path: string, body?: unknown): Promise<T> => {
    if (this.#session.request !== undefined) return this.#session.request<T>(method, path, body);
    const once = async (token: string) => request<T>(this.#platform.fetch, this.#base + path, method, { token, body });
    try {
      return await once(await this.#tokens.current());
    } catch (thrown) {
      if (!(thrown instanceof RoomkeyError) || thrown.retry !== "refresh") throw thrown;
      return once(await this.#tokens.fresh());
    }
  };

  readonly #myId = async (): Promise<string> => (await this.me()).id;

  /** What one user has seen or written is not shown to the next. */
  #lookAtUser(): void {
    const { user } = this.#tokens;
    const isAnother = this.#user !== undefined && user !== this.#user;
    this.#user = user;
    if (!isAnother) return;
    this.#outbox.forget();
    const lists = [this.#inbox, this.#channelList, this.#newest, ...this.#members.values()];
    for (const kept of [...this.#channels.values(), ...this.#presence.values(), ...lists]) kept.forget();
  }

  async #whoAmI(): Promise<Account> {
    return (await this.request<Whose>("GET", "/api/auth/me")).user;
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
