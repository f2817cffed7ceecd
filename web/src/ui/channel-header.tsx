import { useEffect, useRef } from "preact/hooks";
import type { Channel } from "roomkey";
import type { Chat } from "../state/chat";
import { watch } from "../state/watch";
import { count } from "../words/names";
import { Icon } from "./icon";

export function ChannelHeader({ chat, channel }: { chat: Chat; channel: Channel }) {
  return (
    <header class="channel-header">
      <button
        type="button"
        class="quiet square narrow-only"
        aria-label="All channels"
        data-testid="back"
        onClick={() => chat.select(null)}
      >
        <Icon name="back" />
      </button>
      <div class="channel-heading">
        <h1 data-testid="channel-title">
          <Icon name={channel.visibility === "private" ? "lock" : "hash"} />
          <bdi>{channel.name}</bdi>
        </h1>
        <p class="channel-about">
          {channel.visibility === "private" ? "Private" : "Public"} channel
          {channel.role !== undefined && <Attendance chat={chat} channelId={channel.id} />}
        </p>
      </div>
      {channel.role !== undefined && <MembersButton chat={chat} />}
    </header>
  );
}

/** How many there are, and how many of them are here. */
function Attendance({ chat, channelId }: { chat: Chat; channelId: string }) {
  const { isLoaded, members } = watch(chat.client.members(channelId)).value;
  const presence = watch(chat.client.presence({ channelId })).value;
  const online = members.filter(({ user }) => presence.get(user.id)?.online).length;
  if (!isLoaded) return null;
  return (
    <span data-testid="attendance" data-members={members.length} data-online={online}>
      {" "}
      · {count(members.length, "member")}
      {online > 0 && `, ${online} online`}
    </span>
  );
}

function MembersButton({ chat }: { chat: Chat }) {
  const button = useRef<HTMLButtonElement>(null);
  const isShown = chat.showsMembers.value;
  const wasShown = useRef(isShown);
  // The focus was in the panel that is gone now.
  useEffect(() => {
    if (wasShown.current && !isShown && document.activeElement === document.body) button.current?.focus();
    wasShown.current = isShown;
  }, [isShown]);
  return (
    <button
      ref={button}
      type="button"
      class="quiet"
      aria-expanded={isShown}
      data-testid="members-open"
      onClick={() => (chat.showsMembers.value = !isShown)}
    >
      <Icon name="people" /> <span class="wide-text">Members</span>
    </button>
  );
}
