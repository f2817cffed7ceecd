import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "./icon";

const PAUSE_MS = 250;

interface SearchProps {
  label: string;
  placeholder: string;
  value: string;
  onSearch: (text: string) => void;
}

/** Searches when the typing pauses, and at once on Enter. */
export function Search({ label, placeholder, value, onSearch }: SearchProps) {
  const text = useSignal(value);
  const searched = useRef(value);
  // What it does when the pause is over is up to where one is then.
  const latest = useRef(onSearch);
  latest.current = onSearch;
  const search = (wanted: string) => {
    searched.current = wanted;
    latest.current(wanted);
  };
  useEffect(() => {
    // Back and links change it from outside. What one is typing meanwhile stays.
    if (value !== searched.current) text.value = searched.current = value;
  }, [value]);
  useEffect(() => {
    if (text.value.trim() === value) return;
    const timer = setTimeout(() => search(text.value.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text.value]);
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        search(text.value.trim());
      }}
    >
      <Icon name="search" />
      <input
        type="search"
        data-testid="search"
        aria-label={label}
        placeholder={placeholder}
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        autoComplete="off"
        autoCapitalize="none"
        spellcheck={false}
      />
    </form>
  );
}
