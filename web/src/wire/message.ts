import type { User } from "./user";

/** A message as the server keeps it. */
export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly userId: string;
  readonly content: string;
  /** Place in the channel: 1, 2, 3, … without gaps. */
  readonly seq: number;
  /** The sender's own key for it, which makes sending again harmless. */
  readonly clientId?: string | null;
  /** ISO 8601, as all times on the wire. */
  readonly createdAt: string;
  readonly editedAt?: string | null;
  readonly user: User;
}
