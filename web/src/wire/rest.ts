import { Failure, readFailure, unreachable } from "./failure";

export type Method = "GET" | "POST" | "DELETE";

/** One request to the server's HTTP API. Throws a `Failure` for everything but a 2xx answer. */
export async function request<T>(
  method: Method,
  path: string,
  options: { token?: string | undefined; body?: unknown } = {},
): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (options.token !== undefined) headers.set("Authorization", `Bearer ${options.token}`);
  if (options.body !== undefined) headers.set("Content-Type", "application/json");

  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
    });
  } catch {
    throw unreachable();
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw readFailure(body) ?? unknownAnswer(response);
  return body as T;
}

/** A proxy's error page, or a route this server does not have. */
function unknownAnswer(response: Response): Failure {
  const retry = response.status >= 500 || response.status === 429 ? "after" : "never";
  return new Failure("UNEXPECTED", `The server answered with status ${response.status}.`, retry);
}
