import { signal } from "@preact/signals";
import type { Decision, Sample } from "../wire/records";

/** As much of an `EventSource` as is used here. */
export interface Source {
  addEventListener(name: string, listener: (event: Event) => void): void;
  close(): void;
}

export interface FeedOptions {
  readonly onSample: (sample: Sample) => void;
  readonly onDecision: (decision: Decision) => void;
  /** It is open (again): what was missed can be fetched now. */
  readonly onOpen: () => void;
  /** The server ended it for this reason, and the session with it. */
  readonly onEnd: (reason: string) => void;
  /** Asked before it is opened again, since an `EventSource` does not say why it failed: whether there is a session. */
  readonly isAllowed: () => Promise<boolean>;
  readonly open?: (path: string) => Source;
  /** Calls back later; the answer takes that back. */
  readonly later?: (action: () => void, ms: number) => () => void;
}

export type FeedState = "connecting" | "live" | "waiting" | "ended";

const WAIT_FIRST_MS = 1_000;
const WAIT_MAX_MS = 30_000;

/** What the server tells as it happens. Opens itself again, longer and longer after each failure. */
export class Feed {
  readonly state = signal<FeedState>("connecting");
  readonly #options: FeedOptions;
  #source: Source | undefined;
  #takeBack: (() => void) | undefined;
  #failures = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#open();
  }

  close(): void {
    this.state.value = "ended";
    this.#takeBack?.();
    this.#source?.close();
  }

  /** Opens at once instead of waiting on: the browser is back on a network. */
  hurry(): void {
    if (this.state.peek() !== "waiting") return;
    this.#takeBack?.();
    void this.#again();
  }

  #open(): void {
    this.state.value = "connecting";
    const source = (this.#options.open ?? ((path) => new EventSource(path)))("/api/live");
    this.#source = source;
    source.addEventListener("open", () => {
      this.#failures = 0;
      this.state.value = "live";
      this.#options.onOpen();
    });
    source.addEventListener("sample", (event) => read<Sample>(event, this.#options.onSample));
    source.addEventListener("decision", (event) => read<Decision>(event, this.#options.onDecision));
    source.addEventListener("end", (event) => {
      this.close();
      read<{ reason?: string }>(event, ({ reason }) => this.#options.onEnd(reason ?? ""));
    });
    source.addEventListener("error", () => this.#failed(source));
  }

  #failed(source: Source): void {
    if (source !== this.#source || this.state.peek() === "ended" || this.state.peek() === "waiting") return;
    // The browser would try again by itself, without end and without asking.
    source.close();
    this.state.value = "waiting";
    const wait = Math.min(WAIT_FIRST_MS * 2 ** this.#failures, WAIT_MAX_MS);
    this.#failures += 1;
    this.#takeBack = (this.#options.later ?? after)(() => void this.#again(), wait);
  }

  async #again(): Promise<void> {
    this.state.value = "connecting";
    const isAllowed = await this.#options.isAllowed();
    // The other end of the wait may have been the end of everything.
    if (isAllowed && this.state.peek() === "connecting") this.#open();
  }
}

function read<T>(event: Event, take: (value: T) => void): void {
  let value: unknown;
  try {
    value = JSON.parse(String((event as MessageEvent).data));
  } catch {
    return;
  }
  if (typeof value === "object" && value !== null) take(value as T);
}

function after(action: () => void, ms: number): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}
