import { useSignal } from "@preact/signals";

/** Asks whom to invite; `onInvite` tells whether it worked. */
export function InviteForm({ onInvite }: { onInvite: (who: string) => Promise<boolean> }) {
  const who = useSignal("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = who.value.trim();
    if (name !== "" && (await onInvite(name))) who.value = "";
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
        Invite
      </button>
    </form>
  );
}
