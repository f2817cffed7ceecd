//! How often something may happen: the generic cell rate algorithm, which remembers one point in time.
//!
//! Each thing that happens pushes that point, up to which everything is paid for, further into the future. It may be
//! ahead of the clock by as much as the burst is worth; what would push it further has to wait.

use std::sync::atomic::{AtomicU64, Ordering};

/// A rate: one each interval in the long run, and so many at once after a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    interval_ns: u64,
    burst_ns: u64,
    burst: u32,
}

impl Rate {
    /// `count` in each `period_ms`, and `burst` at once, but at least one. A count of zero is no limit.
    pub(crate) fn new(count: u32, period_ms: u64, burst: u32) -> Self {
        let burst = burst.max(1);
        let interval_ns = nanos(period_ms).checked_div(u64::from(count)).unwrap_or(0);
        Self { interval_ns, burst_ns: interval_ns.saturating_mul(u64::from(burst)), burst }
    }

    /// The same by the second.
    pub(crate) fn per_second(count: u32, burst: u32) -> Self {
        Self::new(count, 1000, burst)
    }

    /// How many may happen at once.
    pub(crate) fn burst(self) -> u32 {
        self.burst
    }

    /// Time in which the whole burst comes back: what is older than that makes no difference.
    pub(crate) fn window_ms(self) -> u64 {
        self.burst_ns.div_ceil(NANOS_PER_MS)
    }

    /// Whether there is a limit at all.
    pub(crate) fn is_limited(self) -> bool {
        self.interval_ns > 0
    }

    /// The point in time that one more leads to; or how many milliseconds it has to wait.
    fn step(self, paid_until_ns: u64, now_ms: u64) -> Result<u64, u64> {
        let now_ns = nanos(now_ms);
        let latest = now_ns.saturating_add(self.burst_ns);
        let next = paid_until_ns.max(now_ns).saturating_add(self.interval_ns);
        if next <= latest { Ok(next) } else { Err((next - latest).div_ceil(NANOS_PER_MS)) }
    }
}

/// What is remembered of one who is under a [`Rate`]: eight bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gcra {
    paid_until_ns: u64,
}

impl Gcra {
    /// Counts one more, unless it is too early: then it says how many milliseconds too early.
    pub(crate) fn take(&mut self, rate: Rate, now_ms: u64) -> Result<(), u64> {
        // A clock that was set back makes nobody wait for longer than an empty burst does.
        self.paid_until_ns = self.paid_until_ns.min(nanos(now_ms).saturating_add(rate.burst_ns));
        self.paid_until_ns = rate.step(self.paid_until_ns, now_ms)?;
        Ok(())
    }

    /// Counts one more in any case, and says how many have come too early, this one included.
    ///
    /// No more than `over_max` are remembered, so that it is forgiven in time whatever has happened.
    pub(crate) fn charge(&mut self, rate: Rate, now_ms: u64, over_max: u32) -> u32 {
        let now_ns = nanos(now_ms);
        let allowed = now_ns.saturating_add(rate.burst_ns);
        let latest = allowed.saturating_add(rate.interval_ns.saturating_mul(u64::from(over_max)));
        let next = self.paid_until_ns.max(now_ns).saturating_add(rate.interval_ns);
        self.paid_until_ns = next.min(latest);
        rate.count_of(self.paid_until_ns.saturating_sub(allowed))
    }

    /// Takes back one that was counted.
    pub(crate) fn give_back(&mut self, rate: Rate) {
        self.paid_until_ns = self.paid_until_ns.saturating_sub(rate.interval_ns);
    }

    /// How many would be too early if one more came now, that one included.
    pub(crate) fn over_after_one_more(mut self, rate: Rate, now_ms: u64) -> u32 {
        self.charge(rate, now_ms, u32::MAX)
    }

    /// When everything is paid for; and what was remembered, from that.
    pub(crate) fn paid_until_ms(self) -> u64 {
        self.paid_until_ns.div_ceil(NANOS_PER_MS)
    }

    /// See [`Self::paid_until_ms`].
    pub(crate) fn paid_until(ms: u64) -> Self {
        Self { paid_until_ns: nanos(ms) }
    }

    /// Time until everything is paid for.
    pub(crate) fn unpaid_ms(self, now_ms: u64) -> u64 {
        self.paid_until_ns.saturating_sub(nanos(now_ms)).div_ceil(NANOS_PER_MS)
    }

    /// How many more may happen now.
    pub(crate) fn remaining(self, rate: Rate, now_ms: u64) -> u32 {
        if !rate.is_limited() {
            return rate.burst;
        }
        let ahead = self.paid_until_ns.saturating_sub(nanos(now_ms));
        u32::try_from(rate.burst_ns.saturating_sub(ahead) / rate.interval_ns).unwrap_or(u32::MAX)
    }
}

impl Rate {
    /// How many intervals have begun in this time.
    fn count_of(self, ns: u64) -> u32 {
        if self.interval_ns == 0 {
            return 0;
        }
        u32::try_from(ns.div_ceil(self.interval_ns)).unwrap_or(u32::MAX)
    }
}

/// A [`Gcra`] that several threads share, by a clock that only goes forward.
#[derive(Debug, Default)]
pub(crate) struct SharedGcra(AtomicU64);

impl SharedGcra {
    /// What is remembered now.
    pub(crate) fn state(&self) -> Gcra {
        Gcra { paid_until_ns: self.0.load(Ordering::Relaxed) }
    }

    /// As [`Gcra::take`].
    pub(crate) fn take(&self, rate: Rate, now_ms: u64) -> Result<(), u64> {
        let mut wait_ms = 0;
        let step = |paid_until_ns| rate.step(paid_until_ns, now_ms).map_err(|ms| wait_ms = ms).ok();
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) {
            Ok(_) => Ok(()),
            Err(_) => Err(wait_ms),
        }
    }
}

impl From<Gcra> for SharedGcra {
    fn from(gcra: Gcra) -> Self {
        Self(AtomicU64::new(gcra.paid_until_ns))
    }
}

const NANOS_PER_MS: u64 = 1_000_000;

fn nanos(ms: u64) -> u64 {
    ms.saturating_mul(NANOS_PER_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bucket that is filled drop by drop: what GCRA computes without one. Counted in units of which one event is
    /// `period_ms`, so that nothing is rounded.
    struct Bucket {
        count: u64,
        event: u64,
        full: u64,
        level: u64,
        at_ms: u64,
    }

    impl Bucket {
        fn new(count: u32, period_ms: u64, burst: u32) -> Self {
            let full = u64::from(burst) * period_ms;
            Self { count: u64::from(count), event: period_ms, full, level: full, at_ms: 0 }
        }

        fn take(&mut self, now_ms: u64) -> bool {
            self.level = self.full.min(self.level + (now_ms - self.at_ms) * self.count);
            self.at_ms = now_ms;
            let is_allowed = self.level >= self.event;
            if is_allowed {
                self.level -= self.event;
            }
            is_allowed
        }
    }

    /// Periods that are whole numbers of nanoseconds, so that both count the same.
    fn rates() -> impl Strategy<Value = (u32, u64, u32)> {
        (prop::sample::select(vec![1_u32, 2, 5, 10, 50, 100]), 1_u64..5000, 1_u32..30)
    }

    proptest! {
        #[test]
        fn it_allows_what_a_token_bucket_allows(
            (count, period_ms, burst) in rates(),
            steps in prop::collection::vec(0_u64..400, 1..200),
        ) {
            let rate = Rate::new(count, period_ms, burst);
            let (mut gcra, shared) = (Gcra::default(), SharedGcra::default());
            let mut bucket = Bucket::new(count, period_ms, burst);
            let mut now_ms = 0;
            for step in steps {
                now_ms += step;
                let expected = bucket.take(now_ms);
                let taken = gcra.take(rate, now_ms);
                prop_assert_eq!(taken.is_ok(), expected);
                prop_assert_eq!(shared.take(rate, now_ms), taken);
                prop_assert_eq!(u64::from(gcra.remaining(rate, now_ms)), bucket.level / bucket.event);
            }
        }

        #[test]
        fn the_wait_is_exact(
            (count, period_ms, burst) in rates(),
            start_ms in 0_u64..2_000_000_000_000,
        ) {
            let rate = Rate::new(count, period_ms, burst);
            let mut gcra = Gcra::default();
            for _ in 0..burst {
                prop_assert_eq!(gcra.take(rate, start_ms), Ok(()));
            }
            let wait_ms = gcra.take(rate, start_ms).expect_err("the burst is over");
            prop_assert!(gcra.take(rate, start_ms + wait_ms - 1).is_err());
            prop_assert!(gcra.take(rate, start_ms + wait_ms).is_ok());
        }

        #[test]
        fn what_is_charged_beyond_the_burst_is_counted_and_forgiven(
            (count, period_ms, burst) in rates(),
            over in 1_u32..20,
            over_max in 1_u32..10,
        ) {
            let rate = Rate::new(count, period_ms, burst);
            let mut gcra = Gcra::default();
            for _ in 0..burst {
                prop_assert_eq!(gcra.charge(rate, 0, over_max), 0);
            }
            for nth in 1..=over {
                prop_assert_eq!(gcra.charge(rate, 0, over_max), nth.min(over_max));
            }
            let forgiven_ms = rate.window_ms() + (u64::from(over_max) * period_ms).div_ceil(u64::from(count));
            prop_assert_eq!(gcra.remaining(rate, forgiven_ms), burst);
        }
    }

    #[test]
    fn a_count_of_zero_is_no_limit() {
        let rate = Rate::per_second(0, 5);
        let (mut gcra, shared) = (Gcra::default(), SharedGcra::default());
        for _ in 0..1000 {
            assert_eq!(gcra.take(rate, 7), Ok(()));
            assert_eq!(gcra.charge(rate, 7, 3), 0);
            assert_eq!(shared.take(rate, 7), Ok(()));
        }
        assert_eq!(gcra.remaining(rate, 7), 5);
    }

    #[test]
    fn a_clock_that_is_set_back_costs_no_more_than_the_burst() {
        let rate = Rate::per_second(10, 5);
        let mut gcra = Gcra::default();
        assert_eq!(gcra.take(rate, 1_000_000), Ok(()));
        assert_eq!(gcra.take(rate, 1000), Err(100));
        assert_eq!(gcra.take(rate, 1100), Ok(()));
    }

    #[test]
    fn what_is_given_back_may_be_taken_again() {
        let rate = Rate::per_second(1, 1);
        let mut gcra = Gcra::default();
        assert_eq!(gcra.take(rate, 0), Ok(()));
        assert_eq!((gcra.over_after_one_more(rate, 0), gcra.unpaid_ms(0)), (1, 1000));
        gcra.give_back(rate);
        assert_eq!((gcra.over_after_one_more(rate, 0), gcra.unpaid_ms(0)), (0, 0));
        assert_eq!(gcra.take(rate, 0), Ok(()));
        assert_eq!(gcra.take(rate, 0), Err(1000));
    }

    #[test]
    fn threads_that_share_one_take_no_more_than_the_burst() {
        let rate = Rate::per_second(1, 1000);
        let shared = SharedGcra::default();
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..500).filter(|_| shared.take(rate, 0).is_ok()).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 1000);
    }

    #[test]
    fn it_is_eight_bytes() {
        assert_eq!((size_of::<Gcra>(), size_of::<SharedGcra>()), (8, 8));
    }
}
