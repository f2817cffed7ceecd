import { useSignalEffect } from "@preact/signals";
import type { Chat } from "../state/chat";

/** Keeps the title of the tab at the channel on screen and what is unread in the others. */
export function usePageTitle(chat: Chat): void {
  useSignalEffect(() => {
    const name = chat.channel.value?.name;
    const unread = chat.mine.value.reduce((sum, { id }) => sum + chat.unreadIn(id), 0);
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${name === undefined ? "" : `${name} · `}Roomkey`;
  });
}
