use std::fmt;

use serde::Deserialize;

macro_rules! limits {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident $name:ident: $type:ty = $default:expr, $unit:literal, $outcome:literal;
    )*) => {
        /// Every limit there is, by name. A limit that is reached is counted, and answered with a typed error.
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Limits {
            $( $(#[doc = $doc])+ pub $name: $type, )*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $( $name: $default, )* }
            }
        }

        /// Names one of the [`Limits`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Limit {
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl Limits {
            /// What there is to say about each limit, in the order of [`Limit`].
            pub const TABLE: &[LimitRow] = &[$( LimitRow {
                limit: Limit::$variant,
                name: stringify!($name),
                description: concat!($( $doc ),+),
                default: $default,
                unit: $unit,
                outcome: $outcome,
            } ),*];
        }
    };
}

/// A row of [`Limits::TABLE`].
#[derive(Clone, Copy, Debug)]
pub struct LimitRow {
    /// The limit.
    pub limit: Limit,
    /// Its name, in the configuration and in metrics.
    pub name: &'static str,
    /// What it limits.
    pub description: &'static str,
    /// Its value unless something else is configured.
    pub default: u64,
    /// What is counted, where it is not the things themselves: `bytes` or `ms`.
    pub unit: &'static str,
    /// What happens when it is reached: codes of the HTTP, WebSocket and Socket.IO protocols, or an [`crate::ErrorCode`].
    pub outcome: &'static str,
}

impl Limit {
    /// Its name, in the configuration and in metrics.
    pub fn name(self) -> &'static str {
        Limits::TABLE[self as usize].name
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

limits! {
    /// Time to authenticate, from the Engine.IO handshake.
    AuthDeadline auth_deadline_ms: u64 = 10_000, "ms", "The connection is closed.";
    /// Bytes a connection may send before it is authenticated, in all.
    PreAuthBytes pre_auth_bytes: usize = 16 * 1024, "bytes", "WebSocket close 1009, HTTP 413; the session ends.";
    /// Failed authentications on one connection before it is closed.
    AuthFailures auth_failures_per_connection: u32 = 3, "", "The connection is closed.";
    /// Newer tokens that one socket may show with `auth:refresh` in a minute.
    TokenRefreshes token_refreshes_per_minute: u32 = 30, "", "`RATE_LIMITED`; after as many again WebSocket close 1008.";
    /// Bytes of one message, of a polling request's body, and announced as `maxPayload`.
    MessageBytes message_bytes: usize = 1_000_000, "bytes", "WebSocket close 1009, HTTP 413; the session ends.";
    /// Ping frames that a client may send over a WebSocket in a second.
    WebSocketPings websocket_pings_per_second: u32 = 100, "", "WebSocket close 1008.";
    /// Fragments of one WebSocket message.
    Fragments fragments_per_message: u32 = 1024, "", "WebSocket close 1009.";
    /// Time for a message to become complete: its fragments, its attachments.
    PartialMessage partial_message_ms: u64 = 10_000, "ms", "The connection is closed.";
    /// Binary attachments of one packet.
    Attachments attachments_per_packet: usize = 10, "", "The session ends: parse error.";
    /// Packets in the body of one polling request.
    PacketsPerPayload packets_per_payload: usize = 4096, "", "HTTP 400; the session ends.";
    /// Namespaces of one connection.
    Namespaces namespaces_per_connection: usize = 16, "", "The connection is closed.";
    /// Rooms of one socket.
    Rooms rooms_per_socket: usize = 256, "", "`LIMIT_EXCEEDED`; the socket stays out of the room.";
    /// Bytes of the name of an event that a client sends.
    EventName event_name_bytes: usize = 256, "bytes", "`BAD_PAYLOAD`; the event is not handled.";
    /// Events of one connection in a second, in the long run. 0: no limit.
    EventsPerSocket events_per_socket_per_s: u32 = 50, "", "`RATE_LIMITED`, not handled; at more than twice as many WebSocket close 1008.";
    /// Events of one connection at once, after a silence.
    EventsBurst events_per_socket_burst: u32 = 200, "", "As `events_per_socket_per_s`.";
    /// Events of one user in a second, over all connections, in the long run. 0: no limit.
    EventsPerUser events_per_user_per_s: u32 = 100, "", "`RATE_LIMITED`; the event is not handled.";
    /// Events of one user at once, over all connections, after a silence.
    UserEventsBurst events_per_user_burst: u32 = 400, "", "As `events_per_user_per_s`.";
    /// Events of one connection that are being handled.
    EventsInFlight events_in_flight_per_socket: usize = 32, "", "The next ones wait.";
    /// Events of one connection that wait for others to be handled.
    EventsWaiting events_waiting_per_socket: usize = 1024, "", "The connection is not read until some are done.";
    /// Acks that the server awaits from one socket.
    AcksPending acks_pending_per_socket: usize = 1024, "", "`AckError::TooMany`; the event is not sent.";
    /// Broadcasts of the whole server whose acks are awaited.
    BroadcastAcks broadcast_acks_pending: usize = 1024, "", "`BroadcastAckError::TooMany`; the event is not sent.";
    /// Bytes of all acks to one broadcast.
    BroadcastAckBytes broadcast_ack_bytes: usize = 16_000_000, "bytes", "Further acks count as missing.";
    /// Bytes waiting to be written to one connection.
    Outbox outbox_bytes: usize = 2_000_000, "bytes", "The slow reader is disconnected.";
    /// Bytes of recent events that each thread remembers for clients that come back.
    RecoveryLog recovery_log_bytes: usize = 16 * 1024 * 1024, "bytes", "The oldest are forgotten; who has missed them begins anew.";
    /// Bytes of what one client has missed that it is sent when it comes back.
    RecoveredBytes recovered_bytes: usize = 1_000_000, "bytes", "Who has missed more begins anew.";
    /// Sockets whose client is away and may come back.
    ParkedSockets parked_sockets: usize = 100_000, "", "Who goes away then begins anew.";
    /// Bytes of the head of an HTTP request.
    HttpHeadBytes http_head_bytes: usize = 16 * 1024, "bytes", "HTTP 431.";
    /// Header lines of an HTTP request.
    HttpHeaders http_headers: usize = 100, "", "HTTP 431.";
    /// Time for the head of an HTTP request to arrive.
    HttpHead http_head_ms: u64 = 10_000, "ms", "The connection is closed.";
    /// Time for the body of an HTTP request to arrive.
    HttpBody http_body_ms: u64 = 20_000, "ms", "HTTP 408; a session of long-polling ends.";
    /// Bytes of the body of a REST request.
    RestBody rest_body_bytes: usize = 64 * 1024, "bytes", "HTTP 413, `PAYLOAD_TOO_LARGE`.";
    /// Connections that speak plain HTTP, long-polling included, at one time.
    HttpConnections http_connections: usize = 100_000, "", "The connection is closed at once.";
    /// Sessions in all, over both transports.
    Sessions sessions: usize = 1_000_000, "", "HTTP 503.";
    /// Sessions of one address (IPv6: one /64) whose client has not authenticated.
    UnauthenticatedSessions unauthenticated_sessions_per_address: usize = 1000, "", "HTTP 503.";
    /// Sessions opened from one address (IPv6: one /64) in a second, in the long run. 0: no limit.
    HandshakesPerAddress handshakes_per_address_per_s: u32 = 20, "", "HTTP 429 with `Retry-After`.";
    /// Sessions opened from one address at once, after a silence.
    HandshakesBurst handshakes_per_address_burst: u32 = 200, "", "As `handshakes_per_address_per_s`.";
    /// Requests of sessions that do not exist, from one address in a second. 0: no limit.
    UnknownSessionsPerAddress unknown_sessions_per_address_per_s: u32 = 10, "", "HTTP 429; the connection is closed.";
    /// The same at once, after a silence.
    UnknownSessionsBurst unknown_sessions_per_address_burst: u32 = 100, "", "As `unknown_sessions_per_address_per_s`.";
    /// Tokens from one address (IPv6: one /64) that are refused at once in a minute; good ones never wait. 0: no limit.
    RefusalsPerAddress refusals_per_address_per_min: u32 = 10, "", "Refusals take longer each time, up to 4 s.";
    /// Refusals that one address waits for at one time.
    RefusalsWaiting refusals_waiting_per_address: usize = 8, "", "The connection is closed at once; over REST HTTP 429, `RATE_LIMITED`.";
    /// Addresses, accounts and the like whose rate is remembered, for each kind of rate.
    RateKeys rate_keys: usize = 100_000, "", "Those not seen for longest are forgotten.";
    /// Failed logins to one account in 15 minutes, from where it was not logged in to lately. 0: no limit.
    LoginFailuresPerAccount login_failures_per_account: u32 = 5, "", "HTTP 429, `RATE_LIMITED`; waits double, 1 s to 5 min.";
    /// Failed logins from one address (IPv6: one /64) in a minute, in the long run. 0: no limit.
    LoginFailuresPerAddress login_failures_per_address_per_min: u32 = 10, "", "HTTP 429, `RATE_LIMITED`; not for those at home there.";
    /// Failed logins from one address at once, after a silence.
    LoginFailuresBurst login_failures_per_address_burst: u32 = 50, "", "As `login_failures_per_address_per_min`.";
    /// Failed logins of the whole server in 5 minutes, if there are four to each that succeeds. 0: no limit.
    LoginFailuresAlarm login_failures_alarm: u32 = 100, "", "An audit record; failures are answered 1 s later.";
    /// Accounts created from one address (IPv6: one /64) in an hour. 0: no limit.
    RegistrationsPerAddress registrations_per_address_per_hour: u32 = 60, "", "HTTP 429, `RATE_LIMITED`.";
    /// Logins and registrations that wait for a free core to hash their password.
    HashesWaiting hashes_waiting: usize = 64, "", "HTTP 503, `UNAVAILABLE`.";
    /// Connection tickets that wait to be used.
    TicketsPending tickets_pending: usize = 10_000, "", "HTTP 503, `UNAVAILABLE`.";
    /// Connection tickets of one user that wait to be used.
    TicketsPerUser tickets_pending_per_user: usize = 16, "", "The oldest is no good any more.";
    /// Bytes of the content of one chat message.
    MessageContent message_content_bytes: usize = 16 * 1024, "bytes", "`BAD_PAYLOAD`.";
    /// Bytes of a client's own id for a message it sends.
    ClientId client_id_bytes: usize = 128, "bytes", "`BAD_PAYLOAD`.";
    /// Members of a channel in which senders are told what has arrived and what was read.
    ReceiptMembers receipt_members: usize = 100, "", "In a larger one they are not, nor do messages say; `message:getStatus` does.";
    /// Messages, the newest, whose senders are told of one receipt for all of them.
    ReceiptMessages receipt_messages: usize = 1000, "", "Senders of older ones are not told; `message:getStatus` tells.";
    /// Messages that wait in a channel and are counted without those that are one's own or deleted.
    CountedMessages counted_messages: usize = 100, "", "Of more all are counted.";
    /// Messages, members or channels in one page of a list.
    PageEntries page_entries: usize = 100, "", "`BAD_PAYLOAD`.";
    /// Bytes of the contents of all messages in one page; there is at least one.
    PageBytes page_bytes: usize = 256 * 1024, "bytes", "The page is shorter; the next one begins there.";
    /// Bytes of the name of a channel.
    ChannelName channel_name_bytes: usize = 256, "bytes", "`BAD_PAYLOAD`.";
    /// Invites to one channel that can still be used.
    InvitesPerChannel invites_per_channel: usize = 100, "", "`LIMIT_EXCEEDED`.";
    /// Times that one invite can be used.
    InviteUses invite_uses: u32 = 1000, "", "`BAD_PAYLOAD`.";
    /// Time that an invite can be used.
    InviteLife invite_life_ms: u64 = 30 * 24 * 60 * 60 * 1000, "ms", "`BAD_PAYLOAD`.";
    /// Users who are shown as typing in one channel.
    TypingUsersPerChannel typing_users_per_channel: usize = 20, "", "`LIMIT_EXCEEDED`; the user is not shown.";
    /// Members of a channel in which it is told who comes and goes, and who becomes a member and is one no longer.
    PresenceMembers presence_members: usize = 100, "", "It is not told there; `LIMIT_EXCEEDED` for who asks about all of them.";
    /// Sockets of one user, over all connections. 0: no limit.
    SocketsPerUser sockets_per_user: usize = 100, "", "The oldest ends: `auth:revoked`, reason `session_limit`.";
    /// Logins of one user that have not ended. 0: no limit.
    SessionsPerUser sessions_per_user: usize = 100, "", "The oldest ends, with its sockets: `auth:revoked`, reason `session_limit`.";
    /// Bytes of the answer of a backend to an event.
    BackendAnswer backend_answer_bytes: usize = 256 * 1024, "bytes", "`BACKEND_FAILED`.";
    /// Events that wait for the answer of one backend.
    BackendRequests backend_requests: usize = 256, "", "`UNAVAILABLE`; the event is not handled.";
    /// Of these, events of one user.
    BackendRequestsPerUser backend_requests_per_user: usize = 16, "", "`UNAVAILABLE`; the event is not handled.";
    /// Emissions of one request of a backend.
    EmitsPerRequest emits_per_request: usize = 100, "", "`BAD_PAYLOAD`.";
    /// Rooms and users that one emission of a backend names.
    RoomsPerEmit rooms_per_emit: usize = 100, "", "`BAD_PAYLOAD`.";
    /// Webhooks that wait for one endpoint.
    WebhooksWaiting webhooks_waiting: usize = 100_000, "", "The newest are left out, and counted.";
    /// Webhooks that were given up and are kept.
    DeadLetters dead_letters: usize = 10_000, "", "The oldest are forgotten.";
    /// Days for which webhooks that were given up are kept.
    DeadLetterDays dead_letter_days: u64 = 30, "days", "They are forgotten.";
    /// Channels one user may be in. Together with the personal rooms they fit into `rooms_per_socket`.
    ChannelsPerUser channels_per_user: usize = 250, "", "`LIMIT_EXCEEDED`.";
    /// Members of one channel.
    MembersPerChannel members_per_channel: usize = 100_000, "", "`LIMIT_EXCEEDED`.";
    /// Connections to the admin page, live streams included, at one time.
    AdminConnections admin_connections: usize = 256, "", "The connection is closed at once.";
    /// Of these, connections from one address (IPv6: one /64) that is no trusted proxy's.
    AdminConnectionsPerAddress admin_connections_per_address: usize = 64, "", "The connection is closed at once.";
    /// Logins of admins that have not ended.
    AdminSessions admin_sessions: usize = 100, "", "One of the same admin's ends, if there is one: the one that was not used for longest.";
    /// Logins of one admin that have not ended.
    AdminSessionsPerAdmin admin_sessions_per_admin: usize = 10, "", "The one that was not used for longest ends.";
    /// Live streams of one login of an admin.
    AdminStreamsPerSession admin_streams_per_session: usize = 8, "", "`LIMIT_EXCEEDED`.";
    /// Entries in one page of a list of the admin page.
    AdminPageEntries admin_page_entries: usize = 200, "", "`BAD_PAYLOAD`.";
    /// Times in a minute that admins may disconnect many clients at once. 0: no limit.
    AdminMassDisconnects admin_mass_disconnects_per_min: u32 = 6, "", "HTTP 429, `RATE_LIMITED`.";
}

impl Limits {
    /// The same limits without those of how often and how many times clients come and do what they do: for tests and
    /// measurements, in which one client does what many do elsewhere, and behind something that limits rates itself.
    #[must_use]
    pub fn without_rates(self) -> Self {
        Self {
            events_per_socket_per_s: 0,
            events_per_user_per_s: 0,
            handshakes_per_address_per_s: 0,
            login_failures_alarm: 0,
            login_failures_per_account: 0,
            login_failures_per_address_per_min: 0,
            refusals_per_address_per_min: 0,
            registrations_per_address_per_hour: 0,
            sessions_per_user: 0,
            sockets_per_user: 0,
            unknown_sessions_per_address_per_s: 0,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn the_table_is_in_the_order_of_the_names() {
        for (index, row) in Limits::TABLE.iter().enumerate() {
            assert_eq!(row.limit as usize, index, "{}", row.name);
            assert_eq!(row.limit.to_string(), row.name);
        }
    }

    #[test]
    fn every_outcome_speaks_of_codes_that_exist() {
        for row in Limits::TABLE {
            let quoted = row.outcome.split('`').skip(1).step_by(2);
            for code in
                quoted.filter(|text| text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
            {
                assert!(ErrorCode::ALL.iter().any(|known| known.as_str() == code), "{}: {code}", row.name);
            }
        }
    }

    #[test]
    fn units_are_in_the_names() {
        for row in Limits::TABLE {
            assert_eq!(row.name.ends_with("_bytes"), row.unit == "bytes", "{}", row.name);
            assert_eq!(row.name.ends_with("_ms"), row.unit == "ms", "{}", row.name);
        }
    }
}
