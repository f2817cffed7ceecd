//! One core's part of the hub.

mod connection;
mod core;
mod counters;
mod flush;
mod inbox;
mod log;
mod look;
mod parked;
#[cfg(test)]
mod recovery_tests;
mod room;
#[cfg(test)]
mod tests;

use std::{cell::Cell, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use roomkey_model::RoomName;
use tokio::{
    net::TcpStream,
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep_until},
};

pub(crate) use self::inbox::Command;
pub use self::{
    connection::Wire,
    counters::Counters,
    log::LogConfig,
    look::{Members, Seen},
    parked::{Era, History, Missed, Reach},
};
use self::{core::Core, flush::Progress, inbox::Inbox, log::Log};
use crate::{
    Attention, ConnectionKey, Dialect, Frame, HubConfig, Offset, RoomKey, SocketKey, hub::Directory,
};

/// The longest that a busy room waits for more to send.
const PACE_MAX: Duration = Duration::from_millis(10);

/// Connections whose deadlines are announced before others have their turn.
const DEADLINES_PER_TURN: usize = 16;

thread_local! {
    /// The shard that this thread runs, as the address of its [`Shard`].
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// One core's connections and rooms.
///
/// Its thread calls [`Self::enter`] once and keeps [`Self::run`] going. Connections are made, read and ended on
/// that thread; emitting and joining go through [`crate::Hub`], from any thread.
pub struct Shard {
    index: u16,
    /// Locked by the shard's own thread, and for a moment by whoever reads counters: as good as never waited for.
    core: Mutex<Core>,
    inbox: Inbox,
    dirty: Notify,
    armed: Notify,
    epoch: Instant,
}

/// Why a socket did not join a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// The socket is not open any more.
    Gone,
    /// The socket's connection is in as many rooms as it may be.
    TooManyRooms,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "the socket has ended",
            Self::TooManyRooms => "the connection is in as many rooms as it may be",
        })
    }
}

impl std::error::Error for JoinError {}

impl Shard {
    pub(crate) fn new(index: u16, config: &HubConfig, directory: Arc<Directory>, epoch: Instant) -> Self {
        let log = config.log.map(Log::new);
        let core = Core::new(index, config.outbox_bytes_max, config.rooms_per_connection_max, directory, log);
        Self {
            index,
            core: Mutex::new(core),
            inbox: Inbox::default(),
            dirty: Notify::new(),
            armed: Notify::new(),
            epoch,
        }
    }

    /// Its place among [`crate::Hub::shards`].
    pub fn index(&self) -> usize {
        usize::from(self.index)
    }

    /// Declares the calling thread to be the one that runs this shard.
    pub fn enter(&self) {
        CURRENT.set(std::ptr::from_ref(self).addr());
    }

    pub(crate) fn is_current(&self) -> bool {
        CURRENT.get() == std::ptr::from_ref(self).addr()
    }

    /// Flushes at the end of each tick and fires deadlines, for as long as it is polled.
    pub async fn run(&self) {
        tokio::join!(self.run_flushes(), self.run_deadlines());
    }

    /// Takes in a connection of this shard.
    pub fn insert(&self, attention: Arc<dyn Attention>, wire: Wire) -> ConnectionKey {
        self.with_core(|core| core.insert(attention, wire))
    }

    /// Changes the form of the connection's frames, those that still wait included.
    pub fn set_dialect(&self, connection: ConnectionKey, dialect: Option<&'static Dialect>) {
        self.with_core(|core| {
            if let Some(found) = core.connection(connection) {
                found.dialect = dialect;
            }
        });
    }

    /// Forgets a connection: it leaves every room. What was emitted to it before is written as far as the kernel
    /// takes it at once.
    pub fn remove(&self, connection: ConnectionKey) {
        self.with_core(|core| core.remove(connection));
    }

    /// Moves a polling connection to a WebSocket; frames that no poll took leave through it, in order.
    pub fn upgrade(&self, connection: ConnectionKey, stream: Arc<TcpStream>) {
        self.with_core(|core| core.upgrade(connection, stream));
    }

    /// A socket of a connection in a namespace. One that was open there is closed.
    pub fn open_socket(&self, connection: ConnectionKey, namespace: &Arc<str>) -> SocketKey {
        self.with_core(|core| core.open_socket(connection, namespace))
    }

    /// Ends a socket: it leaves all rooms, and whoever still holds its key reaches nobody.
    pub fn close_socket(&self, socket: &SocketKey) {
        self.with_core(|core| core.close_socket(socket));
    }

    /// The place in the order that the next emission gets.
    pub fn position(&self) -> u64 {
        self.with_core(|core| core.order)
    }

    /// Takes a socket off its connection but leaves it in its rooms, unread; `None` if it is not open.
    pub fn park(&self, socket: &SocketKey, attention: Arc<dyn Attention>) -> Option<SocketKey> {
        self.with_core(|core| core.park(socket, attention))
    }

    /// A parked socket that was never open in this process.
    pub fn insert_parked(&self, namespace: &Arc<str>, attention: Arc<dyn Attention>) -> SocketKey {
        self.with_core(|core| core.insert_parked(namespace, attention, None))
    }

    /// What a parked socket was sent since the beginning of `era`, or since the offset `after`; `None` if it is gone.
    /// More than `bytes_max` of frames is too much.
    pub fn look_back(
        &self,
        parked: &SocketKey,
        era: &Era,
        after: Option<Offset>,
        bytes_max: usize,
    ) -> Option<History> {
        self.with_core(|core| core.look_back(parked, era, after, bytes_max))
    }

    /// The newest of what a parked socket was sent since the beginning of `era`: at least `count_max`, if there is so
    /// much. `None` if it is gone.
    pub fn newest(&self, parked: &SocketKey, era: &Era, count_max: usize) -> Option<History> {
        self.with_core(|core| core.newest(parked, era, count_max))
    }

    /// Makes an open socket deaf to what is recoverable, until it is released.
    pub fn mute(&self, socket: &SocketKey) {
        self.with_core(|core| core.mute(socket));
    }

    /// Lets a muted socket hear again: first the frames that `catch_up` makes of what it was kept from since its
    /// place `since` in the order, then everything else. Returns its new place; `None` if `catch_up` made nothing.
    pub fn release(
        &self,
        socket: &SocketKey,
        since: u64,
        bytes_max: usize,
        catch_up: impl FnOnce(History) -> Option<Vec<Frame>>,
    ) -> Option<u64> {
        self.with_core(|core| core.release(socket, since, bytes_max, catch_up))
    }

    /// Whether a socket has not ended.
    pub fn is_open(&self, socket: &SocketKey) -> bool {
        self.with_core(|core| core.has_open(socket))
    }

    /// The rooms of a socket.
    pub fn rooms_of(&self, socket: &SocketKey) -> Vec<RoomName> {
        self.with_core(|core| core.rooms_of(socket))
    }

    /// Writes at once what was emitted to a connection in this tick. True if the kernel took all there was.
    pub fn flush_now(&self, connection: ConnectionKey) -> bool {
        self.with_core(|core| {
            if core.connection(connection).is_some() {
                core.settle(connection.slot);
            }
            core.connection(connection).is_none_or(|found| found.queued_bytes() == 0)
        })
    }

    /// After [`crate::Notice::WantsWrite`], once the WebSocket is writable. True when nothing waits any more.
    pub fn drain(&self, connection: ConnectionKey) -> bool {
        self.with_core(|core| core.connection(connection).is_none_or(|found| found.drain()))
    }

    /// Takes the packets that wait for a polling request, up to `packets_max`. With nothing
    /// there, the next frame is announced with [`crate::Notice::WantsWrite`].
    pub fn poll(&self, connection: ConnectionKey, packets_max: usize) -> Vec<Bytes> {
        self.with_core(|core| {
            if core.connection(connection).is_some() {
                core.settle(connection.slot);
            }
            core.connection(connection).map_or_else(Vec::new, |found| found.poll(packets_max))
        })
    }

    /// The polling request that waited was given up.
    pub fn stop_polling(&self, connection: ConnectionKey) {
        self.with_core(|core| {
            if let Some(found) = core.connection(connection) {
                found.stop_polling();
            }
        });
    }

    /// Arms the deadline of a connection, in milliseconds of [`crate::Hub::now_ms`]. There is one for each; the last
    /// call counts, and [`crate::Notice::Deadline`] announces it.
    pub fn arm(&self, connection: ConnectionKey, deadline_ms: u64) {
        let earlier = self.with_core(|core| {
            let Some(found) = core.connection(connection) else { return false };
            found.armed_ms = deadline_ms;
            core.wheel.arm(deadline_ms, connection);
            deadline_ms < core.wakes_at_ms
        });
        if earlier {
            self.armed.notify_one();
        }
    }

    /// Lets nothing that is emitted to its sockets or rooms reach a connection from `expires_ms` on, in milliseconds of
    /// [`crate::Hub::now_ms`], however late its task learns of it. What is sent to the connection itself still does.
    pub fn expire_at(&self, connection: ConnectionKey, expires_ms: u64) {
        self.with_core(|core| {
            if let Some(found) = core.connection(connection) {
                found.expires_ms = expires_ms;
            }
        });
    }

    /// Connections of this shard; parked sockets have none.
    pub fn connection_count(&self) -> usize {
        let core = self.core.lock();
        core.connections.len() - core.parked
    }

    /// What this shard has done since it started.
    pub fn counters(&self) -> Counters {
        self.core.lock().counters
    }

    /// Does `command` now if this is the shard's thread, otherwise leaves it in the inbox.
    pub(crate) fn submit(&self, command: Command) {
        if self.is_current() {
            self.with_core(|core| core.apply(command));
        } else {
            self.inbox.push(command);
            self.dirty.notify_one();
        }
    }

    /// Whether something that another thread asked for has yet to take effect: until then, who is in which room is
    /// not known outside.
    pub(crate) fn is_behind(&self) -> bool {
        self.inbox.is_behind()
    }

    pub(crate) fn join(&self, socket: &SocketKey, room: &RoomKey) -> Result<(), JoinError> {
        if self.is_current() {
            return self.with_core(|core| core.join(socket, room));
        }
        self.submit(Command::Join { socket: socket.clone(), room: room.clone() });
        Ok(())
    }

    pub(crate) fn is_member(&self, socket: &SocketKey, room: &RoomKey) -> bool {
        self.with_core(|core| core.is_member(socket, room))
    }

    /// Runs `act` after everything that other threads asked for before.
    fn with_core<T>(&self, act: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core.lock();
        let before = core.dirt();
        self.inbox.drain(|command| core.apply(command));
        let result = act(&mut core);
        if core.dirt().is_more_than(before) {
            self.dirty.notify_one();
        }
        result
    }

    /// Flushes whenever something was emitted: between two batches of the tasks that are ready, the shard's ticks.
    ///
    /// A room that had several frames to send is busy: its next flush waits a little, so that more of them share
    /// a write. What goes to single connections does not wait for that.
    async fn run_flushes(&self) {
        let mut rooms_not_before = self.epoch;
        loop {
            self.dirty.notified().await;
            while Instant::now() < rooms_not_before && self.with_core(Core::flush_connections).rooms {
                tokio::select! {
                    () = sleep_until(rooms_not_before) => {}
                    () = self.dirty.notified() => {}
                }
            }
            let started = Instant::now();
            let coalesced = loop {
                match self.with_core(|core| core.flush(self.now_ms())) {
                    Progress::Finished { coalesced } => break coalesced,
                    Progress::Unfinished => yield_now().await,
                }
            };
            if coalesced {
                let now = Instant::now();
                rooms_not_before = now + ((now - started) / 4).min(PACE_MAX);
            }
        }
    }

    async fn run_deadlines(&self) {
        let mut due = Vec::new();
        loop {
            let next_ms = self.with_core(|core| {
                let next_ms = core.wheel.next_ms();
                core.wakes_at_ms = next_ms.unwrap_or(u64::MAX);
                next_ms
            });
            match next_ms {
                None => self.armed.notified().await,
                Some(ms) => tokio::select! {
                    () = sleep_until(self.epoch + Duration::from_millis(ms)) => {}
                    () = self.armed.notified() => {}
                },
            }
            let now_ms = self.now_ms();
            self.with_core(|core| {
                core.now_ms = now_ms;
                core.wheel.advance(now_ms, &mut due);
            });
            // Thousands may come due at once, and each has something to do: others have their turn in between.
            while !due.is_empty() {
                let few = due.len().saturating_sub(DEADLINES_PER_TURN);
                self.with_core(|core| due.drain(few..).for_each(|key| core.come_due(key, now_ms)));
                if !due.is_empty() {
                    yield_now().await;
                }
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "2^64 milliseconds do not pass")]
    pub(crate) fn now_ms(&self) -> u64 {
        self.epoch.elapsed().as_millis() as u64
    }
}
