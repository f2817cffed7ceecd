import type { Chat } from "../chat/chat";
import type { Conversation } from "../chat/conversation";
import { HistoryEdge } from "./history-edge";
import { Icon } from "./icon";
import { MessageItem } from "./message-item";
import { rows } from "./rows";
import { useScroll } from "./scroll";
import { dayText } from "./time";

/** The messages of a channel, oldest first. Scrolling to the top loads older ones. */
export function MessageList({ chat, conversation }: { chat: Chat; conversation: Conversation }) {
  const timeline = conversation.timeline.value;
  const history = conversation.history.value;
  const { box, content, isAtEnd, toEnd } = useScroll(timeline, () => {
    if (conversation.history.peek().phase === "more") void conversation.loadOlder();
  });
  const isUp = chat.connection.state.value.phase === "connected";

  return (
    <div class="messages-frame">
      <div
        ref={box}
        class="messages"
        tabIndex={0}
        role="region"
        aria-label="Messages"
        data-testid="messages"
        aria-busy={history.phase === "loading"}
      >
        <div ref={content} class="messages-content">
          <HistoryEdge conversation={conversation} />
          <ol>
            {rows(timeline, chat.me).map((row) =>
              row.kind === "day" ? (
                <li key={row.key} class="day">
                  <time dateTime={row.time}>{dayText(row.time)}</time>
                </li>
              ) : (
                <MessageItem key={row.key} row={row} conversation={conversation} isUp={isUp} />
              ),
            )}
          </ol>
        </div>
      </div>
      {!isAtEnd.value && (
        <button
          type="button"
          class="to-end"
          data-testid="to-end"
          aria-label="Newest messages"
          title="Newest messages"
          onClick={toEnd}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  );
}
