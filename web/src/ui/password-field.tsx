import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";

interface PasswordFieldProps {
  name: string;
  label: string;
  note?: string;
  autoComplete: "current-password" | "new-password";
}

/** A password with a button that shows it. */
export function PasswordField({ name, label, note, autoComplete }: PasswordFieldProps) {
  const isShown = useSignal(false);
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label} {note !== undefined && <small>{note}</small>}
      </label>
      <div class="password">
        <input
          id={id}
          data-testid={name}
          name={name}
          {...(isShown.value ? { type: "text" as const } : { type: "password" as const })}
          autoComplete={autoComplete}
          required
          autoCapitalize="none"
          spellcheck={false}
        />
        <button
          type="button"
          class="link"
          aria-pressed={isShown.value}
          aria-label={`Show: ${label}`}
          onClick={() => (isShown.value = !isShown.value)}
        >
          {isShown.value ? "Hide" : "Show"}
        </button>
      </div>
    </div>
  );
}
