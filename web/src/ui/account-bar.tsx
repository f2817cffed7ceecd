import type { Chat } from "../state/chat";
import { displayName } from "../words/names";
import { Avatar } from "./avatar";
import { ConnectionStatus } from "./connection-status";
import { Icon } from "./icon";

/** Who I am, how the connection and the session stand, and the way out. */
export function AccountBar({ chat }: { chat: Chat }) {
  return (
    <footer class="account-bar">
      <div class="account">
        <span class="me" title={`Your user id: ${chat.me.id}`} data-testid="me" data-user-id={chat.me.id}>
          <Avatar user={chat.me} />
          <bdi>{displayName(chat.me)}</bdi>
        </span>
        <button
          type="button"
          class="quiet square"
          aria-label="My sessions"
          title="My sessions"
          data-testid="sessions-open"
          onClick={() => (chat.dialog.value = "sessions")}
        >
          <Icon name="devices" />
        </button>
        <button
          type="button"
          class="quiet square"
          aria-label="Sign out"
          title="Sign out"
          data-testid="sign-out"
          onClick={() => chat.login.signOut()}
        >
          <Icon name="leave" />
        </button>
      </div>
      <ConnectionStatus chat={chat} />
    </footer>
  );
}
