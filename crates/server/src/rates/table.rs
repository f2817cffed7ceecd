//! What is remembered of many, by a key that they choose themselves, such as their address: a table that never grows
//! beyond its bounds and forgets by itself.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

/// Entries in two generations, in stripes so that threads seldom meet. What is used is moved to the young one. When
/// that is as old as entries are kept, it becomes the old one, and what was left in the old one is forgotten: nothing
/// is ever searched for what has expired.
///
/// When there are too many keys, the generations change early: those that have not been seen for longest are
/// forgotten, and nobody is kept out. Who has enough keys to drive others out has no need to.
pub(crate) struct Table<K, V> {
    stripes: [Mutex<Generations<K, V>>; STRIPES],
    hasher: RandomState,
    keep_ms: u64,
    /// Of one generation of one stripe.
    len_max: usize,
    forced: AtomicU64,
}

const STRIPES: usize = 16;

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// When the young generation began.
    since_ms: u64,
}

impl<K: Copy + Eq + Hash, V: Copy + Default> Table<K, V> {
    /// Keeps an entry for at least `keep_ms` after it was used last, unless there are more than `keys_max`.
    pub(crate) fn new(keep_ms: u64, keys_max: usize) -> Self {
        Self {
            stripes: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            keep_ms: keep_ms.max(1),
            len_max: (keys_max / STRIPES / 2).max(1),
            forced: AtomicU64::new(0),
        }
    }

    /// Uses the entry of a key; one that is not there begins with the default.
    pub(crate) fn with<R>(&self, key: K, now_ms: u64, use_it: impl FnOnce(&mut V) -> R) -> R {
        let mut stripe = self.stripe(&key).lock();
        stripe.age(now_ms, self.keep_ms);
        if !stripe.young.contains_key(&key) {
            if stripe.young.len() >= self.len_max {
                stripe.turn(now_ms);
                self.forced.fetch_add(1, Ordering::Relaxed);
            }
            let value = stripe.old.remove(&key).unwrap_or_default();
            stripe.young.insert(key, value);
        }
        use_it(stripe.young.get_mut(&key).expect("it is there, or was inserted"))
    }

    /// The entry of a key, which is not used by that.
    pub(crate) fn get(&self, key: &K, now_ms: u64) -> Option<V> {
        let mut stripe = self.stripe(key).lock();
        stripe.age(now_ms, self.keep_ms);
        stripe.young.get(key).or_else(|| stripe.old.get(key)).copied()
    }

    /// How often entries were forgotten because there were too many keys.
    pub(crate) fn forced(&self) -> u64 {
        self.forced.load(Ordering::Relaxed)
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn stripe(&self, key: &K) -> &Mutex<Generations<K, V>> {
        &self.stripes[self.hasher.hash_one(key) as usize % STRIPES]
    }
}

impl<K, V> Generations<K, V> {
    /// Forgets what nobody has used for long. By a clock that was set back, that is as it happens.
    fn age(&mut self, now_ms: u64, keep_ms: u64) {
        let age_ms = now_ms.saturating_sub(self.since_ms);
        if age_ms >= keep_ms {
            self.turn(now_ms);
            if age_ms >= 2 * keep_ms {
                self.old = HashMap::new();
            }
        }
        self.since_ms = self.since_ms.min(now_ms);
    }

    fn turn(&mut self, now_ms: u64) {
        self.old = std::mem::take(&mut self.young);
        self.since_ms = now_ms;
    }
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), since_ms: 0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEEP_MS: u64 = 1000;

    fn len<K, V>(table: &Table<K, V>) -> usize {
        table
            .stripes
            .iter()
            .map(|stripe| stripe.lock())
            .map(|stripe| stripe.young.len() + stripe.old.len())
            .sum()
    }

    proptest! {
        /// Against a map that never forgets, with the time of each entry beside it.
        #[test]
        fn an_entry_is_kept_for_its_time_and_no_longer_than_thrice(
            uses in prop::collection::vec((0_u8..20, 0_u64..700), 1..200),
        ) {
            let table: Table<u8, u32> = Table::new(KEEP_MS, 100_000);
            let mut model: HashMap<u8, (u32, u64)> = HashMap::new();
            let mut now_ms = 0;
            for (key, step) in uses {
                now_ms += step;
                let (count, used_ms) = model.get(&key).copied().unwrap_or((0, now_ms));
                let seen = table.get(&key, now_ms).unwrap_or(0);
                let age_ms = now_ms - used_ms;
                if age_ms < KEEP_MS {
                    prop_assert_eq!(seen, count);
                } else if age_ms >= 3 * KEEP_MS {
                    prop_assert_eq!(seen, 0);
                } else {
                    prop_assert!(seen == count || seen == 0);
                }
                let counted = table.with(key, now_ms, |count| { *count += 1; *count });
                prop_assert_eq!(counted, seen + 1);
                model.insert(key, (counted, now_ms));
            }
        }

        #[test]
        fn it_never_grows_beyond_its_bounds_and_lets_everybody_in(
            keys in prop::collection::vec(any::<u32>(), 1..2000),
        ) {
            let table: Table<u32, u32> = Table::new(KEEP_MS, 320);
            for key in keys {
                table.with(key, 5, |count| *count += 1);
                let (count, len) = (table.get(&key, 5), len(&table));
                prop_assert!(count >= Some(1));
                prop_assert!(len <= 320);
            }
        }
    }

    #[test]
    fn who_comes_again_and_again_is_remembered_in_a_flood_of_others() {
        let table: Table<u32, u32> = Table::new(KEEP_MS, 3200);
        for other in 1..100_000 {
            table.with(other, 0, |_| ());
            table.with(0, 0, |count| *count += 1);
        }
        assert_eq!(table.get(&0, 0), Some(99_999));
        assert!(table.forced() > 0);
    }

    #[test]
    fn what_is_forgotten_takes_no_memory() {
        let table: Table<u32, u32> = Table::new(KEEP_MS, 100_000);
        for key in 0..10_000 {
            table.with(key, 0, |_| ());
        }
        assert_eq!(len(&table), 10_000);
        for key in 0..1000 {
            assert_eq!(table.get(&key, 2 * KEEP_MS), None);
        }
        assert_eq!(len(&table), 0);
        assert_eq!(table.forced(), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_loses_nothing() {
        let table: Table<u32, u32> = Table::new(KEEP_MS, 100);
        table.with(1, 1_000_000, |count| *count = 7);
        assert_eq!(table.get(&1, 500), Some(7));
        assert_eq!(table.get(&1, 500 + 2 * KEEP_MS), None);
    }
}
