import type { Chat } from "../state/chat";
import { isOnline, now } from "../state/world";
import { renewalTrouble, standingOf, troubleText } from "../words/connection";
import { Icon } from "./icon";

/** What is wrong with the connection or the session, and what one can do; nothing where all is well. */
export function ConnectionBanner({ chat }: { chat: Chat }) {
  const state = chat.connection.value;
  const standing = standingOf(state, isOnline.value);
  const trouble = troubleText(state, isOnline.value);
  const renewal =
    state.phase === "connected" && state.error !== null ? renewalTrouble(state, chat.token.value, now.value) : null;
  const text = trouble ?? renewal;
  return (
    <div class="banner-place" role="status">
      {text !== null && (
        <div class="banner" data-standing={renewal === null ? standing : "failing"} data-testid="connection-trouble">
          <Icon name={standing === "stopped" || renewal !== null ? "warning" : "refresh"} />
          <p>{text}</p>
          {standing === "stopped" && (
            <button type="button" class="secondary compact" data-testid="reconnect" onClick={chat.client.connect}>
              Connect again
            </button>
          )}
          {renewal !== null && (
            <button type="button" class="secondary compact" onClick={() => chat.login.signOut()}>
              Log in again
            </button>
          )}
        </div>
      )}
    </div>
  );
}
