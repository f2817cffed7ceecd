import type { Clock } from "./platform.js";
import { RoomkeyError } from "./wire/failure.js";

/** What `task` gives, or a failure that may pass where it takes too long. */
export async function soon<T>(clock: Clock, ms: number, task: () => Promise<T>): Promise<T> {
  let forget = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    forget = clock.after(ms, () => reject(new RoomkeyError("NO_ANSWER", "It took too long.", "after")));
  });
  try {
    return await Promise.race([task(), tooLate]);
  } finally {
    forget();
  }
}
