import { refusal, unreachable } from "./failure";

export type Method = "GET" | "POST" | "DELETE";

/** One request to the admin API. Throws a `Failure` for everything but a 2xx answer. */
export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  // No other site can make a browser send this header without being asked first.
  if (method !== "GET") headers.set("X-Roomkey-Admin", "1");
  if (body !== undefined) headers.set("Content-Type", "application/json");

  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  } catch {
    throw unreachable();
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, response.headers.get("Retry-After"), answer);
  return answer as T;
}

/** `/api/rooms`, `/api/rooms?q=x`: what is empty is left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | null | undefined>>): string {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return text === "" ? path : `${path}?${text}`;
}

/** A path with what others named in it, each as one segment. */
export function pathOf(parts: TemplateStringsArray, ...names: readonly string[]): string {
  return String.raw({ raw: parts }, ...names.map(encodeURIComponent));
}
