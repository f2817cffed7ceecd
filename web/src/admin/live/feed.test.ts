import { expect, test } from "vitest";
import { Feed, type FeedOptions, type Source } from "./feed";

/** A stream, a clock and a server's opinion, all in the test's hands. */
class World {
  readonly heard: string[] = [];
  readonly waits: number[] = [];
  readonly sources: { say: (name: string, data?: unknown) => void; isClosed: boolean }[] = [];
  isAllowed = true;
  #next: (() => void) | undefined;
  readonly feed: Feed;

  constructor() {
    const options: FeedOptions = {
      onSample: (sample) => this.heard.push(`sample ${sample.connections}`),
      onDecision: (decision) => this.heard.push(`decision ${decision.id}`),
      onOpen: () => this.heard.push("open"),
      onEnd: (reason) => this.heard.push(`end ${reason}`),
      isAllowed: async () => this.isAllowed,
      open: () => this.#open(),
      later: (action, ms) => {
        this.waits.push(ms);
        this.#next = action;
        return () => (this.#next = undefined);
      },
    };
    this.feed = new Feed(options);
  }

  get source() {
    return this.sources.at(-1)!;
  }

  get isWaiting() {
    return this.#next !== undefined;
  }

  /** Lets the wait end, and what follows from it happen. */
  async pass(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    next?.();
    await Promise.resolve();
    await Promise.resolve();
  }

  #open(): Source {
    const listeners = new Map<string, (event: Event) => void>();
    const source = {
      isClosed: false,
      say: (name: string, data?: unknown) => listeners.get(name)?.({ data } as MessageEvent),
    };
    this.sources.push(source);
    return {
      addEventListener: (name, listener) => void listeners.set(name, listener),
      close: () => void (source.isClosed = true),
    };
  }
}

test("what the server tells is passed on, and what is not JSON is not", () => {
  const { source, heard, feed } = new World();
  source.say("open");
  source.say("sample", '{"connections":7}');
  source.say("decision", '{"id":3}');
  source.say("decision", "<html>");
  source.say("sample", "null");
  expect(heard).toEqual(["open", "sample 7", "decision 3"]);
  expect(feed.state.value).toBe("live");
});

test("after a failure it waits longer and longer, and no longer than half a minute", async () => {
  const world = new World();
  for (let failure = 0; failure < 7; failure++) {
    world.source.say("error");
    expect(world.source.isClosed).toBe(true);
    expect(world.feed.state.value).toBe("waiting");
    await world.pass();
  }
  expect(world.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  world.source.say("open");
  world.source.say("error");
  expect(world.waits.at(-1)).toBe(1_000);
});

test("it is not opened again where the session is over", async () => {
  const world = new World();
  world.isAllowed = false;
  world.source.say("error");
  await world.pass();
  expect(world.sources.length).toBe(1);
});

test("the end that the server says is the end", async () => {
  const world = new World();
  world.source.say("open");
  world.source.say("end", '{"reason":"expired"}');
  world.source.say("error");
  expect(world.heard).toEqual(["open", "end expired"]);
  expect([world.feed.state.value, world.isWaiting, world.source.isClosed]).toEqual(["ended", false, true]);
});

test("closing takes back the wait", async () => {
  const world = new World();
  world.source.say("error");
  world.feed.close();
  await world.pass();
  expect([world.sources.length, world.isWaiting]).toEqual([1, false]);
});

test("being back on a network ends the wait, and nothing else", async () => {
  const world = new World();
  world.source.say("open");
  world.feed.hurry();
  expect(world.sources.length).toBe(1);
  world.source.say("error");
  world.feed.hurry();
  await world.pass();
  expect([world.sources.length, world.isWaiting]).toEqual([2, false]);
});
