use crate::ParseError;

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CloseReason {
    /// The client did not join a namespace in time.
    #[error("no namespace was joined in time")]
    ConnectTimeout,
    /// The server closed it.
    #[error("the server closed the session")]
    ForcedClose,
    /// The client asked for too many namespaces.
    #[error("too many namespaces")]
    NamespacesTooMany,
    /// The client broke the protocol.
    #[error("{0}")]
    ParseError(#[from] ParseError),
    /// The client did not answer a ping.
    #[error("a ping was not answered")]
    PingTimeout,
    /// The client sent too much, or binary data, before it joined a namespace.
    #[error("too much was sent before a namespace was joined")]
    PreAuthBytes,
    /// The client closed it, or its connection ended.
    #[error("the client closed the session")]
    TransportClose,
    /// The transport failed.
    #[error("the transport failed")]
    TransportError,
}

impl CloseReason {
    /// The name of the reference server. Limits it does not have are a `forced close`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConnectTimeout | Self::ForcedClose | Self::NamespacesTooMany | Self::PreAuthBytes => {
                "forced close"
            }
            Self::ParseError(_) => "parse error",
            Self::PingTimeout => "ping timeout",
            Self::TransportClose => "transport close",
            Self::TransportError => "transport error",
        }
    }
}

/// Why a socket, a client in one namespace, is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisconnectReason {
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The session ended.
    Close(CloseReason),
    /// The server ended the namespace and the session.
    ForcedServerClose,
    /// The server ended the namespace.
    ServerNamespaceDisconnect,
    /// The server stops.
    ServerShuttingDown,
}

impl DisconnectReason {
    /// The name of the reference server.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientNamespaceDisconnect => "client namespace disconnect",
            Self::Close(reason) => reason.as_str(),
            Self::ForcedServerClose => "forced server close",
            Self::ServerNamespaceDisconnect => "server namespace disconnect",
            Self::ServerShuttingDown => "server shutting down",
        }
    }
}

impl From<CloseReason> for DisconnectReason {
    fn from(reason: CloseReason) -> Self {
        Self::Close(reason)
    }
}
