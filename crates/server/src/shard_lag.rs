//! How long shards keep others waiting: on each of them a task sleeps, and notes how late it is woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::context::Context;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(100);
/// After so many looks, 10 s, the worst is that of the next.
const LOOKS: u32 = 100;

/// The worst lags of all shards.
#[derive(Debug, Default)]
pub(crate) struct ShardLag {
    since_taken_us: AtomicU64,
    recent_us: Box<[AtomicU64]>,
}

impl ShardLag {
    pub(crate) fn new(shards: usize) -> Self {
        Self {
            since_taken_us: AtomicU64::new(0),
            recent_us: (0..shards).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The worst since this was last asked.
    pub(crate) fn take(&self) -> Duration {
        Duration::from_micros(self.since_taken_us.swap(0, Relaxed))
    }

    /// The worst of the last 10 to 20 seconds.
    pub(crate) fn recent(&self) -> Duration {
        let worst = self.recent_us.iter().map(|us| us.load(Relaxed)).max();
        Duration::from_micros(worst.unwrap_or(0))
    }
}

/// Watches the shard whose thread polls this, for as long as it does.
pub(crate) async fn watch(context: Arc<Context>, shard: usize) {
    let lag = &context.metrics.shard_lag;
    let (mut last_us, mut now_us) = (0, 0);
    for look in 1_u32.. {
        let due = Instant::now() + EVERY;
        sleep_until(due).await;
        let us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        lag.since_taken_us.fetch_max(us, Relaxed);
        if look % LOOKS == 0 {
            (last_us, now_us) = (now_us, 0);
        }
        now_us = now_us.max(us);
        if let Some(recent) = lag.recent_us.get(shard) {
            recent.store(now_us.max(last_us), Relaxed);
        }
    }
}
