import type { User } from "./user";

export type Visibility = "public" | "private";

export type Role = "reader" | "member" | "moderator" | "owner";

/** A channel I am a member of, or a public one I could join (no `role`). */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly visibility: Visibility;
  readonly role?: Role | null;
  /** Sequence number of the newest message, 0 where there is none. */
  readonly lastSeq: number;
}

export function isMember(channel: Channel): boolean {
  return channel.role != null;
}

export function mayWrite(channel: Channel): boolean {
  return isMember(channel) && channel.role !== "reader";
}

export function mayInvite(channel: Channel): boolean {
  return channel.role === "owner" || channel.role === "moderator";
}

/** A member as `GET /api/channels/{id}/members` lists them. */
export interface Member {
  readonly user: User;
  readonly role: Role;
}

/** The Socket.IO room of a channel. */
export function channelRoom(channelId: string): string {
  return `channel:${channelId}`;
}

const ID = /[:|]|^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whom the text of an invitation names: a user id (a UUID, or with an issuer's mark in it) or a user name. */
export function invitee(text: string): { userId: string } | { username: string } {
  return ID.test(text) ? { userId: text } : { username: text };
}
