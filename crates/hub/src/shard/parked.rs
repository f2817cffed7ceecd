//! Sockets whose client is away and may come back: they stay in their rooms, and nothing is written for them.

use std::{collections::HashMap, sync::Arc};

use roomkey_model::RoomName;

use super::{
    connection::{Place, Wire},
    core::Core,
    log::{Entry, Target},
};
use crate::{Attention, ConnectionKey, Frame, Offset, SocketKey};

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
    /// Where the emissions begin.
    pub reach: Reach,
}

/// How far back a history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Something is forgotten or unknown.
    Cut,
    /// To the beginning of the era.
    Era,
    /// To the offset that was asked for.
    Offset,
    /// It would be more than was asked for.
    TooMuch,
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
        let parked = self.insert_parked(&socket.namespace, attention, Some(socket.connection));
        let to = parked.connection.slot;
        self.connections[from].retain_sockets(|open| open.serial != socket.serial);
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
    pub(super) fn insert_parked(
        &mut self,
        namespace: &Arc<str>,
        attention: Arc<dyn Attention>,
        before: Option<ConnectionKey>,
    ) -> SocketKey {
        let connection = self.insert(attention, Wire::Parked { before });
        self.parked += 1;
        self.open_socket(connection, namespace)
    }

    /// Makes a socket deaf until it is released: what it misses meanwhile is in the log.
    pub(super) fn mute(&mut self, socket: &SocketKey) {
        if let Some(connection) = self.connection(socket.connection) {
            connection.with_open(socket, |open| open.is_muted = true);
        }
    }

    /// Lets a muted socket hear again, after what `catch_up` makes of its history since `since`. Returns its place in
    /// the order, from which on it hears by itself. If there is nothing that `catch_up` could make, it stays muted.
    pub(super) fn release(
        &mut self,
        socket: &SocketKey,
        since: u64,
        bytes_max: usize,
        catch_up: impl FnOnce(History) -> Option<Vec<Frame>>,
    ) -> Option<u64> {
        if !self.has_open(socket) {
            return None;
        }
        let era = Era { socket: Some(socket.clone()), since };
        let frames = catch_up(self.history(socket, &era, None, bytes_max))?;
        self.settle(socket.connection.slot);
        if let Some(connection) = self.connection(socket.connection) {
            connection.with_open(socket, |open| open.is_muted = false);
        }
        for frame in frames {
            self.send(socket.connection, frame, false);
        }
        Some(self.order)
    }

    /// What a parked socket was sent during `era` and since, after an offset if that is given.
    pub(super) fn look_back(
        &mut self,
        parked: &SocketKey,
        era: &Era,
        after: Option<Offset>,
        bytes_max: usize,
    ) -> Option<History> {
        self.has_open(parked).then(|| self.history(parked, era, after, bytes_max))
    }

    /// The newest of what a parked socket was sent during `era` and since.
    pub(super) fn newest(&mut self, parked: &SocketKey, era: &Era, count_max: usize) -> Option<History> {
        if !self.has_open(parked) {
            return None;
        }
        let viewer = Viewer::new(self, parked, era);
        let log = self.log.as_ref();
        let entries = log.into_iter().flat_map(|log| log.since(era.since).rev());
        let mut emissions: Vec<Missed> =
            entries.filter_map(|entry| viewer.see(entry)).take(count_max + 1).collect();
        emissions.reverse();
        let is_all = emissions.len() <= count_max && log.is_some_and(|log| log.is_complete_since(era.since));
        let reach = if is_all { Reach::Era } else { Reach::Cut };
        Some(History { emissions, rooms: self.rooms_of(parked), reach })
    }

    /// The rooms of a socket, in the order in which it joined them.
    pub(super) fn rooms_of(&self, socket: &SocketKey) -> Vec<RoomName> {
        let connection = self.connections.get(socket.connection.slot as usize);
        let places = connection.filter(|found| found.has_open(socket)).map(|found| &found.rooms);
        let rooms = places.into_iter().flatten().map(|place| &self.rooms[place.room as usize].key);
        rooms.filter(|key| key.namespace == socket.namespace).filter_map(|key| key.room.clone()).collect()
    }

    fn history(&self, socket: &SocketKey, era: &Era, after: Option<Offset>, bytes_max: usize) -> History {
        let nothing = |reach| History { emissions: Vec::new(), rooms: self.rooms_of(socket), reach };
        let Some(log) = &self.log else { return nothing(Reach::Cut) };
        let (since, reach) = match after {
            None if log.is_complete_since(era.since) => (era.since, Reach::Era),
            None => return nothing(Reach::Cut),
            // Whatever it was for: the socket may have left the room since.
            Some(after) => match log.since(era.since).rev().find(|entry| entry.offset == after) {
                Some(entry) => (entry.order + 1, Reach::Offset),
                None => return nothing(Reach::Cut),
            },
        };
        let viewer = Viewer::new(self, socket, era);
        let (mut emissions, mut bytes) = (Vec::new(), 0);
        for missed in log.since(since).filter_map(|entry| viewer.see(entry)) {
            bytes += missed.frame.as_ref().map_or(0, |frame| frame.websocket().len());
            if bytes > bytes_max {
                return nothing(Reach::TooMuch);
            }
            emissions.push(missed);
        }
        History { emissions, rooms: self.rooms_of(socket), reach }
    }
}

/// Tells what in the log was for a socket.
struct Viewer<'a> {
    core: &'a Core,
    socket: &'a SocketKey,
    /// The socket as it was before it was parked.
    before: Option<&'a SocketKey>,
    /// Its memberships, by the serial numbers of the rooms. Another socket of the same connection has its own.
    places: HashMap<u64, &'a Place>,
}

impl<'a> Viewer<'a> {
    fn new(core: &'a Core, socket: &'a SocketKey, era: &'a Era) -> Self {
        let places = core.connections[socket.connection.slot as usize].rooms.iter();
        let rooms = places.map(|place| (&core.rooms[place.room as usize], place));
        let mine = rooms.filter(|(room, _)| room.key.namespace == socket.namespace);
        let places = mine.map(|(room, place)| (room.serial, place)).collect();
        Self { core, socket, before: era.socket.as_ref(), places }
    }

    fn see(&self, entry: &Entry) -> Option<Missed> {
        let room = match &entry.target {
            Target::Sockets(serials) => {
                let is_in = |socket: &SocketKey| serials.binary_search(&socket.serial).is_ok();
                (is_in(self.socket) || self.before.is_some_and(is_in)).then_some(None)?
            }
            Target::Room(serial) => {
                let place = self.places.get(serial).filter(|place| place.since <= entry.order)?;
                if self.before.is_some_and(|before| entry.except.contains(&before.connection)) {
                    return None;
                }
                self.core.rooms[place.room as usize].key.room.clone()
            }
        };
        Some(Missed { offset: entry.offset, room, frame: entry.frame.clone() })
    }
}
