import type { Chat } from "../chat/chat";
import { displayName } from "../wire/user";
import { Avatar } from "./avatar";
import { Brand } from "./brand";
import { ConnectionStatus } from "./connection-status";
import { Icon } from "./icon";

export function TopBar({ chat }: { chat: Chat }) {
  return (
    <header class="top-bar">
      <Brand />
      <ConnectionStatus connection={chat.connection} />
      <span class="me" title={`Your user id: ${chat.me.id}`} data-testid="me" data-user-id={chat.me.id}>
        <Avatar user={chat.me} />
        <bdi>{displayName(chat.me)}</bdi>
      </span>
      <button type="button" class="quiet" data-testid="sign-out" onClick={() => chat.session.signOut()}>
        <Icon name="leave" />
        <span class="wide-only">Sign out</span>
        <span class="sr-only narrow-only">Sign out</span>
      </button>
    </header>
  );
}
