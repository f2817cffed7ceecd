import type { Chat } from "../chat/chat";
import { isMember, type Channel } from "../wire/channel";
import { Icon } from "./icon";

export function ChannelItem({ chat, channel }: { chat: Chat; channel: Channel }) {
  const unread = isMember(channel) ? chat.channels.unreadIn(channel) : 0;
  return (
    <li>
      <button
        type="button"
        class="channel-item"
        data-testid="channel-item"
        data-channel-id={channel.id}
        data-name={channel.name}
        data-role={channel.role ?? "none"}
        aria-current={chat.selection.channelId.value === channel.id ? "page" : undefined}
        onClick={() => chat.selection.select(channel.id)}
      >
        <Icon name={channel.visibility === "private" ? "lock" : "hash"} />
        <bdi>{channel.name}</bdi>
        {unread > 0 && (
          <span class="unread" data-testid="unread">
            {unread > 99 ? "99+" : unread}
            <span class="sr-only"> unread</span>
          </span>
        )}
      </button>
    </li>
  );
}
