import { waitMs } from "../auth/remedy.js";
import type { Line, Off } from "../connection.js";
import type { Platform } from "../platform.js";
import { type Observable, Store } from "../store.js";
import { asFailure, closed, RoomkeyError } from "../wire/failure.js";
import type { Message, Time } from "../wire/records.js";

/** A message of mine that the server has not confirmed. */
export interface Outgoing {
  readonly clientId: string;
  readonly channelId: string;
  readonly content: string;
  readonly createdAt: Time;
  readonly deliveryStatus: "SENDING" | "FAILED";
  /** Why it failed; or why the last attempt did not come through, while it is tried again. */
  readonly error: RoomkeyError | null;
}

interface Entry {
  readonly outgoing: Outgoing;
  readonly settle: { resolve(message: Message): void; reject(error: RoomkeyError): void };
}

/** How often a message is sent that the server puts off. Connections that are lost do not count. */
const ATTEMPTS_MAX = 8;

/**
 * What I write, in order, until the server has it. A message waits while there is no connection, and is sent again under
 * the same `clientId` when nobody knows whether it came through: the server keeps it once.
 */
export class Outbox {
  readonly #line: Line;
  readonly #platform: Platform;
  readonly #sizeMax: number;
  readonly #store = new Store<readonly Outgoing[]>([]);
  readonly #entries = new Map<string, Entry>();
  /** Written before the connection was begun: if it turns out to be another user's, by somebody else. */
  #before: ReadonlySet<string> = new Set();
  #isBegun = false;
  readonly #pumping = new Set<string>();
  readonly #pauses = new Set<() => void>();
  readonly #confirmedListeners = new Set<(outgoing: Outgoing, message: Message) => void>();

  constructor(line: Line, platform: Platform, sizeMax: number) {
    this.#line = line;
    this.#platform = platform;
    this.#sizeMax = sizeMax;
    line.onUp(() => this.#pumpAll());
    line.on("message.created", (message) => {
      if (message.clientId !== undefined) this.#confirm(message.clientId, message);
    });
    line.state.subscribe(() => this.#lookAtLine());
  }

  /** What is on its way or has failed, oldest first. */
  get outgoing(): Observable<readonly Outgoing[]> {
    return this.#store;
  }

  /** Hears of each message that the server has, with what was shown for it until then. */
  onConfirmed(listener: (outgoing: Outgoing, message: Message) => void): Off {
    this.#confirmedListeners.add(listener);
    return () => void this.#confirmedListeners.delete(listener);
  }

  /** Resolves with the message when the server has it on disk. Nobody needs to wait for it: `outgoing` shows a failure. */
  send(channelId: string, content: string, clientId = this.#platform.randomId()): Promise<Message> {
    if (this.#entries.size >= this.#sizeMax) {
      return Promise.reject(new RoomkeyError("QUEUE_FULL", "Too many messages wait to be sent."));
    }
    const createdAt = new Date(this.#platform.clock.now()).toISOString();
    return this.#enter({ clientId, channelId, content, createdAt, deliveryStatus: "SENDING", error: null });
  }

  /** Sends once more what has failed, behind all others. */
  retry(clientId: string): Promise<Message> {
    const failed = this.#entries.get(clientId)?.outgoing;
    if (failed?.deliveryStatus !== "FAILED") return Promise.reject(new RoomkeyError("NOT_FOUND", "It has not failed."));
    this.#entries.delete(clientId);
    return this.#enter({ ...failed, deliveryStatus: "SENDING", error: null });
  }

  /** Drops what has failed. */
  discard(clientId: string): void {
    if (this.#entries.get(clientId)?.outgoing.deliveryStatus !== "FAILED") return;
    this.#entries.delete(clientId);
    this.#show();
  }

  /** The connection is another user's than the last one: what was written for that one is neither shown nor sent. */
  forget(): void {
    const error = new RoomkeyError("PRINCIPAL_MISMATCH", "It was written by somebody else.");
    for (const clientId of this.#before) {
      this.#entries.get(clientId)?.settle.reject(error);
      this.#entries.delete(clientId);
    }
    this.#show();
  }

  #enter(outgoing: Outgoing): Promise<Message> {
    const message = new Promise<Message>((resolve, reject) => {
      this.#entries.set(outgoing.clientId, { outgoing, settle: { resolve, reject } });
    });
    message.catch(() => undefined);
    this.#show();
    void this.#pump(outgoing.channelId);
    return message;
  }

  #pumpAll(): void {
    const channels = new Set([...this.#entries.values()].map(({ outgoing }) => outgoing.channelId));
    for (const channelId of channels) void this.#pump(channelId);
  }

  /** Sends what waits for a channel, one after the other, for as long as the connection stands. */
  async #pump(channelId: string): Promise<void> {
    if (this.#pumping.has(channelId)) return;
    this.#pumping.add(channelId);
    let attempts = 0;
    let last: string | undefined;
    for (let next = this.#next(channelId); next !== undefined && this.#line.isUp; next = this.#next(channelId)) {
      attempts = next.clientId === last ? attempts + 1 : 0;
      last = next.clientId;
      const error = await this.#transmit(next, attempts);
      if (error !== undefined) await this.#pause(waitMs(error, attempts, this.#platform.random));
    }
    this.#pumping.delete(channelId);
    // It may have come back between the last look and now.
    if (this.#line.isUp && this.#next(channelId) !== undefined) void this.#pump(channelId);
  }

  /** One attempt. Returns why it has to be tried again after a pause, if it has. */
  async #transmit({ clientId, channelId, content }: Outgoing, attempts: number): Promise<RoomkeyError | undefined> {
    try {
      this.#confirm(clientId, await this.#line.request("sendMessage", { channelId, content, clientId }));
      return undefined;
    } catch (thrown) {
      const error = asFailure(thrown);
      if (!this.#line.isUp) return undefined;
      const isLast = !error.isTransient || attempts + 1 >= ATTEMPTS_MAX;
      if (isLast) this.#fail(clientId, error);
      else this.#change(clientId, { error });
      return isLast ? undefined : error;
    }
  }

  #next(channelId: string): Outgoing | undefined {
    for (const { outgoing } of this.#entries.values()) {
      if (outgoing.channelId === channelId && outgoing.deliveryStatus === "SENDING") return outgoing;
    }
    return undefined;
  }

  #confirm(clientId: string, message: Message): void {
    const entry = this.#entries.get(clientId);
    if (entry === undefined || entry.outgoing.channelId !== message.channelId) return;
    this.#entries.delete(clientId);
    for (const listener of [...this.#confirmedListeners]) listener(entry.outgoing, message);
    entry.settle.resolve(message);
    this.#show();
  }

  #fail(clientId: string, error: RoomkeyError): void {
    const entry = this.#entries.get(clientId);
    if (entry?.outgoing.deliveryStatus !== "SENDING") return;
    this.#change(clientId, { deliveryStatus: "FAILED", error });
    entry.settle.reject(error);
  }

  #change(clientId: string, change: Partial<Outgoing>): void {
    const entry = this.#entries.get(clientId);
    if (entry === undefined) return;
    this.#entries.set(clientId, { ...entry, outgoing: { ...entry.outgoing, ...change } });
    this.#show();
  }

  /** Where nobody connects again, nothing is sent in the name of whoever comes next. */
  #lookAtLine(): void {
    const state = this.#line.state.get();
    const wasBegun = this.#isBegun;
    this.#isBegun = state.phase !== "stopped" && state.phase !== "idle";
    if (this.#isBegun && !wasBegun) this.#before = new Set(this.#entries.keys());
    if (state.phase !== "stopped" && state.phase !== "idle") return;
    const error = state.phase === "stopped" ? state.error : closed();
    for (const clientId of [...this.#entries.keys()]) this.#fail(clientId, error);
    for (const end of [...this.#pauses]) end();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => (forget(), this.#pauses.delete(end), resolve());
      const forget = this.#platform.clock.after(ms, end);
      this.#pauses.add(end);
    });
  }

  #show(): void {
    this.#store.set([...this.#entries.values()].map(({ outgoing }) => outgoing));
  }
}
