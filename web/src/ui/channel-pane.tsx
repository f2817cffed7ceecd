import type { Channel } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { ChannelHeader } from "./channel-header";
import { Composer } from "./composer";
import { ConnectionBanner } from "./connection-banner";
import { EmptyPane } from "./empty-pane";
import { JoinChannel } from "./join-channel";
import { MessageList } from "./message-list";
import { TypingLine } from "./typing-line";

/** The channel on screen, or what there is to say where none can be shown. */
export function ChannelPane({ chat }: { chat: Chat }) {
  const channel = chat.channel.value;
  const room = chat.room.value;
  const isMissing = chat.selection.channelId.value !== null && chat.list.value.isLoaded;
  return (
    <section
      class="pane"
      data-testid="channel-pane"
      data-channel-id={channel?.id}
      aria-label={channel === undefined ? "No channel" : `Channel ${channel.name}`}
    >
      {chat.selection.channelId.value === null && <h1 class="sr-only">Channels</h1>}
      {channel !== undefined && <ChannelHeader chat={chat} channel={channel} />}
      <ConnectionBanner chat={chat} />
      {channel === undefined ? (
        <EmptyPane chat={chat} isMissing={isMissing} />
      ) : room === undefined ? (
        <JoinChannel chat={chat} channel={channel} />
      ) : (
        <>
          <MessageList key={channel.id} chat={chat} channel={channel} room={room} />
          <TypingLine key={`${channel.id} typing`} chat={chat} room={room} />
          <Below key={`${channel.id} below`} chat={chat} room={room} channel={channel} />
        </>
      )}
    </section>
  );
}

/** Where one writes, or why one cannot. */
function Below({ chat, room, channel }: { chat: Chat; room: Room; channel: Channel }) {
  if (channel.archivedAt !== undefined) return <p class="read-only">This channel is archived. It can only be read.</p>;
  if (channel.role === "reader") return <p class="read-only">You can read this channel, but not write in it.</p>;
  return <Composer chat={chat} room={room} channel={channel} />;
}
