import type { Chat } from "../state/chat";
import { Icon } from "./icon";

export function EmptyPane({ chat, isMissing }: { chat: Chat; isMissing: boolean }) {
  const isLoading = chat.selection.channelId.value !== null && !isMissing;
  if (isLoading) return <div class="empty-pane" aria-busy="true" />;
  return (
    <div class="empty-pane">
      {isMissing ? (
        <>
          <h1>This channel is not open to you</h1>
          <p>It does not exist, or you are not one of its members.</p>
          <button type="button" class="secondary" onClick={() => chat.select(null)}>
            <Icon name="back" /> All channels
          </button>
        </>
      ) : (
        <>
          <img src="/assets/icon.svg" alt="" width="56" height="56" />
          <h2>Choose a channel</h2>
          <p>Or create one. To try it alone, open this address in a second window and register another user.</p>
          <button type="button" class="primary" onClick={() => (chat.dialog.value = "new-channel")}>
            <Icon name="plus" /> New channel
          </button>
        </>
      )}
    </div>
  );
}
