/**
 * A refusal or a breakdown: a stable code and a text for people.
 *
 * Besides the server's codes there are two of this page's own: `UNREACHABLE` (no answer at all) and `UNEXPECTED` (an
 * answer that is not in the contract, or a fault of the page).
 */
export class Failure extends Error {
  readonly code: string;
  /** The HTTP status, where the server answered. */
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** Whatever else stands in the answer. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    answer: { status?: number; retryAfterMs?: number | undefined; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message);
    this.code = code;
    this.status = answer.status;
    this.retryAfterMs = answer.retryAfterMs;
    this.details = answer.details ?? {};
  }

  /** The server does not know the session any more. A wrong password has the same status. */
  get isSessionOver(): boolean {
    return this.status === 401 && this.code !== "INVALID_CREDENTIALS";
  }
}

/** No answer came: the server is down or the network is. */
export function unreachable(): Failure {
  return new Failure("UNREACHABLE", "The server cannot be reached.");
}

/** What an answer that is not a success says, in the server's words as far as there are any. */
export function refusal(status: number, retryAfter: string | null, answer: unknown): Failure {
  const details = isRecord(answer) ? answer : {};
  const { code, message, retryAfterMs } = details;
  return new Failure(
    typeof code === "string" ? code : "UNEXPECTED",
    typeof message === "string" ? message : `The server answered with status ${status}.`,
    {
      status,
      details,
      retryAfterMs: typeof retryAfterMs === "number" ? retryAfterMs : inMilliseconds(retryAfter),
    },
  );
}

/** Whatever was thrown, as a failure that can be shown. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure("UNEXPECTED", "Something went wrong in this page.");
}

function inMilliseconds(seconds: string | null): number | undefined {
  return seconds !== null && /^\d+$/.test(seconds) ? Number(seconds) * 1_000 : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
