import type { Channel } from "roomkey";
import { type Chat, problemOf } from "../state/chat";
import { AccountBar } from "./account-bar";
import { Brand } from "./brand";
import { ChannelItem } from "./channel-item";
import { Icon } from "./icon";
import { Problem } from "./problem";

export function Sidebar({ chat }: { chat: Chat }) {
  const { error } = chat.list.value;
  return (
    <aside class="sidebar" aria-label="Channels and account">
      <header class="sidebar-header">
        <Brand />
        <button
          type="button"
          class="secondary compact"
          data-testid="new-channel"
          onClick={() => (chat.dialog.value = "new-channel")}
        >
          <Icon name="plus" /> New channel
        </button>
      </header>
      <div class="channel-lists" aria-busy={!chat.list.value.isLoaded}>
        <Problem problem={error === null ? null : problemOf(error)} />
        <Section
          chat={chat}
          title="Your channels"
          testId="my-channels"
          list={chat.mine.value}
          empty="You are in no channel yet. Create one, or join one below."
        />
        <Section
          chat={chat}
          title="Public channels"
          testId="public-channels"
          list={chat.joinable.value}
          empty="There are no other public channels."
          canReload
        />
      </div>
      <AccountBar chat={chat} />
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
      <div class="section-title">
        <h2>{title}</h2>
        {canReload && (
          <button
            type="button"
            class="quiet square"
            aria-label="Look for new channels"
            title="Look for new channels"
            data-testid="reload-channels"
            onClick={chat.client.channels.refresh}
          >
            <Icon name="refresh" />
          </button>
        )}
      </div>
      <ul>
        {list.map((channel) => (
          <ChannelItem key={channel.id} chat={chat} channel={channel} />
        ))}
      </ul>
      {chat.list.value.isLoaded && list.length === 0 && <p class="empty">{empty}</p>}
    </nav>
  );
}
