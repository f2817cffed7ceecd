//! Sockets whose client is away and may come back: they stay in their rooms, and nothing is written for them.

use std::{collections::HashMap, sync::Arc};

use roomkey_model::RoomName;

use super::{
    connection::{Place, Wire},
    core::Core,
    log::Target,
};
use crate::{Attention, Frame, Offset, SocketKey};

/// The time of one connection in the life of a socket that is recovered.
#[derive(Clone, Debug)]
pub struct Era {
    /// The socket as it was on that connection; `None` if that was in an earlier process.
    pub socket: Option<SocketKey>,
    /// Its place in the order of the shard where it began.
    pub since: u64,
}

/// What a socket was sent, or would have been, during an era.
#[derive(Debug)]
pub struct History {
    /// In the order in which the client received it or would have.
    pub emissions: Vec<Missed>,
    /// The rooms the socket is in.
    pub rooms: Vec<RoomName>,
    /// Whether that is all: nothing is forgotten.
    pub is_complete: bool,
}

/// One recoverable emission of the past.
#[derive(Clone, Debug)]
pub struct Missed {
    /// Its name.
    pub offset: Offset,
    /// The room it was for; `None` for the socket alone and for everyone.
    pub room: Option<RoomName>,
    /// `None`: it was volatile, and is not sent again.
    pub frame: Option<Frame>,
}

impl Core {
    /// Takes an open socket off its connection, with all its rooms: nobody notices that the client is away.
    pub(super) fn park(&mut self, socket: &SocketKey, attention: Arc<dyn Attention>) -> Option<SocketKey> {
        if !self.has_open(socket) {
            return None;
        }
        let from = socket.connection.slot as usize;
        self.settle(socket.connection.slot);
        let parked = self.insert_parked(&socket.namespace, attention);
        let to = parked.connection.slot;
        self.connections[from].sockets.retain(|open| open.serial != socket.serial);
        let rooms = std::mem::take(&mut self.connections[from].rooms);
        let (moved, kept) = rooms
            .into_iter()
            .partition(|place| self.rooms[place.room as usize].key.namespace == socket.namespace);
        self.connections[from].rooms = kept;
        self.connections[to as usize].rooms = moved;
        for place in &self.connections[to as usize].rooms {
            self.rooms[place.room as usize].members[place.index as usize] = to;
        }
        Some(parked)
    }

    /// A socket without a client.
    pub(super) fn insert_parked(&mut self, namespace: &Arc<str>, attention: Arc<dyn Attention>) -> SocketKey {
        let connection = self.insert(attention, Wire::Parked);
        self.parked += 1;
        self.open_socket(connection, namespace)
    }

    /// Makes a socket deaf until it is released: what it misses meanwhile is in the log.
    pub(super) fn mute(&mut self, socket: &SocketKey) {
        if let Some(connection) = self.connection(socket.connection) {
            connection.has_muted = true;
            for open in connection.sockets.iter_mut().filter(|open| open.serial == socket.serial) {
                open.is_muted = true;
            }
        }
    }

    /// Lets a muted socket hear again, after what `catch_up` makes of its history since `since`. Returns its place in
    /// the order, from which on it hears by itself.
    pub(super) fn release(
        &mut self,
        socket: &SocketKey,
        since: u64,
        catch_up: impl FnOnce(History) -> Vec<Frame>,
    ) -> u64 {
        let era = Era { socket: Some(socket.clone()), since };
        let frames = catch_up(self.history(socket, &era));
        self.settle(socket.connection.slot);
        if let Some(connection) = self.connection(socket.connection) {
            for open in connection.sockets.iter_mut().filter(|open| open.serial == socket.serial) {
                open.is_muted = false;
            }
            connection.has_muted = connection.sockets.iter().any(|open| open.is_muted);
        }
        for frame in frames {
            self.send(socket.connection, frame, false);
        }
        self.order
    }

    /// What a parked socket was sent during `era` and since.
    pub(super) fn look_back(&mut self, parked: &SocketKey, era: &Era) -> Option<History> {
        self.has_open(parked).then(|| self.history(parked, era))
    }

    /// Ends a parked socket and tells what it was sent during `era` and since.
    pub(super) fn claim(&mut self, parked: &SocketKey, era: &Era) -> Option<History> {
        let history = self.look_back(parked, era)?;
        self.remove(parked.connection);
        Some(history)
    }

    /// The rooms of a socket, in the order in which it joined them.
    pub(super) fn rooms_of(&self, socket: &SocketKey) -> Vec<RoomName> {
        let connection = self.connections.get(socket.connection.slot as usize);
        let places = connection.filter(|found| found.has_open(socket)).map(|found| &found.rooms);
        let rooms = places.into_iter().flatten().map(|place| &self.rooms[place.room as usize].key);
        rooms.filter(|key| key.namespace == socket.namespace).filter_map(|key| key.room.clone()).collect()
    }

    fn history(&self, socket: &SocketKey, era: &Era) -> History {
        let places = self.connections[socket.connection.slot as usize].rooms.iter();
        let places: HashMap<u64, &Place> =
            places.map(|place| (self.rooms[place.room as usize].serial, place)).collect();
        let log = self.log.as_ref();
        let entries = log.into_iter().flat_map(|log| log.since(era.since));
        let missed = entries.filter_map(|entry| {
            let room = match &entry.target {
                Target::Sockets(serials) => {
                    let is_it = |socket: &SocketKey| serials.contains(&socket.serial);
                    (is_it(socket) || era.socket.as_ref().is_some_and(is_it)).then_some(None)
                }
                Target::Room(serial) => {
                    let place = places.get(serial).filter(|place| place.since <= entry.order)?;
                    let excluded =
                        era.socket.as_ref().is_some_and(|old| entry.except.contains(&old.connection));
                    (!excluded).then(|| self.rooms[place.room as usize].key.room.clone())
                }
            };
            Some(Missed { offset: entry.offset, room: room?, frame: entry.frame.clone() })
        });
        History {
            emissions: missed.collect(),
            rooms: self.rooms_of(socket),
            is_complete: log.is_some_and(|log| log.is_complete_since(era.since)),
        }
    }
}
