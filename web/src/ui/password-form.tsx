import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type Logins, RoomkeyError } from "roomkey";
import { problemOf } from "../state/chat";
import { passwordText } from "../words/refusals";
import { PasswordField } from "./password-field";
import { Problem } from "./problem";

/** Changes the password; folded away until it is wanted. */
export function PasswordForm({ logins, onChanged }: { logins: Logins; onChanged: () => void }) {
  const details = useRef<HTMLDetailsElement>(null);
  const isBusy = useSignal(false);
  const problem = useSignal<{ text: string; code: string } | null>(null);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (isBusy.value || !(form instanceof HTMLFormElement)) return;
    const fields = new FormData(form);
    isBusy.value = true;
    problem.value = null;
    try {
      await logins.changePassword(String(fields.get("current")), String(fields.get("next")));
      form.reset();
      if (details.current !== null) details.current.open = false;
      onChanged();
    } catch (thrown) {
      const { text, code } = problemOf(thrown);
      problem.value = { text: thrown instanceof RoomkeyError ? passwordText(thrown) : text, code };
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <details ref={details} class="password-change">
      <summary data-testid="password-open">Change password</summary>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <PasswordField name="current" label="Current password" autoComplete="current-password" />
        <PasswordField name="next" label="New password" note="8 characters or more" autoComplete="new-password" />
        <Problem problem={problem.value} />
        <div class="dialog-actions">
          <button type="submit" class="primary" data-testid="password-submit" aria-busy={isBusy.value}>
            Change password
          </button>
        </div>
      </form>
    </details>
  );
}
