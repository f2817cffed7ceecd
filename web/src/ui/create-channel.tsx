import { useSignal } from "@preact/signals";
import type { Chat } from "../chat/chat";
import type { Visibility } from "../wire/channel";
import { Icon } from "./icon";

export function CreateChannel({ chat }: { chat: Chat }) {
  const name = useSignal("");
  const visibility = useSignal<Visibility>("public");
  const isBusy = useSignal(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = name.value.trim();
    if (wanted === "" || isBusy.value) return;
    isBusy.value = true;
    if (await chat.attempt(() => chat.create(wanted, visibility.value))) name.value = "";
    isBusy.value = false;
  };

  return (
    <form class="create-channel" onSubmit={(event) => void submit(event)} aria-labelledby="create-title">
      <h2 id="create-title">New channel</h2>
      <div class="row">
        <input
          data-testid="channel-name"
          aria-label="Name of the new channel"
          placeholder="Name"
          autoComplete="off"
          value={name}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <select
          data-testid="channel-visibility"
          aria-label="Who can join"
          value={visibility}
          onChange={(event) => (visibility.value = event.currentTarget.value === "private" ? "private" : "public")}
        >
          <option value="public">Public</option>
          <option value="private">Private</option>
        </select>
        <button
          type="submit"
          class="primary square"
          data-testid="create-channel"
          aria-label="Create channel"
          title="Create channel"
        >
          <Icon name="plus" />
        </button>
      </div>
    </form>
  );
}
