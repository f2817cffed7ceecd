import { useSignal } from "@preact/signals";
import type { Channel } from "roomkey";
import type { Chat } from "../state/chat";

export function JoinChannel({ chat, channel }: { chat: Chat; channel: Channel }) {
  const isBusy = useSignal(false);
  const join = async () => {
    isBusy.value = true;
    await chat.attempt(() => chat.client.channels.join({ channelId: channel.id }));
    isBusy.value = false;
  };
  const isUp = chat.connection.value.phase === "connected";
  return (
    <div class="empty-pane">
      <p>This channel is public. Join it to read and to write.</p>
      <button
        type="button"
        class="primary"
        data-testid="join-channel"
        disabled={!isUp || isBusy.value}
        onClick={() => void join()}
      >
        Join <bdi>{channel.name}</bdi>
      </button>
    </div>
  );
}
