import type { Line, Off } from "../connection.js";
import { Lease } from "../lease.js";
import type { Clock } from "../platform.js";
import { type Observable, Store } from "../store.js";

/** Keystrokes within this time are one. */
const DEBOUNCE_MS = 500;
/** Who has not pressed a key for so long does not type any more. */
const IDLE_MS = 3_000;
/** Who was said to type is forgotten after this time, unless it is said again: the end may get lost. */
const FORGET_MS = 6_000;

/** Who types in a channel, and that I do. */
export class TypingStream implements Observable<readonly string[]> {
  readonly channelId: string;
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #lease: Lease;
  readonly #store = new Store<readonly string[]>([]);
  readonly #typers = new Map<string, Off>();
  #offs: Off[] = [];
  #saidAt = -Infinity;
  #forgetIdle: Off | undefined;

  constructor(channelId: string, line: Line, clock: Clock) {
    this.channelId = channelId;
    this.#line = line;
    this.#clock = clock;
    this.#lease = new Lease(
      clock,
      () => this.#start(),
      () => this.#end(),
    );
  }

  /** The ids of the others who type now, in the order in which they began. */
  readonly get = (): readonly string[] => this.#store.get();

  get isWatched(): boolean {
    return this.#lease.isRunning;
  }

  readonly subscribe = (listener: () => void): Off => {
    const off = this.#store.subscribe(listener);
    const release = this.#lease.hold();
    return () => (off(), release());
  };

  /** To be called at each key: the others hear of it at most twice a second. */
  readonly input = (): void => {
    this.#forgetIdle?.();
    this.#forgetIdle = this.#clock.after(IDLE_MS, this.stop);
    if (this.#clock.now() - this.#saidAt < DEBOUNCE_MS || !this.#line.isUp) return;
    this.#saidAt = this.#clock.now();
    this.#line.request("typing", { channelId: this.channelId }).catch(() => undefined);
  };

  /** I do not type any more: sent, cleared, or gone elsewhere. Happens by itself after three seconds. */
  readonly stop = (): void => {
    if (this.#forgetIdle === undefined) return;
    this.#forgetIdle();
    this.#forgetIdle = undefined;
    this.#saidAt = -Infinity;
    if (this.#line.isUp) this.#line.request("typing:stop", { channelId: this.channelId }).catch(() => undefined);
  };

  #start(): void {
    this.#offs = [
      this.#line.on("typing.update", ({ channelId, userId, isTyping }) => {
        if (channelId === this.channelId) this.#note(userId, isTyping);
      }),
      this.#line.onUp(() => void this.#ask()),
    ];
    void this.#ask();
  }

  #end(): void {
    this.stop();
    for (const off of this.#offs) off();
    for (const userId of [...this.#typers.keys()]) this.#note(userId, false);
  }

  async #ask(): Promise<void> {
    if (!this.#line.isUp) return;
    const found = await this.#line.request("typing:get", { channelId: this.channelId }).catch(() => undefined);
    for (const { userId } of found?.typing ?? []) this.#note(userId, true);
  }

  #note(userId: string, isTyping: boolean): void {
    this.#typers.get(userId)?.();
    if (isTyping)
      this.#typers.set(
        userId,
        this.#clock.after(FORGET_MS, () => this.#note(userId, false)),
      );
    else this.#typers.delete(userId);
    const [before, now] = [this.#store.get(), [...this.#typers.keys()]];
    if (now.join("\n") !== before.join("\n")) this.#store.set(now);
  }
}
