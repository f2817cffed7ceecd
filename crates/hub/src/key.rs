use std::sync::Arc;

use roomkey_model::RoomName;

/// A connection of this node. Never used again once the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionKey {
    pub(crate) shard: u16,
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl ConnectionKey {
    /// The shard the connection lives on.
    pub fn shard(self) -> usize {
        usize::from(self.shard)
    }
}

/// A socket: a client in a namespace, from [`crate::Shard::open_socket`] until it is closed.
///
/// A connection has at most one open socket in each namespace; a key of an earlier one reaches nobody.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey {
    pub(crate) connection: ConnectionKey,
    pub(crate) namespace: Arc<str>,
    /// Which of the connection's sockets.
    pub(crate) serial: u32,
}

impl SocketKey {
    /// The connection that carries it.
    pub fn connection(&self) -> ConnectionKey {
        self.connection
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }
}

/// A room of a namespace, or all of the namespace's sockets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomKey {
    /// The namespace: rooms of the same name in two namespaces are two rooms.
    pub namespace: Arc<str>,
    /// The room; `None` is every socket of the namespace.
    pub room: Option<RoomName>,
}

impl RoomKey {
    /// The room `room` of `namespace`.
    pub fn room(namespace: &Arc<str>, room: &RoomName) -> Self {
        Self { namespace: namespace.clone(), room: Some(room.clone()) }
    }

    /// Every socket of `namespace`.
    pub fn everyone(namespace: &Arc<str>) -> Self {
        Self { namespace: namespace.clone(), room: None }
    }
}
