use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use parking_lot::RwLock;
use roomkey_model::{Limits, RoomName};
use tokio::time::Instant;

use crate::{
    Census, ConnectionKey, Frame, JoinError, LogConfig, Notice, Offset, RoomKey, Selection, Shard, SocketKey,
    offset::Offsets,
    shard::{Command, Counters},
};

/// What a hub is made with.
#[derive(Clone, Copy, Debug)]
pub struct HubConfig {
    /// How many shards, at most [`Hub::SHARDS_MAX`]: one for each core that serves.
    pub shards: usize,
    /// Bytes that may wait for one connection, before it is taken for a slow reader.
    pub outbox_bytes_max: usize,
    /// Rooms of one connection, over all its namespaces.
    pub rooms_per_connection_max: usize,
    /// Whether some connections may speak a [`crate::Dialect`].
    pub dialects: bool,
    /// What each shard remembers, if clients may recover what they missed.
    pub log: Option<LogConfig>,
}

impl HubConfig {
    /// The configuration that follows from the limits.
    pub fn new(shards: usize, limits: &Limits) -> Self {
        Self {
            shards,
            outbox_bytes_max: limits.outbox_bytes,
            // Each namespace's room of everybody counts, too.
            rooms_per_connection_max: limits.rooms_per_socket + limits.namespaces_per_connection,
            dialects: false,
            log: None,
        }
    }
}

/// All shards of this node. Any thread may emit; on a shard's own thread it costs no lock that another waits for.
pub struct Hub {
    shards: Box<[Shard]>,
    directory: Arc<Directory>,
    dialects: bool,
    /// Read by whoever is broadcasting; present where clients may recover what they missed.
    broadcasts: Option<RwLock<()>>,
    offsets: Offsets,
    epoch: Instant,
}

impl Hub {
    /// Shards a hub can have.
    pub const SHARDS_MAX: usize = 64;

    /// A hub with no connections. The time of [`Self::now_ms`] starts here.
    ///
    /// # Panics
    ///
    /// If the number of shards is not from 1 to [`Self::SHARDS_MAX`].
    pub fn new(config: &HubConfig) -> Self {
        assert!((1..=Self::SHARDS_MAX).contains(&config.shards), "1 to {} shards", Self::SHARDS_MAX);
        let directory = Arc::new(Directory::default());
        let epoch = Instant::now();
        let shards = (0..config.shards)
            .map(|index| u16::try_from(index).expect("at most SHARDS_MAX"))
            .map(|index| Shard::new(index, config, directory.clone(), epoch))
            .collect();
        Self {
            shards,
            directory,
            dialects: config.dialects,
            broadcasts: config.log.map(|_| RwLock::default()),
            offsets: Offsets::default(),
            epoch,
        }
    }

    /// The shards, in order of their index.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The shard a connection lives on.
    pub fn shard_of(&self, connection: ConnectionKey) -> &Shard {
        &self.shards[connection.shard()]
    }

    /// Milliseconds since the hub was made, by a clock that only goes forward.
    #[expect(clippy::cast_possible_truncation, reason = "2^64 milliseconds do not pass")]
    pub fn now_ms(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64
    }

    /// Sends a frame to a connection, whatever sockets it carries. A volatile one is dropped if it would have to wait.
    pub fn send(&self, connection: ConnectionKey, frame: Frame, volatile: bool) {
        self.shard_of(connection).submit(Command::Send { connection, frame, volatile });
    }

    /// Emits a frame to one socket, unless it has ended.
    pub fn emit(&self, socket: &SocketKey, frame: Frame, volatile: bool) {
        let command = Command::Emit { socket: socket.clone(), frame, volatile };
        self.shard_of(socket.connection).submit(command);
    }

    /// Emits a frame to every member of a room but `except`.
    pub fn broadcast(&self, room: &RoomKey, frame: &Frame, except: &[ConnectionKey], volatile: bool) {
        let _broadcasting = self.broadcasts.as_ref().map(RwLock::read);
        let frame = if self.dialects { &frame.shared() } else { frame };
        for shard in self.shards_with(room) {
            shard.submit(Command::Broadcast {
                room: room.clone(),
                frame: frame.clone(),
                except: except.into(),
                volatile,
            });
        }
    }

    /// Emits a frame to every selected socket. `census` is told who they are.
    pub fn broadcast_to(
        &self,
        to: &Selection,
        frame: &Frame,
        volatile: bool,
        census: Option<&Arc<dyn Census>>,
    ) {
        let _broadcasting = self.broadcasts.as_ref().map(RwLock::read);
        let frame = if self.dialects { &frame.shared() } else { frame };
        for shard in self.shards_with_any(&to.rooms) {
            shard.submit(Command::BroadcastTo {
                to: to.clone(),
                frame: frame.clone(),
                volatile,
                census: census.cloned(),
            });
        }
    }

    /// The offset of one more recoverable emission; `None` where nothing is recovered. `now_ms` is asked for the time
    /// since the Unix epoch.
    pub fn next_offset(&self, now_ms: impl FnOnce() -> u64) -> Option<Offset> {
        self.broadcasts.as_ref().map(|_| self.offsets.next(now_ms()))
    }

    /// The last offset that was given.
    pub fn last_offset(&self) -> Offset {
        self.offsets.last()
    }

    /// Waits for broadcasts that have begun and keeps others from beginning, for as long as the guard is kept: a moment
    /// in which nothing is emitted to rooms.
    pub fn quiesce(&self) -> Option<impl Drop + '_> {
        self.broadcasts.as_ref().map(RwLock::write)
    }

    /// Makes a socket a member of a room of its namespace.
    ///
    /// From another thread than its shard's this takes effect later, in order with what else this thread asks, and
    /// a limit that forbids it is not reported.
    pub fn join(&self, socket: &SocketKey, room: &RoomKey) -> Result<(), JoinError> {
        debug_assert_eq!(socket.namespace, room.namespace);
        self.shard_of(socket.connection).join(socket, room)
    }

    /// Ends a membership.
    pub fn leave(&self, socket: &SocketKey, room: &RoomKey) {
        let command = Command::Leave { socket: socket.clone(), room: room.clone() };
        self.shard_of(socket.connection).submit(command);
    }

    /// Whether a socket is in a room. Exact on the socket's own shard thread.
    pub fn is_member(&self, socket: &SocketKey, room: &RoomKey) -> bool {
        self.shard_of(socket.connection).is_member(socket, room)
    }

    /// The rooms of a socket. Exact on the socket's own shard thread.
    pub fn rooms_of(&self, socket: &SocketKey) -> Vec<RoomName> {
        self.shard_of(socket.connection).rooms_of(socket)
    }

    /// Makes every socket of a selection a member of `room`, too.
    pub fn join_members(&self, of: &Selection, room: &RoomKey) {
        for shard in self.shards_with_any(&of.rooms) {
            shard.submit(Command::JoinMembers { of: of.clone(), room: room.clone() });
        }
    }

    /// Takes every socket of a selection out of `room`.
    pub fn leave_members(&self, of: &Selection, room: &RoomKey) {
        for shard in self.shards_with_any(&of.rooms) {
            shard.submit(Command::LeaveMembers { of: of.clone(), room: room.clone() });
        }
    }

    /// Ends a socket, from any thread: it is in no room any more and nothing that is emitted from now on reaches it. Its
    /// connection is told by `notice`.
    pub fn end_socket(&self, socket: &SocketKey, notice: Notice) {
        self.shard_of(socket.connection).submit(Command::End { socket: socket.clone(), notice });
    }

    /// Gets the attention of one connection.
    pub fn notify(&self, connection: ConnectionKey, notice: Notice) {
        self.shard_of(connection).submit(Command::Notify { connection, notice });
    }

    /// Gets the attention of every socket's connection.
    pub fn notify_members(&self, of: &Selection, notice: &Notice) {
        for shard in self.shards_with_any(&of.rooms) {
            shard.submit(Command::NotifyMembers { of: of.clone(), notice: notice.clone() });
        }
    }

    /// Gets the attention of every connection.
    pub fn notify_all(&self, notice: &Notice) {
        for shard in &self.shards {
            shard.submit(Command::NotifyAll { notice: notice.clone() });
        }
    }

    /// Connections of this node.
    pub fn connection_count(&self) -> usize {
        self.shards.iter().map(Shard::connection_count).sum()
    }

    /// Rooms of this node that have members, each namespace's room of everyone included.
    pub fn room_count(&self) -> usize {
        self.directory.rooms.read().len()
    }

    /// What all shards together have done.
    pub fn counters(&self) -> Counters {
        self.shards.iter().map(Shard::counters).fold(Counters::default(), Counters::plus)
    }

    /// The shards that have members of a room, and those that may have some once they have done what they were
    /// asked before.
    fn shards_with(&self, room: &RoomKey) -> impl Iterator<Item = &Shard> {
        self.shards_with_any(std::slice::from_ref(room))
    }

    fn shards_with_any(&self, rooms: &[RoomKey]) -> impl Iterator<Item = &Shard> {
        let present = rooms.iter().fold(0, |shards, room| shards | self.directory.shards(room));
        let concerned =
            move |(index, shard): &(usize, &Shard)| present & 1 << index != 0 || shard.is_behind();
        self.shards.iter().enumerate().filter(concerned).map(|(_, shard)| shard)
    }
}

/// Which shards have members of a room, so that an emission wakes no other.
#[derive(Default)]
pub(crate) struct Directory {
    rooms: RwLock<HashMap<RoomKey, u64>>,
}

impl Directory {
    pub(crate) fn add(&self, room: &RoomKey, shard: u16) {
        *self.rooms.write().entry(room.clone()).or_insert(0) |= 1 << shard;
    }

    pub(crate) fn remove(&self, room: &RoomKey, shard: u16) {
        if let Entry::Occupied(mut entry) = self.rooms.write().entry(room.clone()) {
            *entry.get_mut() &= !(1 << shard);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    fn shards(&self, room: &RoomKey) -> u64 {
        self.rooms.read().get(room).copied().unwrap_or(0)
    }
}
