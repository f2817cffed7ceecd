import type { Line } from "../connection.js";
import type { Platform } from "../platform.js";
import { RoomkeyError } from "../wire/failure.js";
import type { Message } from "../wire/records.js";
import { Feed } from "./feed.js";

export interface FollowOptions {
  /** The number of the last message that is known already; without it, all of them come. */
  after?: number;
  /** Ends the stream. */
  signal?: AbortSignal;
}

/** Messages that wait for a consumer; what is behind them stays with the server. */
const QUEUE_MAX = 100;

/**
 * The messages of a channel as they are written, after those that are there: in order, each once, none left out, over
 * as many connections as it takes, and no faster than they are taken. Ends with the signal; throws where the channel
 * cannot be read any more, or the connection was stopped or closed.
 */
export async function* follow(
  line: Line,
  platform: Platform,
  channelId: string,
  { after = 0, signal }: FollowOptions = {},
): AsyncGenerator<Message, void, void> {
  let wake = () => {};
  let failure: RoomkeyError | undefined;
  let wasOpen = false;
  const queue: Message[] = [];
  const fail = (error: RoomkeyError) => {
    failure ??= error;
    feed.close();
    wake();
  };
  const feed = new Feed(line, platform, channelId, after, {
    messages: (messages) => (queue.push(...messages), wake()),
    caughtUp: () => {},
    failed: fail,
    hasRoom: () => queue.length < QUEUE_MAX,
  });
  const look = () => {
    const state = line.state.get();
    if (state.phase === "stopped") fail(state.error);
    else if (state.phase === "idle" && wasOpen) fail(new RoomkeyError("CLOSED", "The client was closed."));
    wasOpen ||= state.phase !== "idle";
  };
  const aborted = () => wake();
  signal?.addEventListener("abort", aborted);
  const off = line.state.subscribe(look);
  try {
    look();
    feed.start();
    while (!signal?.aborted) {
      const message = queue.shift();
      if (message !== undefined) {
        feed.goOn();
        yield message;
      } else if (failure !== undefined) throw failure;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal?.removeEventListener("abort", aborted);
    off();
    feed.close();
  }
}
