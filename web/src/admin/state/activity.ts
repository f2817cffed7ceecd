/** Somebody who has touched nothing for so long is taken for away. */
const AWAY_MS = 120_000;

let lastTouch = Date.now();
for (const event of ["pointermove", "pointerdown", "keydown", "scroll", "focus"]) {
  addEventListener(event, () => (lastTouch = Date.now()), { passive: true, capture: true });
}

/**
 * Whether somebody looks at this page. Lists renew themselves only then: otherwise a page that was left open would
 * keep its login alive for ever.
 */
export function isLookedAt(): boolean {
  return document.visibilityState === "visible" && Date.now() - lastTouch < AWAY_MS;
}
