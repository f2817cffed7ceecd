import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";

import { claimsOf } from "./auth/claims.js";
import { remedy, waitMs } from "./auth/remedy.js";
import type { Tokens } from "./auth/tokens.js";
import type { Platform } from "./platform.js";
import { type Observable, Store } from "./store.js";
import type { ClientEvent, DataOf, PayloadOf, ServerEvent, ServerEvents } from "./wire/events.js";
import { asFailure, closed, readFailure, RoomkeyError, unreachable } from "./wire/failure.js";

/** How the connection stands. */
export type ConnectionState =
  /** Nobody has asked for it, or it was closed. */
  | { readonly phase: "idle" }
  /** It is being made, for the first time or again. `error`: why the last attempt did not come through. */
  | { readonly phase: "connecting" | "reconnecting"; readonly error: RoomkeyError | null }
  /** `error`: why the token, which ends soon, could not be renewed. */
  | { readonly phase: "connected"; readonly error: RoomkeyError | null }
  /** It is not tried again. Where `error.needsLogin`, the user has to log in. */
  | { readonly phase: "stopped"; readonly error: RoomkeyError };

/** How long the token is good that the connection lives by. */
export interface TokenLife {
  /** Milliseconds since 1970; null where there is no connection, or the token does not say. */
  readonly endsAt: number | null;
  /** A fresh one is being got and shown. */
  readonly isRenewing: boolean;
}

export type Off = () => void;

/** What the parts of a client need of the connection. */
export interface Line {
  readonly isUp: boolean;
  readonly state: Observable<ConnectionState>;
  /** Emits an event and waits for its ack: the data in it, or a `RoomkeyError` thrown. */
  request<E extends ClientEvent>(event: E, payload: PayloadOf<E>): Promise<DataOf<E>>;
  on<E extends ServerEvent>(event: E, listener: (argument: ServerEvents[E]) => void): Off;
  /** The connection stands, for the first time or again: unless it was recovered, events may have been missed. */
  onUp(listener: (isRecovered: boolean) => void): Off;
}

/** Without `retries`: the stock client's queue is no user's, and who connects next would send it. */
export type SocketSettings = Partial<Omit<ManagerOptions & SocketOptions, "retries">>;

const ACK_TIMEOUT_MS = 10_000;
/** How long an event waits for a connection that is being made. */
const EMIT_WAIT_MS = 5_000;
/** A connection that its token ends within this time did not really stand. */
const SHORT_LIFE_MS = 1_000;
const SHORT_LIVES_MAX = 3;

/**
 * A stock Socket.IO client that keeps to the server's contract: it shows a fresh token before the old one ends and once
 * after `TOKEN_EXPIRED`, waits when it is told to wait, and stops with the reason when it is told so.
 */
export class Connection implements Line {
  readonly socket: Socket;
  /** What the stock client itself does when it is told to. */
  readonly #stock: Pick<Socket, "connect" | "disconnect">;
  readonly #platform: Platform;
  readonly #tokens: Tokens;
  readonly #state = new Store<ConnectionState>({ phase: "idle" });
  readonly #token = new Store<TokenLife>({ endsAt: null, isRenewing: false });
  readonly #upListeners = new Set<(isRecovered: boolean) => void>();

  #isWanted = false;
  #stoodOnce = false;
  #stoodSince = 0;
  #shortLives = 0;
  #refreshed = false;
  #waits = 0;
  #forgetTimer: Off = () => {};
  #renewing: Promise<string> | undefined;
  /** How often it was opened, each time perhaps by another user. */
  #turn = 0;

  constructor(url: string | undefined, tokens: Tokens, platform: Platform, settings: SocketSettings = {}) {
    this.#platform = platform;
    this.#tokens = tokens;
    const auth = (send: (data: object) => void) => void this.#authenticate(send);
    const fixed = { transports: ["websocket", "polling"], tryAllTransports: true, forceNew: true };
    const connect = platform.connect ?? ((to, options) => (to === undefined ? io(options) : io(to, options)));
    this.socket = connect(url, { ...fixed, ...settings, retries: 0, autoConnect: false, auth });
    this.#stock = {
      connect: this.socket.connect.bind(this.socket),
      disconnect: this.socket.disconnect.bind(this.socket),
    };
    // Who has the socket in hand uses it as the stock client's, and means the connection.
    this.socket.connect = this.socket.open = () => (this.open(), this.socket);
    this.socket.disconnect = this.socket.close = () => (this.close(), this.socket);
    this.#listen();
  }

  get state(): Observable<ConnectionState> {
    return this.#state;
  }

  get token(): Observable<TokenLife> {
    return this.#token;
  }

  get isUp(): boolean {
    return this.#state.get().phase === "connected" && this.socket.connected;
  }

  /** Connects, unless it does already; also again after it was stopped. */
  open(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#turn += 1;
    this.#refreshed = false;
    this.#waits = 0;
    this.#shortLives = 0;
    this.#tokens.begin();
    this.#attempt();
  }

  close(): void {
    this.#end({ phase: "idle" });
  }

  /** Ends it for this reason, as where the server has said so. */
  stop(error: RoomkeyError): void {
    this.#end({ phase: "stopped", error });
  }

  /** Shows a fresh token in band. Resolves with its end; calls at the same time are one. */
  renew(): Promise<string> {
    if (this.#renewing !== undefined) return this.#renewing;
    const renewing = this.#renewOnce().finally(() => {
      if (this.#renewing !== renewing) return;
      this.#renewing = undefined;
      this.#token.set({ ...this.#token.get(), isRenewing: false });
    });
    return (this.#renewing = renewing);
  }

  /** Until the connection that is being made stands, or is given up; at once where none is. */
  made(): Promise<void> {
    if (this.isUp || !this.#isWanted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => (off(), forget(), resolve());
      const off = this.#state.subscribe(() => (this.isUp || !this.#isWanted) && end());
      const forget = this.#platform.clock.after(EMIT_WAIT_MS, end);
    });
  }

  async request<E extends ClientEvent>(event: E, payload: PayloadOf<E>): Promise<DataOf<E>> {
    const turn = this.#turn;
    try {
      return await this.#ask(event, payload);
    } catch (thrown) {
      if (!(thrown instanceof RoomkeyError) || thrown.retry !== "refresh" || event === "auth:refresh") throw thrown;
      await this.renew();
      if (turn !== this.#turn) throw closed();
      return this.#ask(event, payload);
    }
  }

  on<E extends ServerEvent>(event: E, listener: (argument: ServerEvents[E]) => void): Off {
    this.socket.on(event as string, listener);
    return () => void this.socket.off(event as string, listener);
  }

  onUp(listener: (isRecovered: boolean) => void): Off {
    this.#upListeners.add(listener);
    return () => void this.#upListeners.delete(listener);
  }

  async #ask<E extends ClientEvent>(event: E, payload: PayloadOf<E>): Promise<DataOf<E>> {
    if (!this.isUp) throw unreachable();
    const ack: unknown = await this.socket
      .timeout(ACK_TIMEOUT_MS)
      .emitWithAck(event, payload)
      .catch(() => {
        throw this.isUp ? noAnswer() : unreachable();
      });
    const failure = readFailure(ack);
    if (failure !== undefined) throw failure;
    return (ack as { data: DataOf<E> } | undefined)?.data as DataOf<E>;
  }

  #listen(): void {
    this.socket.on("connect", () => this.#connected());
    this.socket.on("connect_error", (error) => this.#refused(error));
    this.socket.on("disconnect", (reason) => this.#disconnected(reason));
    this.on("auth:expiring", () => void this.#renewWhileUp(0));
    this.on("auth:expired", () => this.#expired());
    this.on("auth:revoked", (body) => {
      this.stop(readFailure(body) ?? new RoomkeyError("TOKEN_REVOKED", "The session was ended."));
    });
  }

  #attempt(): void {
    this.#forgetTimer();
    this.#attempting(null);
    this.#stock.connect();
  }

  /** Gives the token to the handshake, if that is still the one that asked. */
  async #authenticate(send: (data: object) => void): Promise<void> {
    const engine = this.socket.io?.engine;
    // The stock client keeps a closed engine until the next one is there.
    const isOpen = () => engine === this.socket.io?.engine && engine?.readyState !== "closed";
    const isCurrent = () => this.#isWanted && !this.socket.connected && isOpen();
    try {
      const token = await this.#tokens.forHandshake(isCurrent);
      if (token === undefined) return;
      const { exp } = claimsOf(token) ?? {};
      this.#token.set({ endsAt: typeof exp === "number" ? exp * 1000 : null, isRenewing: false });
      send({ token });
    } catch (thrown) {
      if (!isCurrent()) return;
      this.#hangUp();
      this.#apply(asFailure(thrown));
    }
  }

  #connected(): void {
    this.#stoodOnce = true;
    this.#stoodSince = this.#platform.clock.now();
    this.#refreshed = false;
    this.#waits = 0;
    this.#state.set({ phase: "connected", error: null });
    for (const listener of [...this.#upListeners]) listener(this.socket.recovered);
  }

  /** The server said no, and the error has its code; or the transport failed, and the stock client tries again. */
  #refused(error: Error & { data?: unknown }): void {
    if (!this.#isWanted) return;
    const failure = readFailure(error.data, error.message);
    if (failure !== undefined) this.#apply(failure);
    else if (this.socket.active) this.#attempting(new RoomkeyError("UNREACHABLE", error.message, "after"));
    else this.stop(new RoomkeyError("UNEXPECTED", error.message));
  }

  #disconnected(reason: Socket.DisconnectReason): void {
    this.#forgetTimer();
    if (!this.#isWanted) return;
    if (reason === "io client disconnect") this.#end({ phase: "idle" });
    else if (reason === "io server disconnect") {
      this.stop(new RoomkeyError("DISCONNECTED", "The server ended the connection."));
    } else this.#attempting(unreachable());
  }

  #apply(failure: RoomkeyError): void {
    const next = remedy(failure, { refreshed: this.#refreshed, waits: this.#waits }, this.#platform.random);
    if (next.kind === "stop") return this.stop(failure);
    this.#attempting(failure);
    if (next.kind === "refresh") {
      this.#refreshed = true;
      this.#tokens.expire();
      this.#stock.connect();
    } else {
      this.#waits += 1;
      this.#forgetTimer();
      this.#forgetTimer = this.#platform.clock.after(next.ms, () => this.#attempt());
    }
  }

  /** The server closes the connection now. The stock client comes back, with a fresh token. */
  #expired(): void {
    this.#tokens.expire();
    const isShort = this.#platform.clock.now() - this.#stoodSince < SHORT_LIFE_MS;
    this.#shortLives = isShort ? this.#shortLives + 1 : 0;
    if (this.#shortLives === SHORT_LIVES_MAX) {
      this.stop(new RoomkeyError("TOKEN_EXPIRED", "The tokens that are given end at once."));
    }
  }

  /** Renews the token, again and again where that fails for the moment, for as long as the connection stands. */
  async #renewWhileUp(attempts: number): Promise<void> {
    const turn = this.#turn;
    try {
      await this.renew();
      if (this.isUp) this.#state.set({ phase: "connected", error: null });
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (!this.isUp || turn !== this.#turn) return;
      this.#state.set({ phase: "connected", error: failure });
      if (!failure.isTransient) return;
      const ms = waitMs(failure, attempts, this.#platform.random);
      this.#forgetTimer();
      this.#forgetTimer = this.#platform.clock.after(ms, () => void this.#renewWhileUp(attempts + 1));
    }
  }

  async #renewOnce(): Promise<string> {
    this.#token.set({ ...this.#token.get(), isRenewing: true });
    const token = await this.#tokens.fresh();
    const { expiresAt } = await this.#ask("auth:refresh", { token });
    this.#token.set({ endsAt: Date.parse(expiresAt), isRenewing: true });
    return expiresAt;
  }

  #attempting(error: RoomkeyError | null): void {
    this.#state.set({ phase: this.#stoodOnce ? "reconnecting" : "connecting", error });
  }

  #end(state: ConnectionState): void {
    this.#isWanted = false;
    this.#stoodOnce = false;
    this.#renewing = undefined;
    this.#forgetTimer();
    // What the stock client still has to send is not for whoever connects next. (A pretended one has no such thing.)
    this.socket.sendBuffer?.splice(0);
    this.#stock.disconnect();
    this.#token.set({ endsAt: null, isRenewing: false });
    this.#state.set(state);
  }

  /** Ends an attempt that got no token, without ending the wish for a connection. */
  #hangUp(): void {
    this.#isWanted = false;
    this.#stock.disconnect();
    this.#isWanted = true;
  }
}

function noAnswer(): RoomkeyError {
  return new RoomkeyError("NO_ANSWER", "The server did not answer in time.", "after");
}
