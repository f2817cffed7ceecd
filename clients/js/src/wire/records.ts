/** Times are ISO 8601 text. */
export type Time = string;

/** A user as others see them. */
export interface User {
  readonly id: string;
  readonly username: string;
  readonly avatar?: string;
}

/** The user who is logged in. */
export interface Account {
  readonly id: string;
  readonly username?: string | null;
  readonly email?: string | null;
}

/** `SENDING` and `FAILED` are of this package: the server does not know such messages. */
export type DeliveryStatus = "SENDING" | "SENT" | "DELIVERED" | "READ" | "FAILED";

/** A message as the server keeps it. */
export interface Message {
  readonly id: string;
  readonly channelId: string;
  readonly userId: string;
  /** Empty where the message was deleted. */
  readonly content: string;
  /** Its place in the channel: 1, 2, 3, ... without gaps. */
  readonly seq: number;
  /** The sender's own key for it, which makes sending it again harmless. */
  readonly clientId?: string;
  readonly createdAt: Time;
  readonly updatedAt: Time;
  readonly editedAt: Time | null;
  readonly deletedAt?: Time | null;
  readonly deliveryStatus: DeliveryStatus;
  readonly user: User;
}

export type Visibility = "public" | "private";
export type Role = "reader" | "member" | "moderator" | "owner";

/** A channel: with the caller's role where the caller is a member. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly visibility: Visibility;
  readonly createdBy: string;
  readonly createdAt: Time;
  readonly lastSeq: number;
  readonly role?: Role;
  /** Nothing can be sent any more. */
  readonly archivedAt?: Time;
  /** Where not all is kept. */
  readonly retention?: Retention;
}

/** How much of a channel is kept. */
export interface Retention {
  readonly maxAgeS?: number;
  readonly maxMessages?: number;
}

export interface Member {
  readonly user: User;
  readonly role: Role;
  readonly joinedAt: Time;
}

/** How far I have got and read a channel. */
export interface Marks {
  readonly channelId: string;
  readonly deliveredSeq: number;
  readonly seenSeq: number;
}

/** How far a message has come with one of its recipients. */
export interface Receipt {
  readonly messageId: string;
  readonly recipientId: string;
  readonly status: DeliveryStatus;
  readonly timestamp: Time;
}

/** How far a message has come: `status` with all recipients, `statuses` with the first of them. */
export interface MessageStatus {
  readonly messageId: string;
  readonly status: DeliveryStatus;
  readonly recipients: number;
  readonly delivered: number;
  readonly read: number;
  readonly statuses: readonly Receipt[];
}

/** A recipient has got or read the messages of mine up to this one. */
export interface StatusChange extends Receipt {
  readonly channelId: string;
  readonly seq: number;
}

/** What waits in a channel. */
export interface ChannelCount {
  readonly channelId: string;
  /** Messages that no device of mine has got. */
  readonly count: number;
  /** Messages that I have not seen. */
  readonly unread: number;
  readonly lastSeq: number;
  readonly deliveredSeq: number;
  readonly seenSeq: number;
}

export interface OfflineCount {
  readonly total: number;
  readonly unread: number;
  readonly channels: readonly ChannelCount[];
}

export interface TypingIndicator {
  readonly userId: string;
  readonly channelId: string;
  readonly isTyping: boolean;
  readonly timestamp: Time;
}

export interface Presence {
  readonly userId: string;
  readonly online: boolean;
  readonly lastSeen: Time | null;
}
