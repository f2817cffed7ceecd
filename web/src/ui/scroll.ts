import { useSignal, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Timeline } from "../chat/timeline";

const END_PX = 48;
const NEAR_TOP_PX = 240;

interface Scroll {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly isAtEnd: Signal<boolean>;
  readonly toEnd: () => void;
}

/**
 * Keeps a list of messages where its reader wants it: at the end as long as it was there, at the same message
 * when older ones appear above. Calls `onTop` when the reader nears the top.
 */
export function useScroll(timeline: Timeline, onTop: () => void): Scroll {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isAtEnd = useSignal(true);
  const seen = useRef({
    height: 0,
    oldest: undefined as number | undefined,
    lastOutgoing: undefined as string | undefined,
  });

  const toEnd = () => {
    isAtEnd.value = true;
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  };
  const onScroll = () => {
    if (box.current === null) return;
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    isAtEnd.value = scrollHeight - scrollTop - clientHeight < END_PX;
    if (scrollTop < NEAR_TOP_PX) onTop();
  };

  useLayoutEffect(() => {
    if (box.current === null) return;
    const { height, oldest, lastOutgoing } = seen.current;
    const now = {
      height: box.current.scrollHeight,
      oldest: timeline.messages[0]?.seq,
      lastOutgoing: timeline.outgoing.at(-1)?.clientId,
    };
    seen.current = now;
    const wroteSomething = now.lastOutgoing !== undefined && now.lastOutgoing !== lastOutgoing;
    if (isAtEnd.peek() || wroteSomething) toEnd();
    else if (now.oldest !== oldest) box.current.scrollTop += now.height - height;
    onScroll();
  }, [timeline]);

  useEffect(() => {
    if (box.current === null || content.current === null) return;
    box.current.addEventListener("scroll", onScroll, { passive: true });
    // The window, the composer or a message changes its height.
    const observer = new ResizeObserver(() => {
      if (isAtEnd.peek()) toEnd();
    });
    observer.observe(box.current);
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  return { box, content, isAtEnd, toEnd };
}
