import { useSignalEffect } from "@preact/signals";
import type { Channel } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { rows } from "../state/rows";
import { isLooking } from "../state/world";
import { displayName } from "../words/names";
import { dayText } from "../words/time";
import { HistoryEdge } from "./history-edge";
import { Icon } from "./icon";
import { MessageItem } from "./message-item";
import { moveAmongMessages } from "./message-keys";
import { useScroll } from "./scroll";

interface MessageListProps {
  chat: Chat;
  channel: Channel;
  room: Room;
}

/** The messages of a channel, oldest first. Scrolling to the top loads older ones. */
export function MessageList({ chat, channel, room }: MessageListProps) {
  const state = room.state.value;
  const divider = room.divider.value;
  const { box, list, isAtEnd, toEnd } = useScroll({
    content: [state, room.isPlaced.value],
    wrote: state.outgoing.at(-1)?.clientId,
    begin: divider === null ? null : `[data-after="${divider}"]`,
    onTop: () => room.reachTop(chat.client.connection.get().phase === "connected"),
    onSeen: ({ dataset }) => dataset["messageId"] !== undefined && room.seen(dataset["messageId"]),
  });
  // Who comes back sees what came meanwhile.
  useSignalEffect(() => {
    const last = room.state.value.messages.at(-1);
    if (isLooking.value && isAtEnd.value && room.isPlaced.value && last !== undefined) room.seen(last.id);
  });

  const me = { id: chat.me.id, username: displayName(chat.me) };
  const unread = room.isPlaced.value ? chat.inbox.value.channels.get(channel.id)?.unread : undefined;
  return (
    <div class="messages-frame">
      <div
        ref={box}
        class="messages"
        tabIndex={0}
        role="region"
        aria-label={`Messages in ${channel.name}. The arrow keys move from one to the next.`}
        data-testid="messages"
        data-phase={state.phase}
        aria-busy={state.phase === "loading"}
        onKeyDown={moveAmongMessages}
      >
        <div class="messages-content">
          <HistoryEdge room={room} state={state} />
          <ol ref={list}>
            {rows(state, me, divider).map((row) => {
              switch (row.kind) {
                case "day":
                  return (
                    <li key={row.key} class="day">
                      <time dateTime={row.time}>{dayText(row.time)}</time>
                    </li>
                  );
                case "divider":
                  return (
                    <li key={row.key} class="divider" data-testid="divider" data-after={divider}>
                      <span>New</span>
                    </li>
                  );
                case "message":
                  return <MessageItem {...row} key={row.key} chat={chat} room={room} role={channel.role} />;
              }
            })}
          </ol>
        </div>
      </div>
      {!isAtEnd.value && (
        <button type="button" class="to-end" data-testid="to-end" onClick={toEnd}>
          <Icon name="down" />
          {unread ? <span data-testid="to-end-unread">{unread} new</span> : <span>Newest</span>}
        </button>
      )}
    </div>
  );
}
