use crate::{ConnectionKey, RoomKey};

use super::connection::Emission;

/// A room's place in the shard.
pub(super) type RoomId = u32;

/// What the shard keeps of one room: its own members, and what they have yet to be sent.
pub(super) struct Room {
    pub(super) key: RoomKey,
    /// Which of the shard's rooms this is: one that is opened again is another.
    pub(super) serial: u64,
    /// Slots of the connections that are in.
    pub(super) members: Vec<u32>,
    pub(super) pending: Vec<RoomEmission>,
}

/// An emission to a room.
pub(super) struct RoomEmission {
    pub(super) emission: Emission,
    /// Members that do not get it.
    pub(super) except: Box<[ConnectionKey]>,
}

impl Room {
    pub(super) fn new(key: RoomKey, serial: u64) -> Self {
        Self { key, serial, members: Vec::new(), pending: Vec::new() }
    }

    /// Whether anything emitted at or after `order` waits here.
    pub(super) fn has_pending_since(&self, order: u64) -> bool {
        self.pending.last().is_some_and(|last| last.emission.order >= order)
    }
}
