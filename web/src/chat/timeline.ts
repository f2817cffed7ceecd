import type { Failure } from "../wire/failure";
import type { Message } from "../wire/message";

/** A message of mine the server has not confirmed: on its way, or refused. */
export interface Outgoing {
  readonly clientId: string;
  readonly content: string;
  readonly writtenAt: string;
  /** Why it was not sent; null while it is on its way. */
  readonly failure: Failure | null;
}

/** What is known of a channel: the server's messages in order, and mine that are not among them yet. */
export interface Timeline {
  /** By `seq`, each once. */
  readonly messages: readonly Message[];
  readonly outgoing: readonly Outgoing[];
}

export const EMPTY: Timeline = { messages: [], outgoing: [] };

/**
 * Adds what the server has sent, from history, as an event or in an ack, in any order and any number of times.
 * A message of my own takes the place of the outgoing one with its `clientId`.
 */
export function receive(timeline: Timeline, arrived: readonly Message[], me: string): Timeline {
  const mine = new Set(arrived.filter((message) => message.userId === me).map((message) => message.clientId));
  return {
    messages: merge(timeline.messages, arrived),
    outgoing: timeline.outgoing.filter((message) => !mine.has(message.clientId)),
  };
}

/** Puts a message on its way: a new one, or once more one that was refused, behind all others. */
export function send(timeline: Timeline, message: Omit<Outgoing, "failure">): Timeline {
  return { ...timeline, outgoing: [...without(timeline, message.clientId), { ...message, failure: null }] };
}

/** Notes that a message was refused. One that has been confirmed meanwhile stays confirmed. */
export function fail(timeline: Timeline, clientId: string, failure: Failure): Timeline {
  const outgoing = timeline.outgoing.map((message) =>
    message.clientId === clientId ? { ...message, failure } : message,
  );
  return { ...timeline, outgoing };
}

/** Drops a message that was not sent. */
export function discard(timeline: Timeline, clientId: string): Timeline {
  return { ...timeline, outgoing: without(timeline, clientId) };
}

/** The last `seq` that is reached from `seq` without a gap. */
export function contiguousFrom(messages: readonly Message[], seq: number): number {
  let end = seq;
  for (const message of messages) if (message.seq === end + 1) end = message.seq;
  return end;
}

function merge(known: readonly Message[], arrived: readonly Message[]): readonly Message[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of arrived) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

function without(timeline: Timeline, clientId: string): readonly Outgoing[] {
  return timeline.outgoing.filter((message) => message.clientId !== clientId);
}
