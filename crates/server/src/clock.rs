//! The only place that asks the system for the time and for randomness.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use roomkey_model::{Clock, Entropy, Timestamp};
use tokio::time::Instant;

/// The system's wall clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_us() / 1000)
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the time enters")]
    #[expect(clippy::cast_possible_truncation, reason = "2^64 microseconds do not pass")]
    fn now_us(&self) -> u64 {
        // A clock before 1970 is no worse than any other wrong one.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        since_epoch.as_micros() as u64
    }
}

/// The time by which things are forgotten for good: a clock that is set forward by mistake does not move it forward with
/// it, so that nothing is lost that is needed once the clock is right again.
pub(crate) struct SteadyClock {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    since: Instant,
}

impl SteadyClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { began: clock.now(), since: Instant::now(), clock }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let passed_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.clock.now().min(self.began.plus_ms(passed_ms))
    }
}

/// The system's random number generator.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness enters")]
    fn fill(&self, bytes: &mut [u8]) {
        // No generator, no secrets: nothing here could go on safely.
        getrandom::fill(bytes).expect("the system has a random number generator");
    }
}
