import type { Account } from "../wire/user";

/** What survives a reload of this tab: enough to connect again, not enough to stay for ever. */
export interface Saved {
  readonly token: string;
  readonly user: Account;
}

const KEY = "roomkey.session";

/*
 * Per tab, so that two tabs can be two users. The refresh token is left out on purpose: a duplicated tab copies
 * this storage, and a refresh token used by two tabs looks like a stolen one and ends the session of both.
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
