import type { Chat } from "../state/chat";
import { Announcer } from "./announcer";
import { ChannelPane } from "./channel-pane";
import { ConfirmDialog } from "./confirm-dialog";
import { MembersPanel } from "./members-panel";
import { NewChannelDialog } from "./new-channel-dialog";
import { NoticeList } from "./notice-list";
import { usePageTitle } from "./page-title";
import { SessionsDialog } from "./sessions-dialog";
import { SettingsDialog } from "./settings-dialog";
import { Sidebar } from "./sidebar";

/** The channels, the one that is open, and its members: side by side, or on a phone one at a time. */
export function ChatPage({ chat }: { chat: Chat }) {
  usePageTitle(chat);
  const room = chat.room.value;
  const showsMembers = chat.showsMembers.value && room !== undefined;
  const pane = chat.selection.channelId.value === null ? "list" : showsMembers ? "members" : "channel";
  return (
    <div class="chat" data-pane={pane} data-members={showsMembers}>
      <Sidebar chat={chat} />
      <main>
        <ChannelPane chat={chat} />
        {showsMembers && <MembersPanel key={room.channelId} chat={chat} channelId={room.channelId} />}
      </main>
      <NoticeList notices={chat.notices} />
      <Announcer chat={chat} />
      <OpenDialog chat={chat} />
      {chat.question.value !== null && <ConfirmDialog chat={chat} question={chat.question.value} />}
    </div>
  );
}

function OpenDialog({ chat }: { chat: Chat }) {
  switch (chat.dialog.value) {
    case null:
      return null;
    case "new-channel":
      return <NewChannelDialog chat={chat} />;
    case "settings":
      return chat.channel.value === undefined ? null : <SettingsDialog chat={chat} channel={chat.channel.value} />;
    case "sessions":
      return <SessionsDialog chat={chat} />;
  }
}
