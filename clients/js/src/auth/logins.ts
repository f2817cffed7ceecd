import type { Time } from "../wire/records.js";
import type { Method } from "../wire/rest.js";

/** A login of the user, on this device or another one. */
export interface Login {
  readonly id: string;
  /** What the device called itself when it logged in, or last exchanged a token. */
  readonly userAgent: string | null;
  readonly address: string | null;
  readonly createdAt: Time;
  readonly lastSeenAt: Time;
  readonly expiresAt: Time;
  /** Whether it is this one. */
  readonly current: boolean;
}

/** A request to the HTTP API in the name of who is logged in. */
export type OwnRequest = <T>(method: Method, path: string, body?: unknown) => Promise<T>;

/** The logins of a user of Roomkey's own accounts. */
export class Logins {
  readonly #request: OwnRequest;

  constructor(request: OwnRequest) {
    this.#request = request;
  }

  /** All of them, newest first. */
  async list(): Promise<readonly Login[]> {
    return (await this.#request<{ sessions: Login[] }>("GET", "/api/auth/sessions")).sessions;
  }

  /** Ends one of them, with its sockets. */
  async end(id: string): Promise<void> {
    await this.#request("DELETE", `/api/auth/sessions/${encodeURIComponent(id)}`);
  }

  /** Ends all but this one. */
  async endOthers(): Promise<void> {
    for (const { id, current } of await this.list()) if (!current) await this.end(id);
  }

  /** Changes the password, and ends all other logins. */
  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    await this.#request("POST", "/api/auth/password", { currentPassword, newPassword });
  }
}
