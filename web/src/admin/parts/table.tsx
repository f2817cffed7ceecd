import type { ComponentChildren } from "preact";

export interface Column<T> {
  readonly label: string;
  readonly cell: (row: T) => ComponentChildren;
  /**
   * `number`: right; `wide`: a line of its own in a card; `minor` and `lesser`: left out where there is little room,
   * since the detail has it, too.
   */
  readonly kind?: "number" | "minor" | "lesser" | "wide" | "actions";
}

interface TableProps<T> {
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  selected?: string | null;
  testId: string;
  isBusy?: boolean;
}

/**
 * A table, or cards where it would be too narrow. The roles are said explicitly, because a browser forgets them when
 * a table is not laid out as one.
 */
export function Table<T>({ caption, columns, rows, keyOf, selected, testId, isBusy = false }: TableProps<T>) {
  return (
    <table role="table" data-testid={testId} aria-busy={isBusy}>
      <caption class="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ label, kind }) => (
            <th key={label} role="columnheader" scope="col" class={kind}>
              {kind === "actions" ? <span class="sr-only">{label}</span> : label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row" data-key={keyOf(row)} data-selected={keyOf(row) === selected || undefined}>
            {columns.map(({ label, kind, cell }, index) =>
              index === 0 ? (
                <th key={label} role="rowheader" scope="row" class={kind}>
                  {cell(row)}
                </th>
              ) : (
                <td key={label} role="cell" class={kind} data-label={label}>
                  {cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
