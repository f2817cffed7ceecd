//! The end of a tick: what was emitted leaves, a chunk of writes at a time.

use bytes::{Bytes, BytesMut};

use super::{core::Core, room::RoomId};
use crate::{ConnectionKey, Dialect, Frame};

/// Writes between two looks at the rest of the world: about a millisecond.
const WRITES_PER_CHUNK: usize = 256;

/// A flush under way. It covers the emissions of `[start, end)` to `rooms`, and `connections` of their own.
///
/// Most members of a room get its bytes as they are, shared. A member that needs bytes of its own (it was also
/// sent something directly, is in two of the rooms, was excluded from something, was already given a part, or
/// must not be sent what is volatile) is settled instead, which merges everything for it in order.
pub(super) struct Flush {
    start: u64,
    pub(super) end: u64,
    number: u64,
    rooms: Vec<RoomId>,
    /// How many of `rooms` have been begun.
    begun: usize,
    members: Vec<u32>,
    frames: Vec<Frame>,
    joined: Joined,
    has_volatile: bool,
    connections: Vec<ConnectionKey>,
    frames_per_room_max: usize,
}

/// How far a flush has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Call again, after letting others run.
    Unfinished,
    /// All is written. `coalesced`: some room had more than one frame.
    Finished { coalesced: bool },
}

/// Which kinds of emissions wait to be flushed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dirt {
    pub(super) rooms: bool,
    connections: bool,
}

impl Dirt {
    pub(super) fn is_more_than(self, before: Self) -> bool {
        self.rooms && !before.rooms || self.connections && !before.connections
    }
}

impl Core {
    /// What waits to be flushed.
    pub(super) fn dirt(&self) -> Dirt {
        Dirt { rooms: !self.dirty_rooms.is_empty(), connections: !self.dirty_connections.is_empty() }
    }

    /// Settles the connections that were sent something directly; rooms wait.
    pub(super) fn flush_connections(&mut self) -> Dirt {
        for key in std::mem::take(&mut self.dirty_connections) {
            if self.connection(key).is_some_and(|connection| !connection.direct.is_empty()) {
                self.settle(key.slot);
            }
        }
        self.dirt()
    }

    /// Starts a flush of all that was emitted, or goes on with the one under way.
    pub(super) fn flush(&mut self, now_ms: u64) -> Progress {
        self.now_ms = now_ms;
        let mut flush = self.flush.take().unwrap_or_else(|| self.begin_flush());
        let mut writes = 0;
        while writes < WRITES_PER_CHUNK {
            if let Some(slot) = flush.members.pop() {
                writes += 1;
                self.flush_member(&mut flush, slot);
            } else if let Some(&room) = flush.rooms.get(flush.begun) {
                flush.begun += 1;
                self.begin_room(&mut flush, room);
            } else if let Some(key) = flush.connections.pop() {
                if self.connection(key).is_some_and(|connection| connection.settled < flush.end) {
                    writes += 1;
                    self.settle(key.slot);
                }
            } else {
                return self.end_flush(&flush);
            }
        }
        self.flush = Some(flush);
        Progress::Unfinished
    }

    fn begin_flush(&mut self) -> Flush {
        self.flushes += 1;
        let flush = Flush {
            start: self.flushed_to,
            end: self.order,
            number: self.flushes,
            rooms: std::mem::take(&mut self.dirty_rooms),
            begun: 0,
            members: Vec::new(),
            frames: Vec::new(),
            joined: Joined::default(),
            has_volatile: false,
            connections: std::mem::take(&mut self.dirty_connections),
            frames_per_room_max: 0,
        };
        if flush.rooms.len() > 1 {
            self.mark_members_of_several(&flush);
        }
        flush
    }

    /// A member of two of the rooms must get their frames in the order emitted, not room by room.
    fn mark_members_of_several(&mut self, flush: &Flush) {
        for room in &flush.rooms {
            for slot in &self.rooms[*room as usize].members {
                let connection = &mut self.connections[*slot as usize];
                if connection.met_in_flush == flush.number {
                    connection.excluded_at = connection.excluded_at.max(flush.start);
                } else {
                    connection.met_in_flush = flush.number;
                }
            }
        }
    }

    fn begin_room(&mut self, flush: &mut Flush, room: RoomId) {
        let room = &self.rooms[room as usize];
        let covered = room.pending.iter().filter(|pending| pending.emission.order < flush.end);
        flush.has_volatile = covered.clone().any(|pending| pending.emission.volatile);
        flush.frames.clear();
        flush.frames.extend(covered.map(|pending| pending.emission.frame.clone()));
        flush.frames_per_room_max = flush.frames_per_room_max.max(flush.frames.len());
        flush.joined = Joined::new(&flush.frames);
        flush.members.clone_from(&room.members);
    }

    fn flush_member(&mut self, flush: &mut Flush, slot: u32) {
        let Some(connection) = self.connections.get_mut(slot as usize) else { return };
        if connection.settled >= flush.end {
            return;
        }
        if connection.is_parked() {
            connection.settled = flush.end;
            return;
        }
        if connection.expires_ms <= self.now_ms {
            // What its own task has sent it, such as the reason, is not the room's.
            self.settle(slot);
            return;
        }
        let needs_its_own = connection.settled > flush.start
            || connection.excluded_at >= flush.start
            || !connection.direct.is_empty()
            || connection.withholds
            || flush.has_volatile && connection.is_blocked();
        if needs_its_own {
            self.settle(slot);
        } else {
            connection.settled = flush.end;
            self.counters.wrote(flush.frames.len());
            let joined = flush.joined.in_form(connection.dialect, &flush.frames);
            connection.write(joined, flush.frames.iter(), self.outbox_bytes_max);
        }
    }

    fn end_flush(&mut self, flush: &Flush) -> Progress {
        for id in &flush.rooms {
            let room = &mut self.rooms[*id as usize];
            room.pending.retain(|pending| pending.emission.order >= flush.end);
            self.rooms_pending -= usize::from(room.pending.is_empty());
            self.close_room(*id);
        }
        self.flushed_to = flush.end;
        self.counters.flushes += u64::from(!flush.rooms.is_empty());
        Progress::Finished { coalesced: flush.frames_per_room_max > 1 }
    }
}

/// The frames of a room as one piece, in each form that some member needs.
#[derive(Default)]
struct Joined {
    standard: Bytes,
    others: [Option<Bytes>; Dialect::SLOTS],
}

impl Joined {
    fn new(frames: &[Frame]) -> Self {
        Self { standard: join_frames(frames.iter(), None), others: Default::default() }
    }

    fn in_form(&mut self, dialect: Option<&'static Dialect>, frames: &[Frame]) -> &Bytes {
        match dialect {
            None => &self.standard,
            Some(dialect) => {
                self.others[dialect.slot].get_or_insert_with(|| join_frames(frames.iter(), Some(dialect)))
            }
        }
    }
}

/// The frames as one piece: without a copy where there is only one.
pub(super) fn join_frames<'a>(
    mut frames: impl ExactSizeIterator<Item = &'a Frame>,
    dialect: Option<&'static Dialect>,
) -> Bytes {
    if frames.len() == 1 {
        return frames.next().expect("one frame").websocket_in(dialect);
    }
    let mut joined = BytesMut::new();
    frames.for_each(|frame| joined.extend_from_slice(&frame.websocket_in(dialect)));
    joined.freeze()
}
