import type { Listing } from "../state/listing";
import { failureText } from "../words/ending";
import { whole } from "../words/number";
import { Icon } from "./icon";
import { type Column, Table } from "./table";

interface ListProps<T> {
  listing: Listing<T>;
  caption: string;
  columns: readonly Column<T>[];
  keyOf: (row: T) => string;
  selected?: string | null;
  testId: string;
  /** What to say when there is nothing. */
  empty: string;
  /** What is counted: `connections`. */
  noun: string;
  pageSize: number;
}

/** One page of a list with the ways to the others, or why there is none. */
export function List<T>({ listing, caption, columns, keyOf, selected, testId, empty, noun, pageSize }: ListProps<T>) {
  const failure = listing.failure.value;
  const items = listing.items.value;
  const first = (listing.number.value - 1) * pageSize + 1;
  return (
    <section class="list" aria-label={caption}>
      {failure !== null && (
        <div class="list-failure" role="alert">
          <p data-testid="problem" data-code={failure.code}>
            {failureText(failure)}
          </p>
          <button type="button" class="secondary" onClick={() => void listing.reload()}>
            Try again
          </button>
        </div>
      )}
      {listing.isFirst.value && <Waiting />}
      {items.length > 0 && (
        <Table
          caption={caption}
          columns={columns}
          rows={items}
          keyOf={keyOf}
          selected={selected ?? null}
          testId={testId}
          isBusy={listing.isLoading.value}
        />
      )}
      {items.length === 0 && !listing.isFirst.value && failure === null && (
        <p class="empty" data-testid="empty">
          {empty}
        </p>
      )}
      <nav class="pager" aria-label={`Pages of ${noun}`}>
        <p data-testid="range" aria-live="polite">
          {items.length > 0 && (
            <>
              <b>
                {whole(first)}–{whole(first + items.length - 1)}
              </b>{" "}
              of <b>{whole(listing.total.value)}</b> {noun}
            </>
          )}
        </p>
        <button
          type="button"
          class="secondary"
          data-testid="previous"
          aria-disabled={!listing.hasPrevious.value}
          onClick={() => void listing.previous()}
        >
          <Icon name="left" /> Previous
        </button>
        <button
          type="button"
          class="secondary"
          data-testid="next"
          aria-disabled={!listing.hasNext.value}
          onClick={() => void listing.next()}
        >
          Next <Icon name="right" />
        </button>
      </nav>
    </section>
  );
}

/** The shape of what will be there. */
export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="sr-only">Loading…</span>
      {Array.from({ length: 6 }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}
