/** What to do about a failure, in the server's words. */
export type Retry = "never" | "refresh" | "after";

/** The codes of the server: the same in `connect_error`, in acks and over HTTP. */
export const SERVER_CODES = [
  "API_KEY_INVALID",
  "AUTH_TIMEOUT",
  "BACKEND_FAILED",
  "BACKEND_REFUSED",
  "BACKEND_TIMEOUT",
  "BAD_PAYLOAD",
  "CHANNEL_ARCHIVED",
  "CONFIRMATION_REQUIRED",
  "CONFLICT",
  "FORBIDDEN",
  "INSUFFICIENT_SCOPE",
  "INTERNAL",
  "INVALID_CREDENTIALS",
  "LAST_OWNER",
  "LIMIT_EXCEEDED",
  "METHOD_NOT_ALLOWED",
  "NOT_FOUND",
  "ORIGIN_DENIED",
  "PAYLOAD_TOO_LARGE",
  "PRINCIPAL_MISMATCH",
  "RATE_LIMITED",
  "REASON_REQUIRED",
  "REQUEST_TIMEOUT",
  "TOKEN_AMBIGUOUS",
  "TOKEN_EXPIRED",
  "TOKEN_INVALID",
  "TOKEN_MISSING",
  "TOKEN_REVOKED",
  "UNAVAILABLE",
  "UNSUPPORTED_MEDIA_TYPE",
] as const;

/**
 * The codes of this package: `CLOSED` (the client was closed), `DISCONNECTED` (the server ended the connection and gave
 * no reason), `NO_ANSWER` (no ack in time), `QUEUE_FULL` (too much waits to be sent), `UNEXPECTED` (an answer that is
 * not in the contract), `UNREACHABLE` (there is no connection).
 */
export type LocalCode = "CLOSED" | "DISCONNECTED" | "NO_ANSWER" | "QUEUE_FULL" | "UNEXPECTED" | "UNREACHABLE";

/** A stable code. A newer server may have more than this package knows. */
export type Code = (typeof SERVER_CODES)[number] | LocalCode | (string & {});

/** A refusal or a breakdown: a code for programs, a text for people, and what to do about it. */
export class RoomkeyError extends Error {
  override readonly name = "RoomkeyError";
  readonly code: Code;
  readonly retry: Retry;
  /** How long to wait, where `retry` is `after` and the server said it. */
  readonly retryAfterMs: number | undefined;
  /** Why a session was ended (`auth:revoked`): `logged_out`, `blocked`, ... */
  readonly reason: string | undefined;

  constructor(code: Code, message: string, retry: Retry = "never", retryAfterMs?: number, reason?: string) {
    super(message);
    this.code = code;
    this.retry = retry;
    this.retryAfterMs = retryAfterMs;
    this.reason = reason;
  }

  /** Whether the same attempt may succeed later without anybody changing anything. */
  get isTransient(): boolean {
    return this.retry === "after";
  }

  /** Whether only another login helps. */
  get needsLogin(): boolean {
    return this.code.startsWith("TOKEN_") || this.code === "PRINCIPAL_MISMATCH" || this.code === "INVALID_CREDENTIALS";
  }
}

export function unreachable(): RoomkeyError {
  return new RoomkeyError("UNREACHABLE", "The server cannot be reached.", "after");
}

export function closed(): RoomkeyError {
  return new RoomkeyError("CLOSED", "The client was closed.");
}

export function tokenMissing(): RoomkeyError {
  return new RoomkeyError("TOKEN_MISSING", "Nobody is logged in.");
}

/**
 * The failure in the body of an HTTP answer (`{message, code, ...}`), in an ack (`{error, code, ...}`), in `auth:revoked`
 * or in the `data` of a `connect_error`. Undefined where there is no code in it.
 */
export function readFailure(body: unknown, message = "The server refused."): RoomkeyError | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { code, retry, retryAfterMs, reason, message: inBody, error } = body as Record<string, unknown>;
  if (typeof code !== "string") return undefined;
  return new RoomkeyError(
    code,
    [inBody, error].find((text) => typeof text === "string") ?? message,
    retry === "refresh" || retry === "after" ? retry : "never",
    typeof retryAfterMs === "number" ? retryAfterMs : undefined,
    typeof reason === "string" ? reason : undefined,
  );
}

/** Whatever was thrown on the way to a token or an answer: what is no refusal is a breakdown, and may pass. */
export function asFailure(thrown: unknown): RoomkeyError {
  if (thrown instanceof RoomkeyError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new RoomkeyError("UNREACHABLE", text, "after");
}
