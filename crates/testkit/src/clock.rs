use std::sync::atomic::{AtomicU64, Ordering};

use roomkey_model::{Clock, Timestamp};

/// A wall clock that stands still until it is moved.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// What it shows at first, in seconds since 1970.
    pub const START_SECS: u64 = 1_800_000_000;

    /// Moves it forward.
    pub fn advance_secs(&self, secs: u64) {
        self.0.fetch_add(secs * 1000, Ordering::SeqCst);
    }

    /// Sets it, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicU64::new(Self::START_SECS * 1000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}
