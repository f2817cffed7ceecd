/// What a peer sent against the Engine.IO or Socket.IO protocol, or against one of its limits.
///
/// The whole connection is closed for it, with the reason `parse error`. Nothing a peer sent is repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ParseError {
    /// An ack id where none may be, none where one must be, or one that is not an integer up to 2^53 - 1.
    #[error("the ack id is missing, misplaced or not a safe integer")]
    AckId,
    /// Text arrived while attachments were awaited.
    #[error("a text packet arrived in place of an attachment")]
    AttachmentExpected,
    /// Binary data that no packet announced.
    #[error("binary data that no packet announced")]
    AttachmentUnexpected,
    /// The number of attachments is missing or zero.
    #[error("the number of attachments is missing or zero")]
    AttachmentsCount,
    /// A packet is too big with its attachments.
    #[error("a packet with its attachments is too big")]
    AttachmentsTooBig,
    /// More attachments than allowed.
    #[error("a packet has too many attachments")]
    AttachmentsTooMany,
    /// Attachments did not arrive in time.
    #[error("attachments did not arrive in time")]
    AttachmentsTooSlow,
    /// Binary data is not base64.
    #[error("binary data is not base64")]
    Base64,
    /// A packet that only a server may send.
    #[error("a client must not send CONNECT_ERROR")]
    ConnectErrorFromClient,
    /// CONNECT to a namespace that is connected or about to be.
    #[error("CONNECT to a namespace that is already connected")]
    ConnectTwice,
    /// An Engine.IO or Socket.IO packet without even a type.
    #[error("a packet is empty")]
    EmptyPacket,
    /// The event name is neither a string nor an integer.
    #[error("the event name is neither a string nor an integer")]
    EventName,
    /// The event name has a meaning of its own in the clients.
    #[error("the event name is reserved")]
    EventNameReserved,
    /// A ping from the client where the server sends them, or a pong from a client that was not sent a ping.
    #[error("the heartbeat goes in the wrong direction")]
    HeartbeatDirection,
    /// The payload is not JSON, or not of the type the packet needs.
    #[error("the payload is not JSON of the right type")]
    Json,
    /// The payload is nested too deeply.
    #[error("the payload is nested too deeply")]
    JsonTooDeep,
    /// A message is not msgpack, or not of the form that a packet has.
    #[error("a message is not msgpack of the right form")]
    Msgpack,
    /// A packet for a namespace that is not connected.
    #[error("a packet for a namespace that is not connected")]
    NamespaceNotConnected,
    /// The name of the namespace is too long.
    #[error("the name of the namespace is too long")]
    NamespaceTooLong,
    /// The packet's type does not exist.
    #[error("the type of a packet does not exist")]
    PacketType,
    /// More packets in one polling request than allowed.
    #[error("too many packets in one request")]
    PacketsTooMany,
    /// The body of a polling request is not of the right form.
    #[error("the body of a request is not a payload")]
    Payload,
    /// A payload where there must be none.
    #[error("a payload where there must be none")]
    PayloadUnexpected,
    /// A placeholder does not point to an attachment.
    #[error("a placeholder does not point to an attachment")]
    Placeholder,
}
