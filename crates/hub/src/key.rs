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

/// A connected socket: a connection has at most one in each namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey {
    /// The connection that carries it.
    pub connection: ConnectionKey,
    /// Its namespace.
    pub namespace: Arc<str>,
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
