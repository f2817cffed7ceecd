import { useEffect, useRef } from "preact/hooks";
import type { Channel } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { Icon } from "./icon";

const ROWS_MAX = 8;

/** Where a message is written: Enter sends, Shift+Enter begins a new line, the arrow up edits the last one. */
export function Composer({ chat, room, channel }: { chat: Chat; room: Room; channel: Channel }) {
  const input = useRef<HTMLTextAreaElement>(null);
  const { draft } = room;
  const typing = chat.client.typing(room.channelId);

  // On a touch screen focus would open the keyboard over the messages.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) input.current?.focus();
    return typing.stop;
  }, []);

  const send = () => {
    input.current?.focus();
    const content = draft.value.trim();
    if (content === "") return;
    draft.value = "";
    void chat
      .attempt(() => room.send(content))
      .then((isDone) => {
        if (!isDone && draft.value === "") draft.value = content;
      });
  };
  const onInput = (text: string) => {
    draft.value = text;
    if (text.trim() === "") typing.stop();
    else typing.input();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // A key that ends the composition of a character is not ours.
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && draft.value === "") {
      const last = room.lastOfMine();
      if (last === undefined) return;
      event.preventDefault();
      room.editing.value = last.id;
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={input}
        data-testid="composer"
        aria-label={`Message to ${channel.name}. Enter sends, Shift and Enter begin a new line.`}
        placeholder={`Message ${channel.name}`}
        rows={lines(draft.value)}
        enterkeyhint="send"
        value={draft}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        class="primary square"
        data-testid="send"
        aria-label="Send"
        title="Send (Enter)"
        aria-disabled={draft.value.trim() === ""}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}

/** How high a text field has to be, where the browser does not see to that. */
export function lines(text: string): number {
  return Math.min(ROWS_MAX, text.split("\n").length);
}
