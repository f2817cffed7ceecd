import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { asFailure } from "../wire/failure";
import { type Action, asked, tell } from "../state/action";
import { counted } from "../words/number";
import { failureText } from "../words/ending";
import { Problem } from "./problem";

const REASON_MAX = 200;

/** Asks for a reason, and for the number of those concerned where there are many, before anything is done. */
export function ActionDialog({ action }: { action: Action }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isBusy = useSignal(false);
  const problem = useSignal<{ code: string; text: string } | null>(null);
  const toConfirm = useSignal<number | undefined>(undefined);

  useEffect(() => {
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  useEffect(() => {
    if (toConfirm.value !== undefined) dialog.current?.querySelector<HTMLElement>("[name=confirm]")?.focus();
  }, [toConfirm.value]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value) return;
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const reason = String(fields.get("reason") ?? "").trim();
    if (reason === "") return void (problem.value = { code: "REASON_REQUIRED", text: "Say why, please." });
    const typed = toConfirm.value === undefined ? undefined : numberIn(String(fields.get("confirm") ?? ""));
    if (typed !== toConfirm.value) {
      return void (problem.value = { code: "CONFIRMATION_REQUIRED", text: `Type ${toConfirm.value} to confirm.` });
    }
    isBusy.value = true;
    problem.value = null;
    try {
      const done = await action.run(reason, fields, typed);
      dialog.current?.close();
      tell(done);
      action.onDone?.();
    } catch (thrown) {
      const failure = asFailure(thrown);
      const { sockets } = failure.details;
      if (failure.code === "CONFIRMATION_REQUIRED" && typeof sockets === "number") toConfirm.value = sockets;
      else problem.value = { code: failure.code, text: failureText(failure) };
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <dialog ref={dialog} class="action" aria-labelledby="action-title" data-testid="action" onClose={close}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <h2 id="action-title">{action.title}</h2>
        <p class="action-text">{action.text}</p>
        {action.fields}
        <label class="field">
          <span>
            Reason <small>kept in the audit log</small>
          </span>
          <input name="reason" data-testid="reason" data-first maxLength={REASON_MAX} autoComplete="off" required />
        </label>
        {toConfirm.value !== undefined && (
          <label class="field confirm">
            <span>
              This is about <strong>{counted(toConfirm.value, "socket")}</strong>. Type {toConfirm.value} to confirm.
            </span>
            <input name="confirm" data-testid="confirm" inputMode="numeric" autoComplete="off" required />
          </label>
        )}
        <Problem problem={problem.value} />
        <div class="action-buttons">
          <button type="button" class="secondary" data-testid="action-cancel" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={action.isDanger ? "danger" : "primary"}
            data-testid="action-submit"
            aria-busy={isBusy.value}
          >
            {action.verb}
          </button>
        </div>
      </form>
    </dialog>
  );
}

function close(): void {
  asked.value = null;
}

/** A number as people write it, with or without separators. */
function numberIn(text: string): number {
  return Number(text.replace(/[\s,.]/g, "") || NaN);
}
