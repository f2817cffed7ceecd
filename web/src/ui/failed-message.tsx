import type { Conversation } from "../chat/conversation";
import type { Outgoing } from "../chat/timeline";
import type { Failure } from "../wire/failure";

interface FailedMessageProps {
  outgoing: Outgoing;
  failure: Failure;
  conversation: Conversation;
}

/** Why a message was not sent, and what to do with it. */
export function FailedMessage({ outgoing, failure, conversation }: FailedMessageProps) {
  return (
    <p class="failed" role="alert" data-testid="message-failure" data-code={failure.code}>
      Not sent: {failure.message}{" "}
      <button type="button" class="link" data-testid="message-retry" onClick={() => conversation.retry(outgoing)}>
        Send again
      </button>{" "}
      <button
        type="button"
        class="link"
        data-testid="message-discard"
        onClick={() => conversation.discard(outgoing.clientId)}
      >
        Discard
      </button>
    </p>
  );
}
