/** What the admin API says, as it says it. All times are ISO-8601 text in UTC. */

export type AdminRole = "admin" | "viewer";

export interface Me {
  readonly admin: { readonly name: string; readonly role: AdminRole };
  readonly expiresAt: string;
  readonly version?: string;
  readonly url?: string | null;
}

/** A login to this page. */
export interface AdminSession {
  readonly id: string;
  readonly created: string;
  readonly seen: string;
  readonly address: string;
  readonly userAgent: string | null;
  readonly current: boolean;
}

/** The server at one moment, and what it did since the sample before. */
export interface Sample {
  readonly at: string;
  readonly connections: number;
  readonly sockets: number;
  readonly users: number;
  readonly rooms: number;
  readonly parked: number;
  readonly memoryBytes: number;
  /** In cores: 2 is two of them, fully. */
  readonly cpu: number;
  /** Per second. */
  readonly rates: {
    readonly connects: number;
    readonly refusals: number;
    readonly events: number;
    readonly deliveries: number;
    readonly writes: number;
    readonly messages: number;
  };
  /** Null where there were no events. */
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number | null };
  readonly lagMs: number | null;
}

export interface Stats {
  readonly now: string;
  readonly startedAt: string;
  readonly version: string;
  readonly threads: number;
  readonly current: Sample;
  readonly samples: readonly Sample[];
  readonly limits: readonly { readonly name: string; readonly reached: number }[];
  readonly warnings: readonly string[];
}

/** A security decision, as the audit log has it. */
export interface Decision {
  readonly id: number;
  readonly at: string;
  readonly event: string;
  readonly outcome: "success" | "failure";
  readonly description: string;
  readonly user?: string | null;
  readonly issuer?: string | null;
  readonly session?: string | null;
  readonly address?: string | null;
  readonly origin?: string | null;
  readonly reason?: string | null;
  readonly target?: string | null;
  readonly count: number;
}

/** A socket of a client: who, from where, by what token. The token itself is in no record. */
export interface Connection {
  readonly socket: string;
  readonly namespace: string;
  readonly user: { readonly id: string; readonly name: string | null };
  readonly address: string;
  readonly userAgent: string | null;
  readonly origin: string | null;
  readonly transport: string;
  readonly connectedAt: string;
  readonly recovered: boolean;
  readonly rooms: number;
  /** The id is there where the session is of the built-in issuer, and can be ended. */
  readonly session: { readonly tag: string; readonly id: string | null } | null;
  readonly token?: Token;
}

export interface Token {
  readonly issuer: string;
  readonly keyId: string | null;
  readonly tag: string;
  readonly issuedAt: string | null;
  readonly expiresAt: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[] | null;
}

export interface ConnectionDetail extends Connection {
  readonly roomNames: readonly string[];
}

export interface Room {
  readonly name: string;
  readonly namespace: string;
  readonly sockets: number;
  readonly channel: {
    readonly id: string;
    readonly name: string;
    readonly visibility: string;
    readonly members: number;
    readonly archived: boolean;
  } | null;
}

/** An account, or a user of another issuer: then without email and name. */
export interface User {
  readonly id: string;
  readonly email: string | null;
  readonly username: string | null;
  readonly created: string | null;
  readonly blocked: boolean;
  readonly online: number;
}

export interface UserSession {
  readonly id: string;
  readonly created: string;
  readonly seen: string;
  readonly userAgent: string | null;
  readonly address: string | null;
}

export interface UserDetail {
  readonly user: User;
  readonly sessions: readonly UserSession[];
  readonly connections: readonly Connection[];
}

/** Why somebody may do something or not: every rule in the order in which it is asked. */
export interface Explanation {
  readonly decision: string;
  readonly rule: string | null;
  readonly facts: {
    readonly user: string;
    readonly token: boolean;
    readonly roles: readonly string[];
    readonly scopes: readonly string[];
    readonly claims: Readonly<Record<string, readonly string[]>>;
    readonly action: string;
    readonly room: string | null;
    readonly membership: string;
    readonly author?: string;
  };
  readonly considered: readonly Consideration[];
}

export interface Consideration {
  readonly rule: string;
  readonly effect: "allow" | "deny";
  readonly origin: string;
  readonly matches: boolean;
  readonly mismatch?: string;
}
