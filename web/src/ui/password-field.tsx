import { useSignal } from "@preact/signals";

/** A password with a button that shows it. */
export function PasswordField({ isNew }: { isNew: boolean }) {
  const isShown = useSignal(false);
  return (
    <div class="field">
      <label for="password">Password {isNew && <small>8 characters or more</small>}</label>
      <div class="password">
        <input
          id="password"
          data-testid="password"
          name="password"
          {...(isShown.value ? { type: "text" as const } : { type: "password" as const })}
          autoComplete={isNew ? "new-password" : "current-password"}
          required
          autoCapitalize="none"
          spellcheck={false}
        />
        <button
          type="button"
          class="link"
          aria-pressed={isShown.value}
          aria-label="Show password"
          onClick={() => (isShown.value = !isShown.value)}
        >
          {isShown.value ? "Hide" : "Show"}
        </button>
      </div>
    </div>
  );
}
