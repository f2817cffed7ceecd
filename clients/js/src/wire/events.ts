import type {
  Channel,
  Marks,
  Member,
  Message,
  MessageStatus,
  OfflineCount,
  Presence,
  Retention,
  Role,
  StatusChange,
  Time,
  TypingIndicator,
  Visibility,
} from "./records.js";

/** What a client asks with one event, and the data that its ack brings. */
interface Ask<Payload, Data> {
  payload: Payload;
  data: Data;
}

interface Range {
  before?: number;
  after?: number;
  limit?: number;
}

/**
 * Every event that a client may emit. Handlers of your own are added by declaration merging:
 * `declare module "roomkey" { interface ClientEvents { "order:place": { payload: Order; data: Receipt } } }`
 */
export interface ClientEvents {
  "auth:refresh": Ask<{ token: string }, { expiresAt: Time }>;

  sendMessage: Ask<{ channelId: string; content: string; clientId?: string }, Message>;
  updateMessage: Ask<{ messageId: string; content: string }, Message>;
  deleteMessage: Ask<{ messageId: string }, Deleted>;
  "message:history": Ask<{ channelId: string } & Range, { messages: Message[] }>;

  "message:delivered": Ask<{ messageId: string }, Marks>;
  "message:seen": Ask<{ messageId: string }, Marks>;
  "message:getStatus": Ask<{ messageId: string; after?: string; limit?: number }, MessageStatus>;
  "message:getOfflineCount": Ask<Record<string, never>, OfflineCount>;
  "message:getOffline": Ask<{ channelId: string; limit?: number }, { messages: Message[]; more: boolean }>;

  "channel:create": Ask<{ name: string; visibility?: Visibility }, Channel>;
  "channel:list": Ask<{ scope?: "mine" | "public"; after?: string; limit?: number }, { channels: Channel[] }>;
  "channel:join": Ask<{ channelId: string } | { invite: string }, Channel>;
  "channel:leave": Ask<{ channelId: string }, Membership>;
  "channel:update": Ask<
    { channelId: string; name?: string; visibility?: Visibility; archived?: boolean; retention?: Retention },
    Channel
  >;
  "channel:members": Ask<{ channelId: string; after?: string; limit?: number }, { members: Member[] }>;
  "channel:addMember": Ask<{ channelId: string; userId: string; role?: Role }, Membership>;
  "channel:removeMember": Ask<{ channelId: string; userId: string }, Membership>;
  "channel:invite": Ask<
    { channelId: string; role?: Role; userId?: string; expiresInS?: number; uses?: number },
    { invite: string; expiresAt: Time }
  >;

  joinRoom: Ask<string, string>;
  leaveRoom: Ask<string, string>;

  typing: Ask<{ channelId: string }, TypingIndicator>;
  "typing:stop": Ask<{ channelId: string }, TypingIndicator>;
  "typing:get": Ask<{ channelId: string }, { typing: TypingIndicator[] }>;
  "presence:get": Ask<{ userIds: readonly string[] } | { channelId: string }, { presence: Presence[] }>;
}

interface Deleted {
  messageId: string;
  channelId: string;
  seq: number;
}

/** What a member is now; without a role, what the member was. */
interface Membership {
  channelId: string;
  userId: string;
  role?: Role;
}

/** Every event that the server emits, with its argument. Your backend's own are added as for `ClientEvents`. */
export interface ServerEvents {
  "auth:expiring": { expiresAt: Time };
  "auth:expired": { code: string; message: string };
  "auth:revoked": { code: string; reason: string; message: string };

  "message.created": Message;
  "message.updated": Message;
  "message.deleted": Deleted;
  "message.status": StatusChange;

  "channel.updated": Channel;
  "member.added": Membership;
  "member.removed": Membership;
  roomJoined: string;
  "room:evicted": { room: string };

  "typing.update": TypingIndicator;
  "presence.update": Presence;

  notification: unknown;
}

export type ClientEvent = keyof ClientEvents & string;
export type ServerEvent = keyof ServerEvents & string;
export type PayloadOf<E extends ClientEvent> = ClientEvents[E]["payload"];
export type DataOf<E extends ClientEvent> = ClientEvents[E]["data"];
