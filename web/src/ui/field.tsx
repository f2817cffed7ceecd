interface FieldProps {
  testId: string;
  name: string;
  label: string;
  /** A few words beside the label. */
  note?: string;
  type?: "text" | "email";
  autoComplete: string;
  required?: boolean;
  /** The id of what is read with it. */
  describedBy?: string;
}

/** A line of text with its label. */
export function Field({
  testId,
  name,
  label,
  note,
  type = "text",
  autoComplete,
  required = false,
  describedBy,
}: FieldProps) {
  return (
    <label class="field">
      <span>
        {label} {note !== undefined && <small>{note}</small>}
      </span>
      <input
        data-testid={testId}
        name={name}
        {...(type === "email" ? { type } : { type })}
        autoComplete={autoComplete}
        required={required}
        aria-describedby={describedBy}
        autoCapitalize="none"
        spellcheck={false}
      />
    </label>
  );
}
