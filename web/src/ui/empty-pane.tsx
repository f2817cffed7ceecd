import type { Chat } from "../chat/chat";
import { Icon } from "./icon";

export function EmptyPane({ chat, isMissing }: { chat: Chat; isMissing: boolean }) {
  return (
    <main class="pane empty-pane">
      {isMissing ? (
        <>
          <h1>This channel is not open to you</h1>
          <p>It does not exist, or you are not one of its members.</p>
          <button type="button" class="secondary" onClick={() => chat.selection.select(null)}>
            <Icon name="back" /> All channels
          </button>
        </>
      ) : (
        <>
          <h1>Choose a channel</h1>
          <p>Or create one. To try it alone, open this address in a second window and register another user.</p>
        </>
      )}
    </main>
  );
}
