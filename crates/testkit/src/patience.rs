use std::{thread::sleep, time::Duration};

use tokio::time::Instant;

/// How long anything is waited for before the test fails. Far more than it takes: a loaded machine is no failure.
pub const PATIENCE: Duration = Duration::from_secs(30);

const STEP: Duration = Duration::from_millis(2);

/// Looks again and again until `condition` holds.
///
/// # Panics
///
/// If it does not hold in time; `what` says what did not come.
#[track_caller]
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..PATIENCE.as_millis() / STEP.as_millis() {
        if condition() {
            return;
        }
        sleep(STEP);
    }
    panic!("did not come in time: {what}");
}

/// Measures time: for what must not come too early.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
