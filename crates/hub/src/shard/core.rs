//! The state of a shard: connections, rooms, and what was emitted in this tick, in order.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use slab::Slab;
use tokio::net::TcpStream;

use super::{
    connection::{Connection, Emission, OpenSocket, Place},
    counters::Counters,
    flush::{Flush, join_frames},
    inbox::Command,
    log::{Entry, Log, Target},
    room::{Room, RoomEmission, RoomId},
};
use crate::{
    Attention, ConnectionKey, Frame, JoinError, Notice, RoomKey, Selection, SocketKey, Wire, hub::Directory,
    wheel::Wheel,
};

pub(super) struct Core {
    pub(super) shard: u16,
    pub(super) outbox_bytes_max: usize,
    rooms_per_connection_max: usize,
    directory: Arc<Directory>,
    pub(super) connections: Slab<Connection>,
    /// How many of them are parked.
    pub(super) parked: usize,
    /// What was emitted lately, if clients may recover it.
    pub(super) log: Option<Log>,
    pub(super) rooms: Slab<Room>,
    room_ids: HashMap<RoomKey, RoomId>,
    rooms_opened: u64,
    generation: u32,
    /// The place in the order that the next emission gets. Starts at 1.
    pub(super) order: u64,
    /// Rooms with pending emissions that no running flush covers, in the order they were first emitted to.
    pub(super) dirty_rooms: Vec<RoomId>,
    /// Connections with something of their own to be sent.
    pub(super) dirty_connections: Vec<ConnectionKey>,
    pub(super) flush: Option<Flush>,
    /// How many rooms have something pending.
    pub(super) rooms_pending: usize,
    pub(super) flushes: u64,
    pub(super) flushed_to: u64,
    pub(super) counters: Counters,
    /// The time, as of the last flush or deadline.
    pub(super) now_ms: u64,
    pub(super) wheel: Wheel<ConnectionKey>,
    /// When the wheel is looked at next, unless something earlier is armed.
    pub(super) wakes_at_ms: u64,
}

impl Core {
    pub(super) fn new(
        shard: u16,
        outbox_bytes_max: usize,
        rooms_per_connection_max: usize,
        directory: Arc<Directory>,
        log: Option<Log>,
    ) -> Self {
        Self {
            shard,
            outbox_bytes_max,
            rooms_per_connection_max,
            directory,
            connections: Slab::new(),
            parked: 0,
            log,
            rooms: Slab::new(),
            room_ids: HashMap::default(),
            rooms_opened: 0,
            generation: 0,
            order: 1,
            dirty_rooms: Vec::new(),
            dirty_connections: Vec::new(),
            flush: None,
            rooms_pending: 0,
            flushes: 0,
            flushed_to: 1,
            counters: Counters::default(),
            now_ms: 0,
            wheel: Wheel::new(0),
            wakes_at_ms: u64::MAX,
        }
    }

    pub(super) fn insert(&mut self, attention: Arc<dyn Attention>, wire: Wire) -> ConnectionKey {
        self.generation = self.generation.wrapping_add(1);
        let slot = self.connections.insert(Connection::new(self.generation, attention, wire, self.order));
        ConnectionKey { shard: self.shard, slot: narrow(slot), generation: self.generation }
    }

    /// Forgets a connection; what was emitted to it before is still handed to the kernel.
    pub(super) fn remove(&mut self, key: ConnectionKey) {
        if self.connection(key).is_none() {
            return;
        }
        self.settle(key.slot);
        while let Some(place) = self.connections[key.slot as usize].rooms.last() {
            self.remove_member(key.slot, place.room);
        }
        let removed = self.connections.remove(key.slot as usize);
        self.parked -= usize::from(removed.is_parked());
    }

    pub(super) fn room_id(&self, room: &RoomKey) -> Option<RoomId> {
        self.room_ids.get(room).copied()
    }

    pub(super) fn connection(&mut self, key: ConnectionKey) -> Option<&mut Connection> {
        self.connections.get_mut(key.slot as usize).filter(|found| found.generation == key.generation)
    }

    pub(super) fn apply(&mut self, command: Command) {
        match command {
            Command::Broadcast { room, frame, except, volatile } => {
                self.broadcast(&room, &frame, except, volatile);
            }
            Command::BroadcastTo { to, frame, volatile, census } => {
                if let Some(census) = census {
                    let mut sockets = self.sockets(&to);
                    sockets.retain(|socket| !self.connections[socket.connection.slot as usize].is_parked());
                    census.count(sockets);
                }
                self.broadcast_to(&to, &frame, volatile);
            }
            Command::Emit { socket, frame, volatile } => self.emit(&socket, frame, volatile),
            Command::End { socket, notice } => {
                if self.has_open(&socket) {
                    self.close_socket(&socket);
                    self.apply(Command::Notify { connection: socket.connection, notice });
                }
            }
            // There is nobody to tell that the socket is gone, or in too many rooms.
            Command::Join { socket, room } => _ = self.join(&socket, &room),
            Command::JoinMembers { of, room } => {
                for connection in self.select(&of) {
                    // Whoever is in too many rooms already stays out of this one.
                    _ = self.admit(connection, &room);
                }
            }
            Command::Leave { socket, room } => self.leave(&socket, &room),
            Command::LeaveMembers { of, room } => {
                for connection in self.select(&of) {
                    self.dismiss(connection, &room);
                }
            }
            Command::Notify { connection, notice } => {
                if let Some(connection) = self.connection(connection) {
                    connection.attention.notify(notice);
                }
            }
            Command::NotifyAll { notice } => {
                for (_, connection) in &self.connections {
                    connection.attention.notify(notice.clone());
                }
            }
            Command::NotifyMembers { of, notice } => {
                for connection in self.select(&of) {
                    self.apply(Command::Notify { connection, notice: notice.clone() });
                }
            }
            Command::Send { connection, frame, volatile } => self.send(connection, frame, volatile),
        }
    }

    /// A deadline that was armed once has come: announces it, unless another has been armed since.
    pub(super) fn come_due(&mut self, key: ConnectionKey, now_ms: u64) {
        if let Some(connection) = self.connection(key)
            && connection.armed_ms <= now_ms
        {
            connection.armed_ms = u64::MAX;
            connection.attention.notify(Notice::Deadline);
        }
    }

    pub(super) fn send(&mut self, key: ConnectionKey, frame: Frame, volatile: bool) {
        let order = self.order;
        let Some(connection) = self.connection(key) else { return };
        if connection.direct.is_empty() {
            connection.direct.push(Emission { order, frame, volatile });
            self.dirty_connections.push(key);
        } else {
            connection.direct.push(Emission { order, frame, volatile });
        }
        self.order += 1;
    }

    pub(super) fn broadcast(
        &mut self,
        room: &RoomKey,
        frame: &Frame,
        except: Box<[ConnectionKey]>,
        volatile: bool,
    ) {
        let Some(&id) = self.room_ids.get(room) else { return };
        let order = self.order;
        if let (Some(log), Some(offset)) = (&mut self.log, frame.offset()) {
            let target = Target::Room(self.rooms[id as usize].serial);
            let frame = (!volatile).then(|| frame.without_forms());
            log.push(Entry { order, offset, target, except: except.clone(), frame });
        }
        for excluded in &except {
            if let Some(connection) = self.connection(*excluded) {
                connection.excluded_at = order;
            }
        }
        let room = &mut self.rooms[id as usize];
        if !room.has_pending_since(self.flush.as_ref().map_or(0, |flush| flush.end)) {
            self.dirty_rooms.push(id);
        }
        self.rooms_pending += usize::from(room.pending.is_empty());
        room.pending
            .push(RoomEmission { emission: Emission { order, frame: frame.clone(), volatile }, except });
        self.order += 1;
    }

    /// Emits to a selection: to a room as a whole where that is what it is, otherwise to each connection.
    fn broadcast_to(&mut self, to: &Selection, frame: &Frame, volatile: bool) {
        match to.as_room() {
            Some(room) => self.broadcast(room, frame, to.except.as_slice().into(), volatile),
            None => {
                let sockets = self.sockets(to);
                self.emit_to_all(&sockets, frame, volatile);
            }
        }
    }

    /// A new socket of a connection, which ends one that was open in the same namespace.
    pub(super) fn open_socket(&mut self, key: ConnectionKey, namespace: &Arc<str>) -> SocketKey {
        self.generation = self.generation.wrapping_add(1);
        let socket = SocketKey { connection: key, namespace: namespace.clone(), serial: self.generation };
        self.leave_namespace(key, namespace);
        if let Some(connection) = self.connection(key) {
            let (namespace, serial) = (namespace.clone(), socket.serial);
            connection.sockets.push(OpenSocket { namespace, serial, is_muted: false });
        }
        socket
    }

    /// Ends a socket: it is in no room any more, and nothing reaches it.
    pub(super) fn close_socket(&mut self, socket: &SocketKey) {
        if self.has_open(socket) {
            self.leave_namespace(socket.connection, &socket.namespace);
        }
    }

    pub(super) fn has_open(&mut self, socket: &SocketKey) -> bool {
        self.connection(socket.connection).is_some_and(|connection| connection.has_open(socket))
    }

    pub(super) fn emit(&mut self, socket: &SocketKey, frame: Frame, volatile: bool) {
        self.log_for(std::slice::from_ref(socket), &frame, volatile);
        if self.hears(socket, &frame) {
            self.send(socket.connection, frame, volatile);
        }
    }

    fn emit_to_all(&mut self, sockets: &[SocketKey], frame: &Frame, volatile: bool) {
        self.log_for(sockets, frame, volatile);
        for socket in sockets {
            if self.hears(socket, frame) {
                self.send(socket.connection, frame.clone(), volatile);
            }
        }
    }

    /// Whether a socket is sent this frame now.
    fn hears(&mut self, socket: &SocketKey, frame: &Frame) -> bool {
        let now_ms = self.now_ms;
        self.connection(socket.connection).is_some_and(|connection| {
            connection.expires_ms > now_ms
                && connection.has_open(socket)
                && !(frame.offset().is_some() && connection.is_muted(socket))
        })
    }

    /// Remembers a recoverable frame for sockets, also for those that are gone and may come back.
    fn log_for(&mut self, sockets: &[SocketKey], frame: &Frame, volatile: bool) {
        if let (Some(log), Some(offset)) = (&mut self.log, frame.offset()) {
            let mut serials: Box<[u32]> = sockets.iter().map(|socket| socket.serial).collect();
            serials.sort_unstable();
            let target = Target::Sockets(serials);
            let frame = (!volatile).then(|| frame.without_forms());
            log.push(Entry { order: self.order, offset, target, except: Box::default(), frame });
            self.order += 1;
        }
    }

    /// Makes a socket a member of a room.
    pub(super) fn join(&mut self, socket: &SocketKey, room: &RoomKey) -> Result<(), JoinError> {
        if !self.has_open(socket) {
            return Err(JoinError::Gone);
        }
        self.admit(socket.connection, room)
    }

    /// Ends a socket's membership of a room.
    pub(super) fn leave(&mut self, socket: &SocketKey, room: &RoomKey) {
        if self.has_open(socket) {
            self.dismiss(socket.connection, room);
        }
    }

    /// Makes a connection a member; emissions of before are not for it.
    fn admit(&mut self, key: ConnectionKey, room: &RoomKey) -> Result<(), JoinError> {
        let existing = self.room_ids.get(room).copied();
        let rooms_max = self.rooms_per_connection_max;
        let Some(connection) = self.connection(key) else { return Err(JoinError::Gone) };
        if existing.is_some_and(|id| connection.rooms.iter().any(|place| place.room == id)) {
            return Ok(());
        }
        if connection.rooms.len() >= rooms_max {
            self.counters.rooms_refused += 1;
            return Err(JoinError::TooManyRooms);
        }
        self.settle(key.slot);
        let id = existing.unwrap_or_else(|| self.open_room(room));
        let members = &mut self.rooms[id as usize].members;
        if members.is_empty() {
            self.directory.add(room, self.shard);
        }
        let place = Place { room: id, index: narrow(members.len()), since: self.order };
        self.connections[key.slot as usize].rooms.push(place);
        members.push(key.slot);
        Ok(())
    }

    /// Ends a membership; what was emitted before still reaches the connection.
    fn dismiss(&mut self, key: ConnectionKey, room: &RoomKey) {
        let (Some(id), Some(_)) = (self.room_ids.get(room).copied(), self.connection(key)) else { return };
        self.settle(key.slot);
        self.remove_member(key.slot, id);
    }

    /// The connections that carry the selected sockets, each once.
    fn select(&self, selection: &Selection) -> Vec<ConnectionKey> {
        let mut seen: HashSet<_> = selection.except.iter().copied().collect();
        for room in &selection.except_rooms {
            seen.extend(self.members(room));
        }
        let mut selected: Vec<_> = selection.rooms.iter().flat_map(|room| self.members(room)).collect();
        selected.retain(|connection| {
            let before = self.connections[connection.slot as usize].before();
            !before.is_some_and(|before| selection.except.contains(&before)) && seen.insert(*connection)
        });
        selected
    }

    fn sockets(&self, selection: &Selection) -> Vec<SocketKey> {
        let namespace = &selection.rooms[0].namespace;
        let socket = |connection: ConnectionKey| {
            let sockets = &self.connections[connection.slot as usize].sockets;
            let open = sockets.iter().find(|open| open.namespace == *namespace)?;
            Some(SocketKey { connection, namespace: namespace.clone(), serial: open.serial })
        };
        self.select(selection).into_iter().filter_map(socket).collect()
    }

    pub(super) fn members(&self, room: &RoomKey) -> Vec<ConnectionKey> {
        let Some(&id) = self.room_ids.get(room) else { return Vec::new() };
        let key = |slot: &u32| ConnectionKey {
            shard: self.shard,
            slot: *slot,
            generation: self.connections[*slot as usize].generation,
        };
        self.rooms[id as usize].members.iter().map(key).collect()
    }

    pub(super) fn is_member(&mut self, socket: &SocketKey, room: &RoomKey) -> bool {
        let Some(id) = self.room_ids.get(room).copied() else { return false };
        self.connection(socket.connection)
            .is_some_and(|found| found.has_open(socket) && found.rooms.iter().any(|place| place.room == id))
    }

    /// Takes a connection out of a namespace and all of its rooms.
    fn leave_namespace(&mut self, key: ConnectionKey, namespace: &str) {
        let Some(connection) = self.connection(key) else { return };
        let sockets_before = connection.sockets.len();
        connection.sockets.retain(|open| *open.namespace != *namespace);
        if connection.sockets.len() == sockets_before {
            return;
        }
        let joined: Vec<RoomId> = connection.rooms.iter().map(|place| place.room).collect();
        self.settle(key.slot);
        for id in joined {
            if *self.rooms[id as usize].key.namespace == *namespace {
                self.remove_member(key.slot, id);
            }
        }
    }

    pub(super) fn upgrade(&mut self, key: ConnectionKey, stream: Arc<TcpStream>) {
        let bytes_max = self.outbox_bytes_max;
        if self.connection(key).is_some() {
            self.settle(key.slot);
            self.connections[key.slot as usize].upgrade(stream, bytes_max);
        }
    }

    /// Brings one connection up to date: everything emitted so far that is for it leaves in one write.
    pub(super) fn settle(&mut self, slot: u32) {
        let connection = &mut self.connections[slot as usize];
        let key = ConnectionKey { shard: self.shard, slot, generation: connection.generation };
        let settled = std::mem::replace(&mut connection.settled, self.order);
        let mut emissions = std::mem::take(&mut connection.direct);
        if connection.is_parked() {
            return;
        }
        let mut sources = usize::from(!emissions.is_empty());
        // Most of the time no room has anything waiting, and a connection may be in many.
        let hears_rooms = self.rooms_pending > 0 && connection.expires_ms > self.now_ms;
        let rooms: &[_] = if hears_rooms { &connection.rooms } else { &[] };
        for place in rooms {
            let room = &self.rooms[place.room as usize];
            if room.has_pending_since(settled) {
                sources += 1;
                let is_muted = connection.mutes(&room.key.namespace);
                let new = room.pending.iter().filter(|pending| pending.emission.order >= settled);
                let heard = new.filter(|pending| !(is_muted && pending.emission.frame.offset().is_some()));
                let mine = heard.filter(|pending| !pending.except.contains(&key));
                emissions.extend(mine.map(|pending| pending.emission.clone()));
            }
        }
        if sources > 1 {
            emissions.sort_by_key(|emission| emission.order);
        }
        if connection.is_blocked() {
            let before = emissions.len();
            emissions.retain(|emission| !emission.volatile);
            self.counters.volatile_dropped += (before - emissions.len()) as u64;
        }
        if emissions.is_empty() {
            return;
        }
        self.counters.wrote(emissions.len());
        let websocket = join_frames(emissions.iter().map(|emission| &emission.frame), connection.dialect);
        let frames = emissions.iter().map(|emission| &emission.frame);
        connection.write(&websocket, frames, self.outbox_bytes_max);
    }

    fn open_room(&mut self, key: &RoomKey) -> RoomId {
        self.rooms_opened += 1;
        let id = narrow(self.rooms.insert(Room::new(key.clone(), self.rooms_opened)));
        self.room_ids.insert(key.clone(), id);
        id
    }

    fn remove_member(&mut self, slot: u32, id: RoomId) {
        let rooms = &mut self.connections[slot as usize].rooms;
        let Some(at) = rooms.iter().position(|place| place.room == id) else { return };
        let index = rooms.swap_remove(at).index;
        let members = &mut self.rooms[id as usize].members;
        members.swap_remove(index as usize);
        if let Some(&moved) = members.get(index as usize) {
            let place = self.connections[moved as usize].rooms.iter_mut().find(|place| place.room == id);
            place.expect("a member knows its rooms").index = index;
        } else if members.is_empty() {
            self.close_room(id);
        }
    }

    /// Forgets an empty room, unless a flush will still come by: it then does this itself.
    pub(super) fn close_room(&mut self, id: RoomId) {
        let room = &self.rooms[id as usize];
        if !room.members.is_empty() {
            return;
        }
        self.directory.remove(&room.key, self.shard);
        if room.pending.is_empty() {
            self.room_ids.remove(&room.key);
            self.rooms.remove(id as usize);
        }
    }
}

/// Slots and rooms are counted in 32 bits: more than four thousand million do not fit a node.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 connections, rooms and members")
}
