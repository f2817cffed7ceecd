import { signal } from "@preact/signals";

/** The channel on screen, kept in the address: a reload comes back to it, and "back" leaves it. */
export class Selection {
  readonly channelId = signal(fromAddress());
  readonly #onChange = () => (this.channelId.value = fromAddress());

  constructor() {
    addEventListener("hashchange", this.#onChange);
  }

  select(channelId: string | null): void {
    location.hash = channelId === null ? "" : `/${encodeURIComponent(channelId)}`;
    this.#onChange();
  }

  close(): void {
    removeEventListener("hashchange", this.#onChange);
  }
}

function fromAddress(): string | null {
  try {
    return decodeURIComponent(location.hash.slice("#/".length)) || null;
  } catch {
    return null;
  }
}
