import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Failure } from "../wire/failure";
import { go } from "../state/route";
import { failureText } from "../words/ending";
import { Icon } from "./icon";
import { Waiting } from "./list";

interface DetailProps {
  /** Of what this is the detail: another one gets the focus anew. */
  of: string;
  title: ComponentChildren;
  /** Where closing leads. */
  back: string;
  failure: Failure | null;
  isLoading: boolean;
  children: ComponentChildren;
}

/** Everything about one row, beside the list; on a phone in place of it. */
export function Detail({ of, title, back, failure, isLoading, children }: DetailProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    heading.current?.focus();
    return () => requestAnimationFrame(() => focusRow(of));
  }, [of]);
  // Where the focus was is gone, such as a button of a socket that is: without it, no key would reach the detail.
  useLayoutEffect(() => {
    if (focused.current?.isConnected === false && document.activeElement === document.body) heading.current?.focus();
  });
  return (
    <aside
      class="detail"
      aria-labelledby="detail-title"
      data-testid="detail"
      onFocusIn={(event) => (focused.current = event.target as Element)}
      onKeyDown={(event) => {
        if (event.key === "Escape") go(back);
      }}
    >
      <header>
        <h2 id="detail-title" ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <a class="button quiet square" href={back} aria-label="Close" data-testid="detail-close">
          <Icon name="close" />
        </a>
      </header>
      {failure !== null ? (
        <p class="empty" role="alert" data-code={failure.code}>
          {failureText(failure)}
        </p>
      ) : isLoading ? (
        <Waiting />
      ) : (
        children
      )}
    </aside>
  );
}

/** Back to where the detail was opened from, unless another one is open now, or the row is gone. */
function focusRow(key: string): void {
  if (document.querySelector(".detail") !== null) return;
  document.querySelector<HTMLElement>(`tr[data-key="${CSS.escape(key)}"] a`)?.focus();
}

interface FactsProps {
  facts: readonly (readonly [label: string, value: ComponentChildren])[];
}

/** Names and values. */
export function Facts({ facts }: FactsProps) {
  return (
    <dl class="facts">
      {facts.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
