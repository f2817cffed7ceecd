const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** 1,204 */
export function whole(value: number): string {
  return WHOLE.format(value);
}

/** 0.42, 17.3, 1,204: no more digits than mean something. */
export function fine(value: number): string {
  return Math.abs(value) >= 100 ? WHOLE.format(value) : FINE.format(value);
}

/** 48.2 MiB */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), BYTES.length - 1);
  return `${fine(value / 1024 ** power)} ${BYTES[power]}`;
}

/** 0.4 ms, 1.2 s */
export function milliseconds(value: number): string {
  return value >= 1_000 ? `${fine(value / 1_000)} s` : `${fine(value)} ms`;
}

/** 1 socket, 2 sockets */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
