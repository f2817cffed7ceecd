import type { Chat } from "../chat/chat";
import { ChannelPane } from "./channel-pane";
import { NoticeList } from "./notice-list";
import { Sidebar } from "./sidebar";
import { TopBar } from "./top-bar";
import { usePageTitle } from "./page-title";

export function ChatPage({ chat }: { chat: Chat }) {
  usePageTitle(chat);
  return (
    <div class="chat" data-pane={chat.selection.channelId.value === null ? "list" : "channel"}>
      <TopBar chat={chat} />
      <Sidebar chat={chat} />
      <ChannelPane chat={chat} />
      <NoticeList notices={chat.notices} />
      <p class="sr-only" aria-live="polite">
        {chat.spoken}
      </p>
    </div>
  );
}
