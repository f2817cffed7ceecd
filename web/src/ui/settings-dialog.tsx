import { useSignal } from "@preact/signals";
import type { Channel } from "roomkey";
import { type Chat, problemOf } from "../state/chat";
import { Dialog } from "./dialog";
import { Problem } from "./problem";
import { VisibilityField } from "./visibility-field";

/** What an owner may change of a channel. */
export function SettingsDialog({ chat, channel }: { chat: Chat; channel: Channel }) {
  const name = useSignal(channel.name);
  const visibility = useSignal(channel.visibility);
  const archived = useSignal(channel.archivedAt !== undefined);
  const isBusy = useSignal(false);
  const problem = useSignal<{ text: string; code: string } | null>(null);
  const close = () => (chat.dialog.value = null);

  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value || name.value.trim() === "") return;
    isBusy.value = true;
    problem.value = null;
    try {
      const change = { name: name.value.trim(), visibility: visibility.value, archived: archived.value };
      await chat.client.channels.update(channel.id, change);
      close();
    } catch (thrown) {
      problem.value = problemOf(thrown);
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Dialog title="Channel settings" testId="settings" onClose={close}>
      <form class="form" onSubmit={(event) => void save(event)}>
        <label class="field">
          <span>Name</span>
          <input
            data-testid="channel-name"
            autofocus
            required
            autoComplete="off"
            value={name}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        </label>
        <VisibilityField value={visibility} />
        <label class="check">
          <input
            type="checkbox"
            data-testid="channel-archived"
            checked={archived}
            onChange={(event) => (archived.value = event.currentTarget.checked)}
          />
          <span>Archived: it can be read, but nothing can be written any more</span>
        </label>
        <Problem problem={problem.value} />
        <div class="dialog-actions">
          <button type="button" class="secondary" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" data-testid="settings-save" aria-busy={isBusy.value}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
