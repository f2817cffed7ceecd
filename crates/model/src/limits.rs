use serde::Deserialize;

macro_rules! limits {
    ($( $(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr; )*) => {
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
    };
}

limits! {
    /// Time to authenticate, from the Engine.IO handshake.
    auth_deadline_ms: u64 = 10_000;
    /// Bytes a connection may send before it is authenticated, in all.
    pre_auth_bytes: usize = 16 * 1024;
    /// Failed authentications on one connection before it is closed.
    auth_failures_per_connection: u32 = 3;
    /// Bytes of one message, of a polling request's body, and announced as `maxPayload`.
    message_bytes: usize = 1_000_000;
    /// Ping frames that a client may send over a WebSocket; more close it.
    websocket_pings_per_second: u32 = 100;
    /// Fragments of one WebSocket message.
    fragments_per_message: u32 = 1024;
    /// Time for a message to become complete: its fragments, its attachments.
    partial_message_ms: u64 = 10_000;
    /// Binary attachments of one packet.
    attachments_per_packet: usize = 10;
    /// Packets in the body of one polling request.
    packets_per_payload: usize = 4096;
    /// Namespaces of one connection.
    namespaces_per_connection: usize = 16;
    /// Rooms of one socket.
    rooms_per_socket: usize = 256;
    /// Events of one connection that are being handled; above it the next ones wait.
    events_in_flight_per_socket: usize = 32;
    /// Events of one connection that wait for others to be handled; above it the connection is not read.
    events_waiting_per_socket: usize = 1024;
    /// Acks that the server awaits from one socket.
    acks_pending_per_socket: usize = 1024;
    /// Bytes waiting to be written to one connection; above it the slow reader's policy applies.
    outbox_bytes: usize = 2_000_000;
    /// Bytes of the head of an HTTP request.
    http_head_bytes: usize = 16 * 1024;
    /// Header lines of an HTTP request.
    http_headers: usize = 100;
    /// Time for the head of an HTTP request to arrive.
    http_head_ms: u64 = 10_000;
    /// Time for the body of an HTTP request to arrive.
    http_body_ms: u64 = 20_000;
    /// Bytes of the body of a REST request.
    rest_body_bytes: usize = 64 * 1024;
    /// Connections that speak plain HTTP, long-polling included, at one time.
    http_connections: usize = 100_000;
    /// Sessions in all, over both transports.
    sessions: usize = 1_000_000;
    /// Sessions of one address (IPv6: one /64) whose client has not authenticated.
    unauthenticated_sessions_per_address: usize = 1000;
    /// Logins and registrations that wait for a free core to hash their password.
    hashes_waiting: usize = 64;
    /// Bytes of the content of one chat message.
    message_content_bytes: usize = 16 * 1024;
    /// Bytes of a client's own id for a message it sends.
    client_id_bytes: usize = 128;
    /// Messages, members or channels in one page of a list.
    page_entries: usize = 100;
    /// Bytes of the name of a channel.
    channel_name_bytes: usize = 256;
    /// Channels one user may be in. Together with the personal rooms they fit into `rooms_per_socket`.
    channels_per_user: usize = 250;
}
