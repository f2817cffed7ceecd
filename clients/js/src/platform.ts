import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";

/** Time, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `action` later, unless the function that is returned is called before. */
  after(ms: number, action: () => void): () => void;
}

/** What this package needs of the world. */
export interface Platform {
  readonly clock: Clock;
  /** From 0 to 1, to spread what many clients would do at once. */
  readonly random: () => number;
  /** 128 random bits, as text. */
  readonly randomId: () => string;
  /** Makes the stock client's socket. The default is where it is used: who only logs in has no use for a socket. */
  readonly connect?: (url: string | undefined, options: Partial<ManagerOptions & SocketOptions>) => Socket;
  readonly fetch: typeof fetch;
  /** Web Locks, where there are any: one tab at a time. */
  readonly locks: LockManager | undefined;
  /** A channel to the other tabs, where there are any. */
  readonly broadcast: ((name: string) => BroadcastChannel) | undefined;
}

/** The browser or Node, with what is given in its place. */
export function platformWith(given: Partial<Platform> = {}): Platform {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return {
    clock: { now: () => Date.now(), after },
    random: () => Math.random(),
    randomId,
    fetch: (input, init) => fetch(input, init),
    locks,
    broadcast: locks && typeof BroadcastChannel !== "undefined" ? (name) => new BroadcastChannel(name) : undefined,
    ...given,
  };
}

function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}

/** `crypto.randomUUID` is missing on pages without HTTPS. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
