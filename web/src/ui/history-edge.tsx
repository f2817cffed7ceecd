import type { Conversation } from "../chat/conversation";

/** What is above the oldest message on screen: always one line high. */
export function HistoryEdge({ conversation }: { conversation: Conversation }) {
  const history = conversation.history.value;
  switch (history.phase) {
    case "unloaded":
    case "loading":
      return (
        <p class="history-edge" data-testid="history" data-state="loading">
          Loading…
        </p>
      );
    case "more":
      return (
        <p class="history-edge" data-testid="history" data-state="more">
          <button type="button" class="link" data-testid="load-older" onClick={() => void conversation.loadOlder()}>
            Load older messages
          </button>
        </p>
      );
    case "failed":
      return (
        <p class="history-edge" data-testid="history" data-state="failed" data-code={history.failure.code}>
          {history.failure.message}{" "}
          <button type="button" class="link" data-testid="load-older" onClick={() => void conversation.loadOlder()}>
            Try again
          </button>
        </p>
      );
    case "complete":
      return (
        <p class="history-edge" data-testid="history" data-state="complete">
          {conversation.timeline.value.messages.length === 0
            ? "No messages yet. Say hello."
            : "The beginning of this channel"}
        </p>
      );
  }
}
