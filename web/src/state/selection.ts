import { signal } from "@preact/signals";

const INVITE = "invite/";

/** What the address says: the channel on screen, to which a reload comes back and which "back" leaves; or an invite. */
export class Selection {
  readonly channelId = signal<string | null>(null);
  readonly invite = signal<string | null>(null);
  readonly #onChange = () => this.#read();

  constructor() {
    addEventListener("hashchange", this.#onChange);
    this.#read();
  }

  select(channelId: string | null): void {
    // An invite that was followed is not to be followed again on the way back.
    if (this.invite.peek() !== null) history.replaceState(null, "", addressOf(channelId));
    else location.hash = addressOf(channelId);
    this.#read();
  }

  close(): void {
    removeEventListener("hashchange", this.#onChange);
  }

  #read(): void {
    const text = fromAddress();
    const isInvite = text?.startsWith(INVITE) ?? false;
    this.invite.value = isInvite ? (text?.slice(INVITE.length) ?? null) : null;
    this.channelId.value = isInvite ? null : text;
  }
}

/** The address that brings somebody into a channel. */
export function inviteAddress(invite: string): string {
  return `${location.origin}${location.pathname}#/${INVITE}${encodeURIComponent(invite)}`;
}

function addressOf(channelId: string | null): string {
  return channelId === null ? "#" : `#/${encodeURIComponent(channelId)}`;
}

function fromAddress(): string | null {
  try {
    return decodeURIComponent(location.hash.slice("#/".length)) || null;
  } catch {
    return null;
  }
}
