import { signal } from "@preact/signals";

/** Where in the admin page somebody is: `#/connections/SOCKET?user=ada`. */
export interface Route {
  readonly page: string;
  readonly id: string | null;
  readonly query: Readonly<Record<string, string>>;
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = split(hash.replace(/^#?\/?/, ""));
  const [page = "", ...rest] = path.split("/");
  const id = rest.length === 0 ? "" : decode(rest.join("/"));
  return {
    page: page || "overview",
    id: id === "" ? null : id,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** The link to a place; what is empty is left out. */
export function href(page: string, id?: string | null, query: Readonly<Record<string, string | undefined>> = {}) {
  const entries = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? "") !== "");
  const search = new URLSearchParams(entries).toString();
  const path = id === undefined || id === null ? page : `${page}/${encodeURIComponent(id)}`;
  return `#/${path}${search === "" ? "" : `?${search}`}`;
}

/** The route that the address bar shows. */
export const route = signal<Route>({ page: "overview", id: null, query: {} });

/** Follows the address bar from now on. */
export function followRoute(): void {
  const read = () => (route.value = parseRoute(location.hash));
  addEventListener("hashchange", read);
  read();
}

export function go(link: string): void {
  location.hash = link;
}

/** Another address for the same place: not a step that Back would lead to. */
export function replaceRoute(link: string): void {
  history.replaceState(null, "", link);
  route.value = parseRoute(link);
}

function split(text: string): [string, string] {
  const at = text.indexOf("?");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
