import type { ChannelState } from "roomkey";
import type { Room } from "../state/room";
import { refusalText } from "../words/refusals";

/** What is above the oldest message on screen: always one line high. */
export function HistoryEdge({ room, state }: { room: Room; state: ChannelState }) {
  const { phase, error, messages, outgoing, hasOlder, isLoadingOlder } = state;
  if (phase === "loading" || isLoadingOlder) return <Edge state="loading">Loading…</Edge>;
  if (error !== null) {
    return (
      <Edge state="failed" code={error.code}>
        {refusalText(error)} {hasOlder && <Older room={room} text="Try again" />}
      </Edge>
    );
  }
  if (hasOlder) {
    return (
      <Edge state="more">
        <Older room={room} text="Load older messages" />
      </Edge>
    );
  }
  const isEmpty = messages.length + outgoing.length === 0;
  return <Edge state="complete">{isEmpty ? "No messages yet. Say hello." : "The beginning of this channel"}</Edge>;
}

function Edge({ state, code, children }: { state: string; code?: string; children: preact.ComponentChildren }) {
  return (
    <p class="history-edge" data-testid="history" data-state={state} data-code={code}>
      {children}
    </p>
  );
}

function Older({ room, text }: { room: Room; text: string }) {
  return (
    <button type="button" class="link" data-testid="load-older" onClick={() => void room.stream.loadOlder()}>
      {text}
    </button>
  );
}
