import { useEffect } from "preact/hooks";
import { isLookedAt } from "../state/activity";
import { asked } from "../state/action";
import { useAdmin } from "../state/admin";
import type { Listing } from "../state/listing";

/** Not more often than this. */
const PAUSE_MS = 3_000;

/** Loads the first page of a list anew when the server has other numbers than when it was loaded. */
export function useRenewed<T>(listing: Listing<T>, key: string): void {
  const admin = useAdmin();
  useEffect(() => {
    let loadedFor = numbers(admin.latest.peek());
    let loadedAt = Date.now();
    return admin.latest.subscribe((sample) => {
      if (numbers(sample) === loadedFor || Date.now() - loadedAt < PAUSE_MS) return;
      const isFree = asked.peek() === null && listing.number.peek() === 1 && !listing.isLoading.peek();
      if (!isFree || !isLookedAt()) return;
      loadedFor = numbers(sample);
      loadedAt = Date.now();
      void listing.reload();
    });
  }, [key]);
}

function numbers(sample: { sockets: number; users: number; rooms: number } | null): string {
  return sample === null ? "" : `${sample.sockets} ${sample.users} ${sample.rooms}`;
}
