import type { Chat } from "../chat/chat";
import type { Channel } from "../wire/channel";
import { ChannelItem } from "./channel-item";
import { CreateChannel } from "./create-channel";
import { Icon } from "./icon";

export function Sidebar({ chat }: { chat: Chat }) {
  const { channels } = chat;
  return (
    <aside class="sidebar" aria-label="Channels">
      <div class="channel-lists" aria-busy={!channels.isLoaded}>
        <Section
          chat={chat}
          title="Your channels"
          testId="my-channels"
          list={channels.mine.value}
          empty="You are in no channel yet. Create one below."
        />
        <Section
          chat={chat}
          title="Public channels"
          testId="public-channels"
          list={channels.joinable.value}
          empty="No other public channels."
          canReload
        />
      </div>
      <CreateChannel chat={chat} />
    </aside>
  );
}

interface SectionProps {
  chat: Chat;
  title: string;
  testId: string;
  list: readonly Channel[];
  empty: string;
  canReload?: boolean;
}

function Section({ chat, title, testId, list, empty, canReload = false }: SectionProps) {
  return (
    <nav aria-label={title} data-testid={testId}>
      <h2>
        {title}
        {canReload && (
          <button
            type="button"
            class="quiet"
            aria-label="Look for new channels"
            data-testid="reload-channels"
            onClick={chat.reload}
          >
            <Icon name="refresh" />
          </button>
        )}
      </h2>
      <ul>
        {list.map((channel) => (
          <ChannelItem key={channel.id} chat={chat} channel={channel} />
        ))}
      </ul>
      {chat.channels.isLoaded && list.length === 0 && <p class="empty">{empty}</p>}
    </nav>
  );
}
