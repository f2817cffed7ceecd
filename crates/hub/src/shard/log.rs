//! What was emitted lately, so that a client that was away can be sent what it missed.

use std::{
    collections::VecDeque,
    mem::{size_of, size_of_val},
};

use crate::{ConnectionKey, Frame, Offset};

/// How much a shard remembers of what it emitted.
#[derive(Clone, Copy, Debug)]
pub struct LogConfig {
    /// Bytes of frames, with what is kept beside them.
    pub bytes_max: usize,
    /// Emissions older than this are forgotten when newer ones come.
    pub window_ms: u64,
}

/// The recoverable emissions of a shard, in the order in which they took effect here.
pub(super) struct Log {
    config: LogConfig,
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Everything emitted at this place in the order or later is still here.
    complete_since: u64,
}

pub(super) struct Entry {
    pub(super) order: u64,
    pub(super) offset: Offset,
    pub(super) target: Target,
    /// Connections that did not get it.
    pub(super) except: Box<[ConnectionKey]>,
    /// `None`: it was volatile. It is a place in what the client received, but is not sent again.
    pub(super) frame: Option<Frame>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A room, by its serial number.
    Room(u64),
    /// Sockets of this shard, by their serial numbers in ascending order.
    Sockets(Box<[u32]>),
}

impl Log {
    pub(super) fn new(config: LogConfig) -> Self {
        Self { config, entries: VecDeque::new(), bytes: 0, complete_since: 0 }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let oldest = entry.offset.at_ms().saturating_sub(self.config.window_ms);
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while let Some(first) = self.entries.front()
            && (self.bytes > self.config.bytes_max || first.offset.at_ms() < oldest)
        {
            self.bytes -= first.bytes();
            self.complete_since = first.order + 1;
            self.entries.pop_front();
        }
        if self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }

    /// Whether nothing is forgotten that was emitted at `order` or later.
    pub(super) fn is_complete_since(&self, order: u64) -> bool {
        self.complete_since <= order
    }

    /// What was emitted at `order` or later, as far as it is still here.
    pub(super) fn since(&self, order: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.order < order);
        self.entries.range(first..)
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.except.len() * size_of::<ConnectionKey>()
            + match &self.target {
                Target::Room(_) => 0,
                Target::Sockets(serials) => size_of_val(&**serials),
            }
            + self.frame.as_ref().map_or(0, |frame| frame.websocket().len())
    }
}
