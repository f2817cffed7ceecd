import { useSignal } from "@preact/signals";
import type { Visibility } from "roomkey";
import { type Chat, problemOf } from "../state/chat";
import { Dialog } from "./dialog";
import { Problem } from "./problem";
import { VisibilityField } from "./visibility-field";

export function NewChannelDialog({ chat }: { chat: Chat }) {
  const name = useSignal("");
  const visibility = useSignal<Visibility>("public");
  const isBusy = useSignal(false);
  const problem = useSignal<{ text: string; code: string } | null>(null);
  const close = () => (chat.dialog.value = null);

  const create = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value || name.value.trim() === "") return;
    isBusy.value = true;
    problem.value = null;
    try {
      const channel = await chat.client.channels.create(name.value.trim(), visibility.value);
      close();
      chat.select(channel.id);
    } catch (thrown) {
      problem.value = problemOf(thrown);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Dialog title="New channel" testId="new-channel-dialog" onClose={close}>
      <form class="form" onSubmit={(event) => void create(event)}>
        <label class="field">
          <span>Name</span>
          <input
            data-testid="channel-name"
            autofocus
            required
            autoComplete="off"
            placeholder="harbour"
            value={name}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </label>
        <VisibilityField value={visibility} />
        <Problem problem={problem.value} />
        <div class="dialog-actions">
          <button type="button" class="secondary" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" data-testid="create-channel" aria-busy={isBusy.value}>
            Create channel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
