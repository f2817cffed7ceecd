use roomkey_model::Timestamp;
use roomkey_store::LoginFailures;

use crate::rates::{Gcra, Rate};

/// Attempts that have to wait for each other, the longer the more there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttle {
    gcra: Gcra,
    blocked_until_ms: u64,
}

/// What an attempt has done to the wait for the next one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    before_ms: u64,
    after_ms: u64,
}

impl Throttle {
    /// Counts an attempt, unless it is too early; then it says how many milliseconds. Gives what it has done, for
    /// [`Self::take_back`].
    pub(super) fn begin(&mut self, rate: Rate, now_ms: u64) -> Result<Begun, u64> {
        let before_ms = self.blocked_until_ms;
        if !rate.is_limited() {
            return Ok(Begun { before_ms, after_ms: before_ms });
        }
        // A clock that was set back makes nobody wait for longer than the longest wait.
        let wait_ms = self.blocked_until_ms.saturating_sub(now_ms).min(WAIT_MAX_MS);
        if wait_ms > 0 {
            return Err(wait_ms);
        }
        self.gcra.charge(rate, now_ms, OVER_MAX);
        let over = self.gcra.over_after_one_more(rate, now_ms);
        if over > 0 {
            self.blocked_until_ms = now_ms + WAIT_MAX_MS.min(FIRST_WAIT_MS << (over - 1));
        }
        Ok(Begun { before_ms, after_ms: self.blocked_until_ms })
    }

    /// Whether the next attempt has to wait, and until when that and all failures are forgiven.
    pub(super) fn to_store(self, now_ms: u64) -> Option<(Timestamp, Timestamp)> {
        let (paid_until, blocked_until) = (self.gcra.paid_until_ms(), self.blocked_until_ms);
        (blocked_until > now_ms).then_some((Timestamp(paid_until), Timestamp(blocked_until)))
    }

    /// What was stored, with more failures than it has, or as it is.
    pub(super) fn restore(&mut self, stored: &LoginFailures) {
        if self.gcra.paid_until_ms() < stored.paid_until.0 {
            self.gcra = Gcra::paid_until(stored.paid_until.0);
            self.blocked_until_ms = stored.blocked_until.0;
        }
    }

    /// The attempt does not count after all. Others may have been made since: the wait that they have brought stays.
    pub(super) fn take_back(&mut self, begun: Begun, rate: Rate) {
        self.gcra.give_back(rate);
        if self.blocked_until_ms == begun.after_ms {
            self.blocked_until_ms = begun.before_ms;
        }
    }
}

/// After the first failure that is one too many.
const FIRST_WAIT_MS: u64 = 1000;
/// The longest wait between two attempts.
const WAIT_MAX_MS: u64 = 5 * 60 * 1000;
/// How often the wait is doubled.
const OVER_MAX: u32 = 9;
