import { useSignal, type Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

const END_PX = 48;
const NEAR_TOP_PX = 320;

interface Scroll {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly list: RefObject<HTMLOListElement | null>;
  readonly isAtEnd: Signal<boolean>;
  readonly toEnd: () => void;
}

interface Watched {
  /** Changes whenever what is in the list may have. */
  readonly content: readonly unknown[];
  /** Changes when the reader has written something. */
  readonly wrote: string | undefined;
  /** Where the reader goes on, once that is known: the element with this selector, or the end. */
  readonly begin: string | null;
  onTop(): void;
  /** Everything up to this element is, or was, on screen. */
  onSeen(last: HTMLElement): void;
}

/**
 * Keeps a list of messages where its reader wants it: at the end as long as it was there, and otherwise with the message
 * that is first on screen at its place, whatever is loaded, edited or removed around it.
 */
export function useScroll({ content, wrote, begin, onTop, onSeen }: Watched): Scroll {
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const isAtEnd = useSignal(true);
  const anchor = useRef<{ element: Element; top: number }>(undefined);
  const before = useRef({ wrote, begin: null as string | null });

  const look = () => {
    if (box.current === null || list.current === null) return;
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    isAtEnd.value = scrollHeight - scrollTop - clientHeight < END_PX;
    const [top, bottom] = [box.current.getBoundingClientRect().top, box.current.getBoundingClientRect().bottom];
    const items = list.current.children;
    const element = items[firstIndex(items, (item) => item.getBoundingClientRect().bottom > top)];
    anchor.current = element && { element, top: element.getBoundingClientRect().top - top };
    const last = items[firstIndex(items, (item) => item.getBoundingClientRect().bottom > bottom + END_PX / 2) - 1];
    if (last instanceof HTMLElement) onSeen(last);
    if (scrollTop < NEAR_TOP_PX) onTop();
  };
  const toEnd = () => {
    isAtEnd.value = true;
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  };
  const keepPlace = () => {
    const kept = anchor.current;
    if (box.current === null || !kept?.element.isConnected) return;
    const moved = kept.element.getBoundingClientRect().top - box.current.getBoundingClientRect().top - kept.top;
    if (moved !== 0) box.current.scrollTop += moved;
  };

  useLayoutEffect(() => {
    const hasWritten = wrote !== undefined && wrote !== before.current.wrote;
    const begins = begin !== null && begin !== before.current.begin ? list.current?.querySelector(begin) : null;
    before.current = { wrote, begin };
    if (begins) begins.scrollIntoView({ block: "start" });
    else if (isAtEnd.peek() || hasWritten) toEnd();
    else keepPlace();
    look();
  }, [...content, wrote, begin]);

  useEffect(() => {
    if (box.current === null || list.current === null) return;
    box.current.addEventListener("scroll", look, { passive: true });
    // The window, the composer or a message changes its height.
    const observer = new ResizeObserver(() => {
      if (isAtEnd.peek()) toEnd();
    });
    observer.observe(box.current);
    observer.observe(list.current);
    return () => observer.disconnect();
  }, []);

  return { box, list, isAtEnd, toEnd };
}

/** The index of the first item of which this is true, where it is true of all after it; otherwise their number. */
function firstIndex(items: HTMLCollection, isTrue: (item: Element) => boolean): number {
  let [from, to] = [0, items.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = items[middle];
    if (item !== undefined && isTrue(item)) to = middle;
    else from = middle + 1;
  }
  return from;
}
