import type { Chat } from "../chat/chat";
import { mayWrite } from "../wire/channel";
import { ChannelHeader } from "./channel-header";
import { Composer } from "./composer";
import { EmptyPane } from "./empty-pane";
import { JoinChannel } from "./join-channel";
import { MessageList } from "./message-list";

/** The channel on screen, or what there is to say where none can be shown. */
export function ChannelPane({ chat }: { chat: Chat }) {
  const id = chat.selection.channelId.value;
  const channel = id === null ? undefined : chat.channels.get(id);
  const conversation = chat.conversation.value;

  if (channel === undefined) return <EmptyPane chat={chat} isMissing={id !== null && chat.channels.isLoaded} />;
  return (
    <main class="pane" data-testid="channel-pane" data-channel-id={channel.id} aria-label={channel.name}>
      <ChannelHeader chat={chat} channel={channel} />
      {conversation === null ? (
        <JoinChannel chat={chat} channel={channel} />
      ) : (
        <>
          <MessageList key={channel.id} chat={chat} conversation={conversation} />
          {mayWrite(channel) ? (
            <Composer key={`${channel.id}/composer`} conversation={conversation} channel={channel} />
          ) : (
            <p class="read-only">You can read this channel, but not write in it.</p>
          )}
        </>
      )}
    </main>
  );
}
