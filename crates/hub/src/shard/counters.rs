/// What a shard has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames handed to connections.
    pub deliveries: u64,
    /// Writes they took: fewer than deliveries where several frames left together.
    pub writes: u64,
    /// Flushes of rooms.
    pub flushes: u64,
    /// Volatile frames that were dropped because their receiver was not ready.
    pub volatile_dropped: u64,
    /// Memberships refused because the connection was in as many rooms as it may be.
    pub rooms_refused: u64,
}

impl Counters {
    pub(super) fn wrote(&mut self, frames: usize) {
        self.deliveries += frames as u64;
        self.writes += 1;
    }

    /// The sum of two shards' counters.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            deliveries: self.deliveries + other.deliveries,
            writes: self.writes + other.writes,
            flushes: self.flushes + other.flushes,
            volatile_dropped: self.volatile_dropped + other.volatile_dropped,
            rooms_refused: self.rooms_refused + other.rooms_refused,
        }
    }
}
