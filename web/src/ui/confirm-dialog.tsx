import { useSignal } from "@preact/signals";
import type { Chat, Question } from "../state/chat";
import { Dialog } from "./dialog";

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ chat, question }: { chat: Chat; question: Question }) {
  const isBusy = useSignal(false);
  const close = () => (chat.question.value = null);
  const confirm = async () => {
    if (isBusy.value) return;
    isBusy.value = true;
    await chat.attempt(question.confirmed);
    close();
  };
  return (
    <Dialog title={question.title} testId="confirm" onClose={close}>
      <p>{question.text}</p>
      <div class="dialog-actions">
        <button type="button" class="secondary" autofocus data-testid="confirm-no" onClick={close}>
          Cancel
        </button>
        <button
          type="button"
          class="danger"
          aria-busy={isBusy.value}
          data-testid="confirm-yes"
          onClick={() => void confirm()}
        >
          {question.action}
        </button>
      </div>
    </Dialog>
  );
}
