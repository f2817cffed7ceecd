/// The times and limits of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Time from a pong to the next ping.
    pub ping_interval_ms: u64,
    /// Time in which a ping must be answered.
    pub ping_timeout_ms: u64,
    /// Time from the handshake until a namespace must be accepted.
    pub connect_timeout_ms: u64,
    /// Bytes of packets that a client may send until a namespace is accepted; none of them binary, msgpack aside.
    pub pre_auth_bytes: usize,
    /// Bytes of one packet with its attachments.
    pub message_bytes_max: usize,
    /// Attachments of one packet.
    pub attachments_max: usize,
    /// Time in which the attachments of a packet must arrive.
    pub partial_message_ms: u64,
    /// A client of revision 4 whose first Socket.IO packet is binary speaks msgpack.
    pub msgpack: bool,
    /// Namespaces one client may be in or ask for.
    pub namespaces_max: usize,
}

/// The reference server's values where it has one, and Roomkey's defaults where it has none.
impl Default for Config {
    fn default() -> Self {
        Self {
            ping_interval_ms: 25_000,
            ping_timeout_ms: 20_000,
            connect_timeout_ms: 45_000,
            pre_auth_bytes: 16 * 1024,
            message_bytes_max: 1_000_000,
            attachments_max: 10,
            partial_message_ms: 10_000,
            msgpack: false,
            namespaces_max: 16,
        }
    }
}
