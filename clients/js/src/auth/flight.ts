import type { Platform } from "../platform.js";

/** How long who has waited for another tab's turn waits for its result, which may come after the lock. */
const RESULT_WAIT_MS = 100;
/** How long another tab's turn is waited for: it may hang, or sleep. */
const TURN_WAIT_MS = 15_000;

type Notice = { readonly key: string; readonly text: string };

/**
 * Does a thing once where many want it at the same moment: in this process, and in all tabs of the page's origin where
 * the browser has locks. The text that it gives is shared with those who waited.
 */
export class Flight {
  readonly #platform: Platform;
  readonly #name: string;
  readonly #running = new Map<string, Promise<string>>();

  /** Flights of the same name are one. */
  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.#name = name;
  }

  /**
   * The text that `fetch` gives, or that another caller's gave meanwhile. The tabs share by the key; without one only this
   * process shares, with who gives the same `own`.
   */
  run(key: string | undefined, fetch: () => Promise<string>, own = key ?? ""): Promise<string> {
    const running = this.#running.get(own);
    if (running !== undefined) return running;
    const started = (key === undefined ? fetch() : this.#inTurn(key, fetch)).finally(() => this.#running.delete(own));
    this.#running.set(own, started);
    return started;
  }

  async #inTurn(key: string, fetch: () => Promise<string>): Promise<string> {
    const { locks, broadcast } = this.#platform;
    if (locks === undefined || broadcast === undefined) return fetch();
    const channel = broadcast(this.#name);
    const heard = new Promise<string>((resolve) => {
      channel.onmessage = ({ data }: MessageEvent<Notice>) => data.key === key && resolve(data.text);
    });
    let own: Promise<string> | undefined;
    const fetchAndTell = () =>
      (own ??= fetch().then((text) => (channel.postMessage({ key, text } satisfies Notice), text)));
    const lock = `${this.#name} ${key}`;
    const turn = this.#turn();
    try {
      const alone = await locks.request(lock, { ifAvailable: true }, (held) => (held ? fetchAndTell() : undefined));
      if (alone !== undefined) return alone;
      const mine = async () => (turn.forget(), (await this.#soon(heard)) ?? fetchAndTell());
      return await locks.request(lock, { signal: turn.signal }, mine);
    } catch {
      // It failed; or another tab hangs, or there are no locks on such a page, as in a sandbox: then each for itself.
      return await (own ?? fetch());
    } finally {
      turn.forget();
      channel.close();
    }
  }

  /** For how long a lock is waited for. */
  #turn(): { readonly signal: AbortSignal; readonly forget: () => void } {
    const controller = new AbortController();
    return { signal: controller.signal, forget: this.#platform.clock.after(TURN_WAIT_MS, () => controller.abort()) };
  }

  /** What another tab has told, if it has. */
  #soon(heard: Promise<string>): Promise<string | undefined> {
    return new Promise((resolve) => {
      const forget = this.#platform.clock.after(RESULT_WAIT_MS, () => resolve(undefined));
      void heard.then((text) => (forget(), resolve(text)));
    });
  }
}
