import { Failure, readFailure, unreachable } from "../../wire/failure";

export type Method = "GET" | "POST" | "DELETE";

/** A failure that the admin API answered: its HTTP status, and whatever else stands in the answer. */
export class Refusal extends Failure {
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(failure: Failure, status: number, details: Readonly<Record<string, unknown>>) {
    super(failure.code, failure.message, failure.retry, failure.retryAfterMs);
    this.status = status;
    this.details = details;
  }
}

/** One request to the admin API. Throws a `Failure`, which is a `Refusal` where the server answered. */
export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  // No other site can make a browser send this header without being asked first.
  if (method !== "GET") headers.set("X-Roomkey-Admin", "1");
  if (body !== undefined) headers.set("Content-Type", "application/json");

  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw unreachable();
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response, answer);
  return answer as T;
}

function refusal(response: Response, answer: unknown): Refusal {
  const { status } = response;
  const said = readFailure(answer);
  const isLater = status >= 500 || status === 429;
  const code = said?.code ?? "UNEXPECTED";
  const message = said?.message ?? `The server answered with status ${status}.`;
  const retryAfterMs = said?.retryAfterMs ?? inMilliseconds(response.headers.get("Retry-After"));
  const failure = new Failure(code, message, said?.retry ?? (isLater ? "after" : "never"), retryAfterMs);
  return new Refusal(failure, status, isRecord(answer) ? answer : {});
}

function inMilliseconds(seconds: string | null): number | undefined {
  return seconds !== null && /^\d+$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
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
