import type { Signal } from "@preact/signals";
import type { Visibility } from "roomkey";

export function VisibilityField({ value }: { value: Signal<Visibility> }) {
  return (
    <label class="field">
      <span>Who may come in</span>
      <select
        data-testid="channel-visibility"
        value={value}
        onChange={(event) => (value.value = event.currentTarget.value as Visibility)}
      >
        <option value="public">Public: everybody may join</option>
        <option value="private">Private: by invitation</option>
      </select>
    </label>
  );
}
