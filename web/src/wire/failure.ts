/** What a client should do about a failure, in the server's words. */
export type Retry = "never" | "refresh" | "after";

/**
 * A refusal or a breakdown: a stable code, a text for people, and what to do about it.
 *
 * Besides the server's codes there are four of this page's own: `UNREACHABLE` (no answer at all), `NO_ANSWER`
 * (no ack in time), `DISCONNECTED` (the server ended the connection without a reason) and `UNEXPECTED` (an
 * answer that is not in the contract).
 */
export class Failure extends Error {
  readonly code: string;
  readonly retry: Retry;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, retry: Retry = "never", retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retry = retry;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same attempt may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.retry === "after";
  }
}

/** No answer came: the server is down or the network is. */
export function unreachable(): Failure {
  return new Failure("UNREACHABLE", "The server cannot be reached.", "after");
}

/**
 * Reads the failure out of a REST body `{message, code, …}`, an ack `{error, code, …}` or the `data` of a
 * connect error. Undefined where there is no code in it.
 */
export function readFailure(body: unknown, message = "The server refused."): Failure | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { code, retry, retryAfterMs, ...rest } = body as Record<string, unknown>;
  if (typeof code !== "string") return undefined;
  const text = [rest["message"], rest["error"], rest["reason"]].find((value) => typeof value === "string");
  return new Failure(
    code,
    text ?? message,
    retry === "refresh" || retry === "after" ? retry : "never",
    typeof retryAfterMs === "number" ? retryAfterMs : undefined,
  );
}

/** Whatever was thrown, as a failure that can be shown. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure("UNEXPECTED", "Something went wrong in this page.");
}
