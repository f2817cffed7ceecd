export { CookieSession, type CookieSessionOptions, createCookieSession } from "./auth/cookie-session.js";
export {
  createSession,
  type Credentials,
  type Grant,
  type GrantStorage,
  type Registration,
  Session,
} from "./auth/session.js";
export type { Login, Logins } from "./auth/logins.js";
export type { SessionOptions } from "./auth/session.js";
export type { GetToken } from "./auth/tokens.js";
export type { ChannelChange, ChannelList, ChannelListState } from "./chat/channel-list.js";
export type { ChannelState, ChannelStream } from "./chat/channel.js";
export type { FollowOptions } from "./chat/follow.js";
export type { Inbox, InboxState } from "./chat/inbox.js";
export type { Invitee, InviteOptions, MembersState, MembersStream } from "./chat/members.js";
export type { Newest, NewestMessages } from "./chat/newest.js";
export type { Outgoing } from "./chat/outbox.js";
export type { PresenceQuery, Presences, PresenceStream } from "./chat/presence.js";
export type { TypingStream } from "./chat/typing.js";
export { Client, type ClientOptions, createClient, type TokenSession, type TokenSource } from "./client.js";
export type { ConnectionState, Off, TokenLife } from "./connection.js";
export type { Clock, Platform } from "./platform.js";
export type { Observable } from "./store.js";
export type * from "./wire/events.js";
export { type Code, type Retry, RoomkeyError } from "./wire/failure.js";
export type * from "./wire/records.js";
