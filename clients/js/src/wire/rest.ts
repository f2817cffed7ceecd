import { asFailure, readFailure, RoomkeyError } from "./failure.js";

export type Method = "GET" | "POST" | "DELETE" | "PATCH";

/** One request to the server's HTTP API. Throws a `RoomkeyError` for every answer but 2xx. */
export async function request<T>(
  fetch: typeof globalThis.fetch,
  url: string,
  method: Method,
  options: { token?: string | undefined; body?: unknown; withCookies?: boolean } = {},
): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers["content-type"] = "application/json";
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  const init: RequestInit = { method, headers, body, ...(options.withCookies && { credentials: "include" }) };
  const response = await fetch(url, init).catch((thrown: unknown) => {
    throw asFailure(thrown);
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw readFailure(answer) ?? unknownAnswer(response);
  return answer as T;
}

/** The page of a proxy, or a path that this server does not have. */
function unknownAnswer({ status, headers }: Response): RoomkeyError {
  const seconds = Number(headers.get("retry-after") ?? NaN);
  const retry = status >= 500 || status === 429 ? "after" : "never";
  const wait = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  return new RoomkeyError("UNEXPECTED", `The server answered with status ${status}.`, retry, wait);
}
