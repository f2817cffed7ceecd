import { signal } from "@preact/signals";

const TICK_MS = 1_000;

/** How far the server's clock is ahead of this one. */
let ahead = 0;

/** The server's time, in milliseconds since 1970; goes on every second. */
export const now = signal(Date.now());

setInterval(() => (now.value = Date.now() + ahead), TICK_MS);

/** Takes the server's word for what time it is. */
export function setClock(serverTime: string): void {
  const time = Date.parse(serverTime);
  if (Number.isNaN(time)) return;
  ahead = time - Date.now();
  now.value = time;
}
