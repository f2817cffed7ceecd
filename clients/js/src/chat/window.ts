import type { DeliveryStatus, Message } from "../wire/records.js";

/** The loaded stretch of a channel: ordered by `seq`, without gaps. */
export type Window = readonly Message[];

const RANK: Record<DeliveryStatus, number> = { FAILED: 0, SENDING: 1, SENT: 2, DELIVERED: 3, READ: 4 };

/**
 * What is newer of the same message: a deletion is for ever, of two edits the later one counts. Of two within the same
 * millisecond it is the one that was announced last: announcements come in the order of the edits, answers do not.
 */
export function newest(known: Message | undefined, arrived: Message, isAnnounced: boolean): Message {
  if (known === undefined) return arrived;
  if (known.deletedAt) return known;
  const isNewer = isLater(known, arrived, isAnnounced);
  const [content, other] = isNewer ? [arrived, known] : [known, arrived];
  return { ...content, deliveryStatus: further(content.deliveryStatus, other.deliveryStatus) };
}

/** Messages that follow the window. */
export function append(window: Window, next: readonly Message[]): Window {
  const last = window.at(-1)?.seq ?? 0;
  return [...window, ...next.filter((message) => message.seq > last)];
}

/** Messages that come before the window. */
export function prepend(window: Window, older: readonly Message[]): Window {
  const first = window[0]?.seq ?? Infinity;
  return [...older.filter((message) => message.seq < first), ...window];
}

/** The window with another version of messages that are in it. */
export function update(window: Window, versions: readonly Message[], isAnnounced: boolean): Window {
  const byId = new Map(versions.map((message) => [message.id, message]));
  if (!window.some(({ id }) => byId.has(id))) return window;
  return window.map((message) => newest(message, byId.get(message.id) ?? message, isAnnounced));
}

/** The messages of a user, up to this one, have come so far; none goes back. */
export function reach(window: Window, userId: string, seq: number, status: DeliveryStatus): Window {
  const isBehind = (message: Message) =>
    message.userId === userId && message.seq <= seq && RANK[message.deliveryStatus] < RANK[status];
  if (!window.some(isBehind)) return window;
  return window.map((message) => (isBehind(message) ? { ...message, deliveryStatus: status } : message));
}

function isLater(known: Message, arrived: Message, isAnnounced: boolean): boolean {
  if (arrived.deletedAt) return true;
  return arrived.updatedAt > known.updatedAt || (isAnnounced && arrived.updatedAt === known.updatedAt);
}

function further(a: DeliveryStatus, b: DeliveryStatus): DeliveryStatus {
  return RANK[a] > RANK[b] ? a : b;
}
