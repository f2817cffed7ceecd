import type { Message, Role } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { Icon } from "./icon";

interface MessageToolsProps {
  chat: Chat;
  room: Room;
  message: Message;
  isMine: boolean;
  role: Role | undefined;
}

/** What can be done with a message: seen under the pointer, and where the focus is. */
export function MessageTools({ chat, room, message, isMine, role }: MessageToolsProps) {
  const mayEdit = isMine && role !== "reader";
  const mayDelete = mayEdit || role === "moderator" || role === "owner";
  if (!mayDelete) return null;
  const ask = (button: HTMLElement) => {
    // The tools are hidden when the focus is elsewhere: it comes back to the message.
    button.closest<HTMLElement>(".message")?.focus();
    chat.question.value = {
      title: "Delete this message?",
      text: "It is gone for everybody, and cannot be brought back.",
      action: "Delete",
      confirmed: () => room.stream.remove(message.id),
    };
  };
  return (
    <div class="tools">
      {mayEdit && (
        <button
          type="button"
          class="quiet square"
          aria-label="Edit message"
          title="Edit (e)"
          data-testid="edit"
          data-offer="edit"
          onClick={() => (room.editing.value = message.id)}
        >
          <Icon name="edit" />
        </button>
      )}
      <button
        type="button"
        class="quiet square"
        aria-label="Delete message"
        title="Delete (Del)"
        data-testid="delete"
        data-offer="delete"
        onClick={(event) => ask(event.currentTarget)}
      >
        <Icon name="trash" />
      </button>
    </div>
  );
}
