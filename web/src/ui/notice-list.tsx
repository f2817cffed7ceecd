import type { Notices } from "../state/notices";
import { Icon } from "./icon";

/** What went wrong lately or was done, over the page, until it is dismissed. */
export function NoticeList({ notices }: { notices: Notices }) {
  return (
    <div class="notices" role="alert">
      {notices.shown.value.map(({ key, kind, text, code }) => (
        <div
          key={key}
          class="notice"
          data-kind={kind}
          data-testid={kind === "error" ? "error-notice" : "notice"}
          data-code={code}
        >
          <Icon name={kind === "error" ? "warning" : "check"} />
          <p>{text}</p>
          <button
            type="button"
            class="quiet square"
            aria-label="Dismiss"
            data-testid="notice-dismiss"
            onClick={() => notices.dismiss(key)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
