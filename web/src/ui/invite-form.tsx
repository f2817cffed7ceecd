import { useSignal } from "@preact/signals";
import type { Invitee } from "roomkey";

/** Asks whom to add; `onInvite` tells whether it worked. */
export function InviteForm({ onInvite }: { onInvite: (who: Invitee) => Promise<boolean> }) {
  const who = useSignal("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = who.value.trim();
    if (name !== "" && (await onInvite(inviteeOf(name)))) who.value = "";
  };
  return (
    <form class="row" onSubmit={(event) => void submit(event)}>
      <input
        data-testid="invite-name"
        aria-label="Username or user id"
        placeholder="Username or user id"
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
        value={who}
        onInput={(event) => (who.value = event.currentTarget.value)}
      />
      <button type="submit" class="primary" data-testid="invite-submit">
        Add
      </button>
    </form>
  );
}

const ID = /[:|]|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whom a text names: a user id (a UUID, or with an issuer's mark in it) or a user name. */
function inviteeOf(text: string): Invitee {
  return ID.test(text) ? { userId: text } : { username: text };
}
