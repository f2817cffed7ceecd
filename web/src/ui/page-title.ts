import { useSignalEffect } from "@preact/signals";
import type { Chat } from "../chat/chat";

/** Keeps the title of the tab at the channel on screen and what is unread in the others. */
export function usePageTitle(chat: Chat): void {
  useSignalEffect(() => {
    const id = chat.selection.channelId.value;
    const name = id === null ? undefined : chat.channels.get(id)?.name;
    const unread = chat.channels.unread.value;
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${name === undefined ? "" : `${name} · `}Roomkey`;
  });
}
