use std::sync::Arc;

use roomkey_model::RevocationReason;

use crate::SocketKey;

/// What the hub has to tell the task of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The deadline that was armed with [`crate::Shard::arm`] has come.
    Deadline,
    /// The clock was set: what is to happen at some time of day is to happen earlier or later than was thought.
    ClockSet,
    /// There is something to write: wait until the transport takes it, then call [`crate::Shard::drain`] or
    /// [`crate::Shard::poll`].
    WantsWrite,
    /// The peer reads more slowly than it is written to, and its queue is full. Nothing more will be written.
    SlowReader,
    /// The transport is broken. Nothing more will be written.
    WriteFailed,
    /// Somebody asked for the end of a namespace's socket: `close` ends the whole connection with it.
    Disconnect {
        /// The namespace of the socket.
        namespace: Arc<str>,
        /// Whether the connection ends too.
        close: bool,
    },
    /// Somebody asked for the end of this socket, and of none that has taken its place: `close` ends the whole connection
    /// with it.
    DisconnectSocket {
        /// The socket.
        socket: SocketKey,
        /// Whether the connection ends too.
        close: bool,
    },
    /// The token of a socket no longer counts. The socket has ended already as far as others are concerned.
    Revoked {
        /// The socket.
        socket: SocketKey,
        /// Why.
        reason: RevocationReason,
    },
    /// The server is going away: finish, tell the client, close.
    Shutdown,
}

/// The one thing the hub needs of a connection's task: a way to get its attention.
///
/// Called with the shard locked, so it must only leave the notice and wake the task.
pub trait Attention: Send + Sync {
    /// Leaves `notice` for the task and wakes it.
    fn notify(&self, notice: Notice);
}
