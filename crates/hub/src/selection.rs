use smallvec::{SmallVec, smallvec};

use crate::{ConnectionKey, RoomKey, SocketKey};

/// Sockets of a namespace: the members of a room or of several, but for some. One that is in several counts once.
#[derive(Clone, Debug)]
pub struct Selection {
    /// At least one, all of one namespace.
    pub(crate) rooms: SmallVec<[RoomKey; 1]>,
    pub(crate) except_rooms: Vec<RoomKey>,
    pub(crate) except: Vec<ConnectionKey>,
}

impl Selection {
    /// The members of this room, too. Whoever is in the namespace is in its room of everyone already: that one is
    /// replaced.
    #[must_use]
    pub fn to(mut self, room: RoomKey) -> Self {
        debug_assert_eq!(self.rooms[0].namespace, room.namespace);
        self.rooms.retain(|joined| joined.room.is_some() && *joined != room);
        self.rooms.push(room);
        self
    }

    /// Not the members of this room.
    #[must_use]
    pub fn except_room(mut self, room: RoomKey) -> Self {
        self.except_rooms.push(room);
        self
    }

    /// Not the sockets of this connection.
    #[must_use]
    pub fn except(mut self, connection: ConnectionKey) -> Self {
        self.except.push(connection);
        self
    }

    /// The one room this is, where it can be sent to as it is.
    pub(crate) fn as_room(&self) -> Option<&RoomKey> {
        match &*self.rooms {
            [room] if self.except_rooms.is_empty() => Some(room),
            _ => None,
        }
    }
}

impl From<RoomKey> for Selection {
    fn from(room: RoomKey) -> Self {
        Self { rooms: smallvec![room], except_rooms: Vec::new(), except: Vec::new() }
    }
}

/// Learns whom a broadcast reaches. It is dropped when all shards have been counted.
pub trait Census: Send + Sync {
    /// These sockets of one shard are sent it now. Called with the shard locked, before any of them can answer.
    fn count(&self, sockets: Vec<SocketKey>);
}
