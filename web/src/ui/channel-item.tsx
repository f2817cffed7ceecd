import type { Channel, Message } from "roomkey";
import type { Chat } from "../state/chat";
import { displayName } from "../words/names";
import { briefText } from "../words/time";
import { Icon } from "./icon";

/** A channel in the list: its name, what was written last, and what is unread. */
export function ChannelItem({ chat, channel }: { chat: Chat; channel: Channel }) {
  const isMine = channel.role !== undefined;
  const unread = isMine ? chat.unreadIn(channel.id) : 0;
  const newest = isMine ? chat.newest.value.get(channel.id) : undefined;
  return (
    <li>
      <button
        type="button"
        class="channel-item"
        data-testid="channel-item"
        data-channel-id={channel.id}
        data-name={channel.name}
        data-role={channel.role ?? "none"}
        data-unread={unread > 0}
        aria-current={chat.selection.channelId.value === channel.id ? "page" : undefined}
        onClick={() => chat.select(channel.id)}
      >
        <Icon name={channel.visibility === "private" ? "lock" : "hash"} />
        <span class="channel-words">
          <span class="channel-line">
            <bdi class="channel-name">{channel.name}</bdi>
            <span class="sr-only">, {channel.visibility}</span>
            {newest !== undefined && (
              <time class="channel-time" dateTime={newest.createdAt} data-testid="last-activity">
                <span class="sr-only">, last message </span>
                {briefText(newest.createdAt)}
              </time>
            )}
          </span>
          {isMine && (
            <span class="channel-line">
              <bdi class="channel-preview">
                {newest === undefined ? "No messages yet" : preview(newest, chat.me.id)}
              </bdi>
              {unread > 0 && (
                <span class="unread" data-testid="unread">
                  {unread > 99 ? "99+" : unread}
                  <span class="sr-only"> unread</span>
                </span>
              )}
            </span>
          )}
        </span>
      </button>
    </li>
  );
}

function preview(message: Message, me: string): string {
  const author = message.userId === me ? "You" : displayName(message.user);
  return `${author}: ${message.deletedAt ? "(deleted)" : message.content}`;
}
