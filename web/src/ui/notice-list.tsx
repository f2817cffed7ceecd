import type { Notices } from "../chat/notices";
import { Icon } from "./icon";

/** What went wrong lately, over the page, until it is dismissed. */
export function NoticeList({ notices }: { notices: Notices }) {
  return (
    <div class="notices" role="alert">
      {notices.shown.value.map(({ key, failure }) => (
        <div key={key} class="notice" data-testid="error-notice" data-code={failure.code}>
          <Icon name="warning" />
          <p>{failure.message}</p>
          <button
            type="button"
            class="quiet"
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
