import type { Account } from "../wire/user";

/** What survives a reload of this tab. */
export interface Saved {
  readonly token?: string | undefined;
  readonly refreshToken?: string | undefined;
  readonly user: Account;
}

/** Whose refresh token the tab was opened with: its own, or that of the tab it is a copy of. */
export type Claim = "ours" | "theirs" | "unknown";

const KEY = "roomkey.session";
const OWNER = "roomkey.owner";

/*
 * Per tab, so that two tabs can be two users. A duplicated tab copies this storage, and a refresh token used by two
 * tabs looks like a stolen one and ends the session of both: so each tab holds a lock for as long as it lives, and a
 * copy finds that it is taken. Without locks the refresh token is not saved.
 */

export function load(): Saved | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

export function save(saved: Saved | undefined): void {
  try {
    if (saved === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify(saved));
  } catch {
    // Storage is switched off: the session then ends with the page.
  }
}

/** Makes this tab the owner of what is saved in it, or says that another one is. */
export async function claim(): Promise<Claim> {
  try {
    const owner = sessionStorage.getItem(OWNER) ?? crypto.randomUUID();
    const ours = await hold(owner);
    const own = ours ? owner : crypto.randomUUID();
    sessionStorage.setItem(OWNER, own);
    if (!ours) await hold(own);
    return ours ? "ours" : "theirs";
  } catch {
    return "unknown";
  }
}

/** Takes the lock of this name until the tab is closed; false if another tab has it. */
function hold(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const held = (lock: Lock | null) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => undefined);
    };
    navigator.locks.request(`${OWNER}.${name}`, { ifAvailable: true }, held).catch(reject);
  });
}
