import { useEffect, useRef } from "preact/hooks";
import type { Conversation } from "../chat/conversation";
import type { Channel } from "../wire/channel";
import { Icon } from "./icon";

const ROWS_MAX = 8;

/** Where a message is written: Enter sends, Shift+Enter begins a new line. */
export function Composer({ conversation, channel }: { conversation: Conversation; channel: Channel }) {
  const input = useRef<HTMLTextAreaElement>(null);
  const { draft } = conversation;

  // On a touch screen focus would open the keyboard over the messages.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) input.current?.focus();
  }, []);

  const send = () => {
    input.current?.focus();
    if (draft.value.trim() === "") return;
    conversation.send(draft.value);
    draft.value = "";
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends the composition of a character is not ours.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
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
        placeholder="Write a message"
        rows={Math.min(ROWS_MAX, draft.value.split("\n").length)}
        enterkeyhint="send"
        value={draft}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <button
        type="submit"
        class="primary square"
        data-testid="send"
        aria-label="Send"
        title="Send"
        aria-disabled={draft.value.trim() === ""}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}
