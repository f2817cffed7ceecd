import type { Clock } from "../../src/platform.js";
import type { TestServer } from "./server.js";

type Listener = (...args: any[]) => void;

/** The part of the stock client's socket that this package uses, on a hand-set clock and without a network. */
export class TestSocket {
  connected = false;
  active = false;
  recovered = false;
  /** How often it was told to connect. */
  attempts = 0;
  /** Whether it comes back by itself once it lost its connection. */
  comesBack = true;
  readonly io: { engine: { readyState: string } | undefined } = { engine: undefined };
  readonly #server: TestServer;
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #unanswered = new Set<() => void>();
  auth: (send: (data: any) => void) => void = () => {};

  constructor(server: TestServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  on(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#listeners.get(event)?.delete(listener);
    return this;
  }

  /** How many listen. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }

  receive(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...args);
  }

  connect(): this {
    if (!this.connected) this.#dial();
    return this;
  }

  open(): this {
    return this.connect();
  }

  close(): this {
    return this.disconnect();
  }

  /** The stock client's manager connects again by itself, without the socket being told to. */
  comeBack(): void {
    if (this.connected || !this.active) return;
    this.#dial();
  }

  #dial(): void {
    this.attempts += 1;
    this.active = true;
    const engine = (this.io.engine = { readyState: "open" });
    this.auth((data) => queueMicrotask(() => this.#handshake(engine, data)));
  }

  #handshake(engine: { readyState: string }, data: { token?: unknown }): void {
    if (engine.readyState === "closed" || engine !== this.io.engine || !this.active) return;
    this.#server.shown.push(data.token);
    const refusal = this.#server.admit(data.token);
    if (refusal === undefined) {
      this.connected = true;
      return this.receive("connect");
    }
    this.active = refusal.data === undefined;
    this.receive("connect_error", Object.assign(new Error(refusal.message), { data: refusal.data }));
  }

  disconnect(): this {
    const wasConnected = this.connected;
    this.active = false;
    this.#lose();
    if (wasConnected) this.receive("disconnect", "io client disconnect");
    return this;
  }

  /** The connection is gone; half a second later the client tries again. */
  drop(reason = "transport close"): void {
    this.active = reason !== "io server disconnect";
    this.#lose();
    this.receive("disconnect", reason);
    if (this.active && this.comesBack) this.#clock.after(500, () => this.comeBack());
  }

  #lose(): void {
    this.connected = false;
    if (this.io.engine !== undefined) this.io.engine.readyState = "closed";
    for (const fail of [...this.#unanswered]) fail();
  }

  timeout(ms: number) {
    return {
      emitWithAck: (event: string, payload: unknown) =>
        new Promise((resolve, reject) => {
          const fail = () => (forget(), this.#unanswered.delete(fail), reject(new Error("no ack")));
          const forget = this.#clock.after(ms, fail);
          this.#unanswered.add(fail);
          void this.#server.answer(event, payload, this).then((answer) => {
            if (answer === undefined || !this.#unanswered.delete(fail)) return;
            forget();
            resolve(answer);
          });
        }),
    };
  }
}
