import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Message } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { lines } from "./composer";

/** A message while it is being changed: Enter saves, Escape leaves it as it was. */
export function MessageEdit({ chat, room, message }: { chat: Chat; room: Room; message: Message }) {
  const input = useRef<HTMLTextAreaElement>(null);
  const text = useSignal(message.content);

  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(text.value.length, text.value.length);
  }, []);

  const end = () => {
    // Back to the message, or to the next thing to do.
    input.current?.closest<HTMLElement>(".message")?.focus();
    room.editing.value = null;
  };
  const save = () => {
    const content = text.value.trim();
    end();
    if (content !== "" && content !== message.content) void chat.attempt(() => room.stream.edit(message.id, content));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === "Escape") end();
    else if (event.key === "Enter" && !event.shiftKey) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <form
      class="message-edit"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={input}
        data-testid="edit-input"
        aria-label="Edit message. Enter saves, Escape cancels."
        rows={lines(text.value)}
        value={text}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <span class="row">
        <button type="button" class="quiet compact" data-testid="edit-cancel" onClick={end}>
          Cancel
        </button>
        <button type="submit" class="primary compact" data-testid="edit-save">
          Save
        </button>
      </span>
    </form>
  );
}
