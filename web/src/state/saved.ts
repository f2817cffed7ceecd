import type { Grant, GrantStorage } from "roomkey";

const KEY = "roomkey.session";
const OWNER = "roomkey.owner";
/** A page that is reloaded still holds its lock for a moment. */
const CLAIM_WAIT_MS = 500;

/**
 * Where the login of this tab survives a reload: each tab has its own, so that two tabs can be two users. A tab that was
 * duplicated comes with a copy of the storage, and a refresh token that is used by two looks like a stolen one: so each
 * tab holds a lock for as long as it lives, and a copy, which finds it taken, begins without a login. Without locks
 * nothing is saved.
 */
export async function storageOfTab(): Promise<GrantStorage | undefined> {
  try {
    const owner = sessionStorage.getItem(OWNER);
    const isOurs = owner !== null && (await hold(owner));
    if (!isOurs) await begin();
    return { load, save };
  } catch {
    return undefined;
  }
}

async function begin(): Promise<void> {
  const owner = crypto.randomUUID();
  await hold(owner);
  sessionStorage.removeItem(KEY);
  sessionStorage.setItem(OWNER, owner);
}

function load(): Grant | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

function save(grant: Grant | null): void {
  if (grant === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(grant));
}

/** Takes the lock of this name until the tab is closed; false if another tab keeps it. */
function hold(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const forGood = () => {
      resolve(true);
      return new Promise(() => undefined);
    };
    const signal = AbortSignal.timeout(CLAIM_WAIT_MS);
    navigator.locks.request(`${OWNER}.${name}`, { signal }, forGood).catch((thrown: unknown) => {
      if (signal.aborted) resolve(false);
      else reject(thrown);
    });
  });
}
