import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface PageProps {
  title: string;
  tools?: ComponentChildren;
  detail?: ComponentChildren;
  children: ComponentChildren;
}

/** What a page of its name looks like: a heading, what can be done, the content, and a detail beside it. */
export function Page({ title, tools, detail, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Roomkey admin`;
    // Whoever came by a link hears where they are. At the first load the focus is the browser's.
    if (document.activeElement !== document.body || hasMoved) heading.current?.focus({ preventScroll: true });
    hasMoved = true;
    scrollTo(0, 0);
  }, [title]);
  return (
    <div class="page" data-detail={Boolean(detail) || undefined}>
      <div class="page-content">
        <header class="page-header">
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          <div class="tools">{tools}</div>
        </header>
        {children}
      </div>
      {detail}
    </div>
  );
}

let hasMoved = false;

/** The next page takes the focus: what had it until now is going. */
export function moveOn(): void {
  hasMoved = true;
}
