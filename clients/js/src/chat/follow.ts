import type { Line } from "../connection.js";
import type { Platform } from "../platform.js";
import type { RoomkeyError } from "../wire/failure.js";
import type { Message } from "../wire/records.js";
import { Feed } from "./feed.js";

export interface FollowOptions {
  /** The number of the last message that is known already; without it, all of them come. */
  after?: number;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/**
 * The messages of a channel as they are written, after those that are there: in order, each once, none left out, over
 * as many connections as it takes. Ends with the signal; throws where the channel cannot be read any more, or the
 * connection was stopped.
 */
export async function* follow(
  line: Line,
  platform: Platform,
  channelId: string,
  { after = 0, signal }: FollowOptions = {},
): AsyncGenerator<Message, void, void> {
  let wake = () => {};
  let failure: RoomkeyError | undefined;
  const queue: Message[] = [];
  const feed = new Feed(line, platform, channelId, after, {
    messages: (messages) => (queue.push(...messages), wake()),
    caughtUp: () => {},
    failed: (error) => ((failure = error), wake()),
  });
  const aborted = () => wake();
  signal?.addEventListener("abort", aborted);
  const off = line.state.subscribe(() => {
    const state = line.state.get();
    if (state.phase !== "stopped") return;
    failure = state.error;
    wake();
  });
  try {
    feed.start();
    while (!signal?.aborted) {
      yield* queue.splice(0);
      if (failure !== undefined) throw failure;
      if (queue.length === 0 && !signal?.aborted) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", aborted);
    off();
    feed.close();
  }
}
