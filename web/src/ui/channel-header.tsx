import { useSignal } from "@preact/signals";
import type { Chat } from "../chat/chat";
import { isMember, type Channel } from "../wire/channel";
import { Icon } from "./icon";
import { MembersDialog } from "./members-dialog";

export function ChannelHeader({ chat, channel }: { chat: Chat; channel: Channel }) {
  const showsMembers = useSignal(false);
  return (
    <div class="channel-header">
      <button
        type="button"
        class="quiet narrow-only"
        aria-label="All channels"
        data-testid="back"
        onClick={() => chat.selection.select(null)}
      >
        <Icon name="back" />
      </button>
      <Icon name={channel.visibility === "private" ? "lock" : "hash"} />
      <h1 data-testid="channel-title">
        <bdi>{channel.name}</bdi>
      </h1>
      <span class="sr-only">{channel.visibility} channel</span>
      {isMember(channel) && (
        <button type="button" class="quiet" data-testid="members-open" onClick={() => (showsMembers.value = true)}>
          <Icon name="people" /> Members
        </button>
      )}
      {showsMembers.value && (
        <MembersDialog chat={chat} channel={channel} onClose={() => (showsMembers.value = false)} />
      )}
    </div>
  );
}
