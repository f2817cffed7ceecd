import { signal } from "@preact/signals";
import { io, type Socket } from "socket.io-client";
import type { Session } from "../session/session";
import { Failure, asFailure, readFailure, unreachable } from "../wire/failure";
import type { Message } from "../wire/message";
import { remedy } from "./remedy";

/** How the connection stands. `failing`: at least one attempt has not come through. */
export type ConnectionState =
  | { readonly phase: "connecting" | "reconnecting"; readonly failing: boolean }
  | { readonly phase: "connected" }
  | { readonly phase: "stopped"; readonly failure: Failure };

/** What the connection tells the chat. */
export interface ConnectionEvents {
  /** The connection stands, for the first time or again: whatever happened in between was missed. */
  connected(): void;
  message(message: Message): void;
  roomJoined(room: string): void;
  roomEvicted(room: string): void;
  /** Something a person should read; nothing has ended. */
  notice(failure: Failure): void;
}

const ACK_TIMEOUT_MS = 10_000;

/**
 * A stock Socket.IO client that keeps to the server's contract on errors: it presents a fresh token after
 * `TOKEN_EXPIRED`, waits when told to wait, and gives up, with the reason, when told so.
 */
export class Connection {
  readonly state = signal<ConnectionState>({ phase: "connecting", failing: false });

  readonly #session: Session;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  #stood = false;
  #refreshed = false;
  #waits = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, events: ConnectionEvents) {
    this.#session = session;
    this.#events = events;
    this.#socket = io({
      // A function, so that every attempt presents the token of that moment.
      auth: (send) => void session.token().then((token) => send({ token })),
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      forceNew: true,
      autoConnect: false,
    });
    this.#listen();
    this.#socket.connect();
  }

  get isUp(): boolean {
    return this.#socket.connected;
  }

  /** Tries again after the connection was stopped. */
  open(): void {
    this.#refreshed = false;
    this.#waits = 0;
    this.#connect();
  }

  /** Ends the connection for good. */
  close(): void {
    clearTimeout(this.#timer);
    this.#socket.off();
    this.#socket.disconnect();
  }

  /** Emits an event and waits for its ack: the data in it, or a `Failure` thrown. */
  async emit<T>(event: string, payload: unknown): Promise<T> {
    if (!this.isUp) throw unreachable();
    const ack: unknown = await this.#socket
      .timeout(ACK_TIMEOUT_MS)
      .emitWithAck(event, payload)
      .catch(() => {
        throw this.isUp ? new Failure("NO_ANSWER", "The server did not answer in time.", "after") : unreachable();
      });
    const failure = readFailure(ack);
    if (failure !== undefined) throw failure;
    return (ack as { data: T }).data;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("connect", () => this.#connected());
    socket.on("connect_error", (error) => this.#refused(error));
    socket.on("disconnect", (reason) => this.#disconnected(reason));

    socket.on("auth:expiring", () => void this.#renew(() => this.#warn()));
    socket.on("auth:expired", () => void this.#renew((failure) => this.#expired(failure)));
    socket.on("auth:revoked", (body: unknown) =>
      this.#session.end(readFailure(body) ?? new Failure("TOKEN_REVOKED", "Your session was ended.")),
    );

    socket.on("message.created", (message: Message) => this.#events.message(message));
    socket.on("roomJoined", (room: unknown) => this.#events.roomJoined(roomName(room)));
    socket.on("room:evicted", (room: unknown) => this.#events.roomEvicted(roomName(room)));
    socket.on("error", (body: unknown) => this.#events.notice(readFailure(body) ?? asFailure(body)));
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#attempting(false);
    this.#socket.connect();
  }

  #connected(): void {
    this.#stood = true;
    this.#refreshed = false;
    this.#waits = 0;
    this.state.value = { phase: "connected" };
    this.#events.connected();
  }

  #disconnected(reason: Socket.DisconnectReason): void {
    if (reason === "io client disconnect") return;
    if (reason === "io server disconnect") this.#stop(new Failure("DISCONNECTED", "The server ended the connection."));
    else this.#attempting(false);
  }

  /** The server said no (the error has `data.code`), or the transport failed and the client itself tries again. */
  #refused(error: Error & { data?: unknown }): void {
    const failure = readFailure(error.data, error.message);
    if (failure !== undefined) void this.#apply(failure);
    else if (this.#socket.active) this.#attempting(true);
    else this.#stop(new Failure("UNEXPECTED", error.message));
  }

  async #apply(failure: Failure): Promise<void> {
    const next = remedy(failure, { refreshed: this.#refreshed, waits: this.#waits });
    switch (next.kind) {
      case "refresh":
        return this.#refresh();
      case "wait":
        this.#waits += 1;
        this.#attempting(true);
        this.#timer = setTimeout(() => this.#connect(), next.ms);
        return;
      case "sign-out":
        return this.#session.end(failure);
      case "stop":
        return this.#stop(failure);
    }
  }

  /** Gets a fresh token and connects with it. */
  async #refresh(): Promise<void> {
    this.#attempting(false);
    try {
      await this.#session.refresh();
      this.#refreshed = true;
      this.#connect();
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.isTransient) await this.#apply(failure);
      else this.#session.end(failure);
    }
  }

  /**
   * The token ends soon, or has just ended: gets a fresh one and hands it over in band while the connection stands.
   * Where that comes too late, the client reconnects with it.
   */
  async #renew(whenItFails: (failure: Failure) => void): Promise<void> {
    try {
      await this.#session.refresh();
    } catch (thrown) {
      return whenItFails(asFailure(thrown));
    }
    if (this.isUp) await this.emit("auth:refresh", { token: await this.#session.token() }).catch(() => undefined);
  }

  #warn(): void {
    this.#events.notice(new Failure("TOKEN_EXPIRING", "Your session ends soon. You will have to log in again."));
  }

  #expired(failure: Failure): void {
    if (!failure.isTransient) this.#session.end(failure);
  }

  #attempting(failing: boolean): void {
    this.state.value = { phase: this.#stood ? "reconnecting" : "connecting", failing };
  }

  #stop(failure: Failure): void {
    this.state.value = { phase: "stopped", failure };
  }
}

/** A room is announced by its name, alone or in an object. */
function roomName(body: unknown): string {
  if (typeof body === "object" && body !== null && "room" in body) return String(body.room);
  return String(body);
}
