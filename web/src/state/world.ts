import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** A signal of something outside; `begin` calls back at each change for as long as somebody reads it. */
function outside<T>(read: () => T, begin: (changed: () => void) => () => void): ReadonlySignal<T> {
  let end = () => {};
  const made: Signal<T> = signal(read(), {
    watched() {
      end = begin(() => (made.value = read()));
      made.value = read();
    },
    unwatched: () => end(),
  });
  return made;
}

function onEvents(target: EventTarget, names: readonly string[]): (changed: () => void) => () => void {
  return (changed) => {
    for (const name of names) target.addEventListener(name, changed);
    return () => {
      for (const name of names) target.removeEventListener(name, changed);
    };
  };
}

/** The time, to the second. */
export const now = outside(Date.now, (changed) => {
  const timer = setInterval(changed, 1_000);
  return () => clearInterval(timer);
});

/** Whether the device has a network, as far as it knows. */
export const isOnline = outside(() => navigator.onLine, onEvents(globalThis, ["online", "offline"]));

/** Whether the user has this page before them. */
export const isLooking = outside(
  () => document.visibilityState === "visible" && document.hasFocus(),
  onEvents(globalThis, ["focus", "blur", "visibilitychange", "pageshow"]),
);
