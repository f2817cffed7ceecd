//! A timer wheel: many deadlines, coarse ticks, constant cost to arm one.

/// How exact a deadline is: it comes at most this late, never early.
const TICK_MS: u64 = 10;
const SLOTS: usize = 4096;

/// Deadlines of a shard, in ticks of [`TICK_MS`].
///
/// Nothing is ever cancelled: whoever arms a deadline remembers the newest, and ignores an older one that comes.
/// A deadline more than one turn away stays in its slot for another turn.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    slots: Box<[Vec<(u64, K)>]>,
    occupied: [u64; SLOTS / 64],
    /// The tick up to which, inclusive, everything has come due.
    current: u64,
}

impl<K> Wheel<K> {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            occupied: [0; SLOTS / 64],
            current: now_ms / TICK_MS,
        }
    }

    /// Arms `key` for `deadline_ms`, or for the next tick if that is past.
    pub(crate) fn arm(&mut self, deadline_ms: u64, key: K) {
        let tick = deadline_ms.div_ceil(TICK_MS).max(self.current + 1);
        let slot = Self::slot(tick);
        self.slots[slot].push((tick, key));
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// Takes out every key whose deadline is at `now_ms` or before.
    pub(crate) fn advance(&mut self, now_ms: u64, due: &mut Vec<K>) {
        let target = now_ms / TICK_MS;
        // After a pause longer than a turn, one turn visits every slot.
        let first = (self.current + 1).max(target.saturating_sub(SLOTS as u64 - 1));
        self.current = self.current.max(target);
        for tick in first..=target {
            let slot = Self::slot(tick);
            if self.occupied[slot / 64] & 1 << (slot % 64) == 0 {
                continue;
            }
            due.extend(self.slots[slot].extract_if(.., |(at, _)| *at <= target).map(|(_, key)| key));
            if self.slots[slot].is_empty() {
                self.slots[slot] = Vec::new();
                self.occupied[slot / 64] &= !(1 << (slot % 64));
            }
        }
    }

    /// When [`Self::advance`] should next be called: the first slot in use, if any.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        let first = Self::slot(self.current + 1);
        let ahead = self.first_occupied(first, SLOTS).or_else(|| self.first_occupied(0, first))?;
        let distance = (ahead + SLOTS - first) % SLOTS;
        Some((self.current + 1 + distance as u64) * TICK_MS)
    }

    /// The first slot in use from `from` up to, but not including, `to`.
    fn first_occupied(&self, from: usize, to: usize) -> Option<usize> {
        let mut slot = from;
        while slot < to {
            let ahead = (self.occupied[slot / 64] >> (slot % 64)).trailing_zeros() as usize;
            if ahead < 64 - slot % 64 {
                return Some(slot + ahead).filter(|found| *found < to);
            }
            slot = (slot / 64 + 1) * 64;
        }
        None
    }

    #[expect(clippy::cast_possible_truncation, reason = "below SLOTS after the remainder")]
    fn slot(tick: u64) -> usize {
        (tick % SLOTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each deadline comes exactly once, never early, and by the first advance at or after its tick.
        #[test]
        fn each_deadline_comes_once_and_in_time(
            deadlines in prop::collection::vec(0_u64..200_000, 0..200),
            steps in prop::collection::vec(1_u64..60_000, 1..40),
        ) {
            let mut wheel = Wheel::new(0);
            for deadline in &deadlines {
                wheel.arm(*deadline, *deadline);
            }
            let (mut now, mut seen, mut due) = (0, 0, Vec::new());
            for step in steps.into_iter().chain([400_000]) {
                if let Some(next) = wheel.next_ms() {
                    prop_assert!(next > now);
                }
                now += step;
                wheel.advance(now, &mut due);
                for deadline in due.drain(..) {
                    prop_assert!(deadline <= now);
                    seen += 1;
                }
                let late = deadlines.iter().filter(|at| **at + TICK_MS <= now).count();
                prop_assert!(seen >= late);
            }
            prop_assert_eq!(seen, deadlines.len());
            prop_assert_eq!(wheel.next_ms(), None);
        }
    }

    #[test]
    fn a_past_deadline_comes_at_the_next_tick() {
        let mut wheel = Wheel::new(1000);
        wheel.arm(3, "late");
        let mut due = Vec::new();
        wheel.advance(1010, &mut due);
        assert_eq!(due, ["late"]);
    }
}
