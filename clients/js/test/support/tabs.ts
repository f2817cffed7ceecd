import type { Platform } from "../../src/platform.js";

/** What the tabs of one origin share: locks and channels. */
export function tabs(): Pick<Platform, "locks" | "broadcast"> {
  const queues = new Map<string, Promise<unknown>>();
  const held = new Set<string>();
  const channels = new Set<TestChannel>();

  async function request(name: string, ...rest: any[]): Promise<unknown> {
    const [options, action] = rest.length === 1 ? [{}, rest[0]] : rest;
    if (options.ifAvailable && held.has(name)) return action(null);
    const before = queues.get(name) ?? Promise.resolve();
    held.add(name);
    const aborted = new Promise<never>((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal.reason));
    });
    const mine = Promise.race([before, aborted]).then(() => action({ name }));
    const settled = mine.catch(() => undefined);
    queues.set(name, settled);
    void settled.then(() => queues.get(name) === settled && held.delete(name));
    return mine;
  }

  class TestChannel {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    readonly name: string;

    constructor(name: string) {
      this.name = name;
      channels.add(this);
    }

    postMessage(data: unknown): void {
      for (const channel of channels) {
        if (channel !== this && channel.name === this.name) setImmediate(() => channel.onmessage?.({ data }));
      }
    }

    close(): void {
      channels.delete(this);
    }
  }

  return {
    locks: { request } as unknown as LockManager,
    broadcast: (name) => new TestChannel(name) as unknown as BroadcastChannel,
  };
}
