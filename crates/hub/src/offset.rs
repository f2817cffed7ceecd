use std::{fmt, sync::atomic::AtomicU64, sync::atomic::Ordering};

/// The name of a recoverable emission: what a client that comes back says it received last.
///
/// Its text is always of one length, so that no word that ends an event by chance is taken for an old offset.
/// Unique in a process and, as long as its clock is not set back, over its restarts. Says nothing about the order
/// in which a client receives: that is the order of its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(u64);

const COUNT_BITS: u32 = 16;
/// Digits of six bits each.
const LENGTH: usize = 11;
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghijklmnopqrstuvwxyz_";

impl Offset {
    /// When it was made, in milliseconds since the Unix epoch.
    pub fn at_ms(self) -> u64 {
        self.0 >> COUNT_BITS
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH {
            return None;
        }
        text.bytes()
            .try_fold(0_u64, |value, digit| {
                let digit = DIGITS.iter().position(|known| *known == digit)?;
                value.checked_mul(DIGITS.len() as u64)?.checked_add(digit as u64)
            })
            .map(Self)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LENGTH];
        let mut value = self.0;
        for digit in text.iter_mut().rev() {
            *digit = DIGITS[(value % 64) as usize];
            value /= 64;
        }
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

/// Makes offsets, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Offsets(AtomicU64);

impl Offsets {
    /// The last one that was made.
    pub(crate) fn last(&self) -> Offset {
        Offset(self.0.load(Ordering::Relaxed))
    }

    /// The next one: later than all before, and not before `now_ms`.
    pub(crate) fn next(&self, now_ms: u64) -> Offset {
        let soonest = now_ms << COUNT_BITS;
        let next = |last: u64| (last + 1).max(soonest);
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        Offset(next(last.expect("always updates")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offsets_are_unique_and_follow_the_clock() {
        let offsets = Offsets::default();
        let made: Vec<_> = [5, 5, 4, 9].into_iter().map(|now_ms| offsets.next(now_ms)).collect();
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
        assert_eq!(made.iter().map(|offset| offset.at_ms()).collect::<Vec<_>>(), [5, 5, 5, 9]);
    }

    #[test]
    fn what_is_no_offset() {
        for text in
            ["", "!", "0", "012", "nonsense", "00000000 é", "zzzzzzzzzzzz", "___________", "0000000001 "]
        {
            assert_eq!(Offset::parse(text), None, "{text}");
        }
        assert_eq!(Offset::parse("00000000000"), Some(Offset(0)));
    }

    proptest! {
        #[test]
        fn text_both_ways(value: u64) {
            let offset = Offset(value);
            prop_assert_eq!(Offset::parse(&offset.to_string()), Some(offset));
        }

        #[test]
        fn an_offset_has_one_text(text in "[0-9A-Za-z_-]{0,12}") {
            if let Some(offset) = Offset::parse(&text) {
                prop_assert_eq!(offset.to_string(), text);
            }
        }
    }
}
