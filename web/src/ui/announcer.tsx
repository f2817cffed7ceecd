import type { Chat } from "../state/chat";

/** The messages of others as they come, for those who hear the page: without what is loaded, edited or marked. */
export function Announcer({ chat }: { chat: Chat }) {
  return (
    <div class="sr-only" role="log" aria-label="New messages" data-testid="announcer">
      {chat.spoken.value.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}
