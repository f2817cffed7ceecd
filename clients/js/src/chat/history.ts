import type { Line } from "../connection.js";
import { asFailure } from "../wire/failure.js";
import type { Message } from "../wire/records.js";

/** As much as a page shows at first: less than a server gives where it is not told. */
const PAGE = 50;
/** Connections to servers that are set to shorter pages (`limits.page_entries`). */
const shorter = new WeakSet<Line>();

export interface HistoryRange {
  readonly channelId: string;
  readonly before?: number;
  readonly after?: number;
}

/** A page of a channel's history. It may be shorter than it could be: the end is where one is empty. */
export async function history(line: Line, range: HistoryRange): Promise<readonly Message[]> {
  if (!shorter.has(line)) {
    try {
      return (await line.request("message:history", { ...range, limit: PAGE })).messages;
    } catch (thrown) {
      if (asFailure(thrown).code !== "BAD_PAYLOAD") throw thrown;
    }
  }
  const { messages } = await line.request("message:history", range);
  shorter.add(line);
  return messages;
}
