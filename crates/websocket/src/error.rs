use crate::CloseCode;

/// What a peer did against RFC 6455 or against our limits; the connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProtocolError {
    /// A close frame whose body is one byte.
    #[error("the body of a close frame is one byte long")]
    CloseBody,
    /// A close code that must not be sent.
    #[error("the close code is reserved")]
    CloseCode,
    /// A new message before the last fragment of the one that was begun.
    #[error("a new message began inside a fragmented one")]
    ContinuationExpected,
    /// A continuation of nothing.
    #[error("a continuation frame without a message to continue")]
    ContinuationUnexpected,
    /// A control frame without its FIN bit.
    #[error("a control frame is fragmented")]
    ControlFragmented,
    /// A control frame with more than 125 bytes.
    #[error("a control frame is longer than 125 bytes")]
    ControlTooLong,
    /// More fragments than one message may have.
    #[error("a message has too many fragments")]
    FragmentsTooMany,
    /// A compressed message that cannot be inflated.
    #[error("a compressed message is malformed")]
    InvalidDeflate,
    /// Text, or the reason of a close, is not UTF-8.
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A length in more bytes than it needs.
    #[error("a length is not encoded in the fewest bytes")]
    LengthNotMinimal,
    /// A client's frame without a mask.
    #[error("a client's frame is not masked")]
    MaskMissing,
    /// A server's frame with a mask.
    #[error("a server's frame is masked")]
    MaskUnexpected,
    /// A message longer than the limit: by the length its frames declare, or when it is inflated.
    #[error("a message is too big")]
    MessageTooBig,
    /// A reserved bit is set that no negotiated extension uses, or not there.
    #[error("a reserved bit is set")]
    ReservedBits,
    /// An opcode that has no meaning.
    #[error("the opcode is reserved")]
    ReservedOpcode,
}

impl ProtocolError {
    /// The code to close the connection with.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidDeflate | Self::InvalidUtf8 => CloseCode::INVALID_PAYLOAD,
            Self::FragmentsTooMany | Self::MessageTooBig => CloseCode::TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}
