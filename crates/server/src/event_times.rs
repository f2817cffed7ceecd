//! How long events took, from received to answered: counted on the way of every event, so that it must cost next to
//! nothing.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::time::Instant;

/// Four for each power of two, in microseconds: a quantile is known to a fifth. The last one is for all beyond 2 minutes.
pub(crate) const BUCKETS: usize = 104;

/// Counts by duration, for each shard its own: its thread alone writes them, so that nothing is locked and no cache line
/// goes from core to core.
#[derive(Debug, Default)]
pub(crate) struct EventTimes(Box<[OfShard]>);

/// On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
struct OfShard {
    counts: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

/// All shards' counts at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    buckets: [u64; BUCKETS],
    sum_us: u64,
}

impl EventTimes {
    pub(crate) fn new(shards: usize) -> Self {
        let of_shard =
            |_| OfShard { counts: std::array::from_fn(|_| AtomicU64::new(0)), sum_us: AtomicU64::new(0) };
        Self((0..shards).map(of_shard).collect())
    }

    /// Counts an event that was received `since`. Only for the thread of this shard.
    pub(crate) fn observe(&self, shard: usize, since: Instant) {
        let Some(OfShard { counts, sum_us }) = self.0.get(shard) else { return };
        let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Nobody else writes: a load and a store are enough.
        let add = |to: &AtomicU64, more: u64| to.store(to.load(Relaxed).wrapping_add(more), Relaxed);
        add(&counts[bucket(us)], 1);
        add(sum_us, us);
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for OfShard { counts, sum_us } in &self.0 {
            for (sum, count) in all.buckets.iter_mut().zip(counts) {
                *sum += count.load(Relaxed);
            }
            all.sum_us += sum_us.load(Relaxed);
        }
        all
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], sum_us: 0 }
    }
}

impl Counts {
    /// What has been counted since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        for (count, before) in since.buckets.iter_mut().zip(&earlier.buckets) {
            *count = count.saturating_sub(*before);
        }
        since.sum_us = since.sum_us.saturating_sub(earlier.sum_us);
        since
    }

    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The duration, in microseconds, that this share of all took at most; the end of its bucket. `None`: there were none.
    pub(crate) fn quantile_us(&self, share: f64) -> Option<u64> {
        #[expect(clippy::cast_precision_loss, reason = "a fifth is as well as it is known")]
        let wanted = (self.total() as f64) * share;
        let mut sum = 0;
        for (index, count) in self.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
            sum += count;
            #[expect(clippy::cast_precision_loss, reason = "a fifth is as well as it is known")]
            if sum as f64 >= wanted {
                return Some(end_us(index));
            }
        }
        None
    }

    /// In seconds the sum; and, by powers of two, the end of each bucket, and how many are in it.
    pub(crate) fn in_seconds(&self) -> (f64, Vec<(f64, u64)>) {
        let mut buckets: Vec<(f64, u64)> = Vec::new();
        for (index, count) in self.buckets.iter().enumerate() {
            let us = end_us(index);
            let end = us.next_power_of_two().max(FIRST_END_US);
            let end = if end > LAST_END_US { f64::MAX } else { seconds(end) };
            match buckets.last_mut() {
                Some((last, sum)) if *last == end => *sum += count,
                _ => buckets.push((end, *count)),
            }
        }
        (seconds(self.sum_us), buckets)
    }
}

/// What is told to Prometheus begins with 64 microseconds and ends with 17 seconds.
const FIRST_END_US: u64 = 1 << 6;
const LAST_END_US: u64 = 1 << 24;

#[expect(clippy::cast_precision_loss, reason = "2^53 microseconds are 285 years")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, reason = "at most 64 * 4")]
fn bucket(us: u64) -> usize {
    if us < 4 {
        return us as usize;
    }
    let octave = u64::from(us.ilog2());
    let quarter = (us >> (octave - 2)) & 3;
    (((octave - 1) * 4 + quarter) as usize).min(BUCKETS - 1)
}

/// Where a bucket ends, in microseconds: with the first that is not in it.
fn end_us(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64 + 1;
    }
    let (octave, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    (4 + quarter + 1) << (octave - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_in_the_bucket_that_ends_behind_it() {
        for us in (0..5000).chain([65_535, 65_536, 1_000_000, 59_999_999]) {
            let index = bucket(us);
            assert!(us < end_us(index) && (index == 0 || us >= end_us(index - 1)), "{us} in {index}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_what_was_counted_in_between() {
        let mut counts = Counts::default();
        assert_eq!(counts.quantile_us(0.5), None);
        let before = counts.clone();
        for us in 1..=1000 {
            counts.buckets[bucket(us)] += 1;
            counts.sum_us += us;
        }
        let since = counts.since(&before);
        let (half, most) = (since.quantile_us(0.5).unwrap(), since.quantile_us(0.99).unwrap());
        assert!((500..=640).contains(&half) && (990..=1280).contains(&most), "{half} {most}");
        assert_eq!((since.total(), counts.since(&counts).total()), (1000, 0));
    }

    #[test]
    fn in_seconds_nothing_is_lost_and_ends_grow() {
        let mut counts = Counts::default();
        for us in [3, 63, 64, 1000, 1_000_000, 20_000_000, 1 << 40] {
            counts.buckets[bucket(us)] += 1;
        }
        let (_, buckets) = counts.in_seconds();
        assert!(buckets.is_sorted_by(|one, next| one.0 < next.0), "{buckets:?}");
        assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 7);
        assert_eq!((buckets[0], buckets[1], buckets.last()), ((64e-6, 2), (128e-6, 1), Some(&(f64::MAX, 2))));
    }
}
