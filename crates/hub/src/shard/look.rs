//! What others may look at while the shard goes on: each look holds its lock for a moment that does not grow with the
//! number of connections.

use super::{Shard, connection::Connection, core::Core, room::RoomId};
use crate::{ConnectionKey, RoomKey, SocketKey};
use roomkey_model::RoomName;

/// Rooms, or members of a room, that are looked at under one lock: some tens of microseconds.
const AT_ONCE: usize = 256;

/// The members of a room when they were copied, by their places in the shard.
#[derive(Debug, Default)]
pub struct Members(Vec<u32>);

impl Members {
    /// How many there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Parts of them, each to be looked at by itself.
    pub fn parts(&self) -> impl Iterator<Item = &[u32]> {
        self.0.chunks(AT_ONCE)
    }
}

/// A socket as the shard knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether its connection is one of long-polling.
    pub is_polling: bool,
    /// The rooms that it is in.
    pub rooms: usize,
}

impl Shard {
    /// Adds to `rooms` the rooms that have a place in this shard from `place` on, with their members here, and gives the
    /// place to go on from; `None` behind the last.
    ///
    /// A few hundred places are looked at under one lock. A room keeps its place, so that each one that is there all the
    /// while is met once. Members that are away and may come back count, too.
    pub fn copy_rooms(&self, place: usize, rooms: &mut Vec<(RoomKey, usize)>) -> Option<usize> {
        let core = self.core.lock();
        let (end, last) = (place + AT_ONCE, core.rooms.capacity());
        let found = (place..end.min(last)).filter_map(|place| core.rooms.get(place));
        rooms
            .extend(found.map(|room| (room.key.clone(), room.members.len())).filter(|(_, count)| *count > 0));
        (end < last).then_some(end)
    }

    /// The members of a room, copied under one lock: four bytes each, some microseconds for ten thousand.
    pub fn copy_members(&self, room: &RoomKey) -> Members {
        let core = self.core.lock();
        Members(core.room_id(room).map(|id| core.rooms[id as usize].members.clone()).unwrap_or_default())
    }

    /// Adds to `sockets` those of a [part](Members::parts) of a room's members that are still in it.
    pub fn sockets_at(&self, room: &RoomKey, part: &[u32], sockets: &mut Vec<SocketKey>) {
        let core = self.core.lock();
        let Some(id) = core.room_id(room) else { return };
        sockets.extend(part.iter().filter_map(|slot| core.member_at(*slot, id, room)));
    }

    /// What the shard knows of a socket; `None` if it has ended.
    pub fn look_at(&self, socket: &SocketKey) -> Option<Seen> {
        let core = self.core.lock();
        let connection = core.at(socket)?;
        let rooms = core.named_rooms(connection, socket).count();
        Some(Seen { is_polling: connection.is_polling(), rooms })
    }

    /// The rooms of a socket, as they are without what others have asked for and has yet to take effect.
    pub fn rooms_seen(&self, socket: &SocketKey) -> Vec<RoomName> {
        let core = self.core.lock();
        let rooms = core.at(socket).map(|connection| core.named_rooms(connection, socket).cloned().collect());
        rooms.unwrap_or_default()
    }
}

impl Core {
    fn at(&self, socket: &SocketKey) -> Option<&Connection> {
        let connection = self.connections.get(socket.connection.slot as usize)?;
        let is_it = connection.generation == socket.connection.generation && connection.has_open(socket);
        is_it.then_some(connection)
    }

    fn named_rooms<'a>(
        &'a self,
        connection: &'a Connection,
        socket: &'a SocketKey,
    ) -> impl Iterator<Item = &'a RoomName> {
        let keys = connection.rooms.iter().map(|place| &self.rooms[place.room as usize].key);
        keys.filter(|key| key.namespace == socket.namespace).filter_map(|key| key.room.as_ref())
    }

    fn member_at(&self, slot: u32, id: RoomId, room: &RoomKey) -> Option<SocketKey> {
        let connection = self.connections.get(slot as usize)?;
        let open = connection.sockets.iter().find(|open| open.namespace == room.namespace)?;
        let key = ConnectionKey { shard: self.shard, slot, generation: connection.generation };
        let is_in = connection.rooms.iter().any(|place| place.room == id);
        is_in.then(|| SocketKey { connection: key, namespace: room.namespace.clone(), serial: open.serial })
    }
}
