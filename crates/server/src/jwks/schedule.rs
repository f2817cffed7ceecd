use roomkey_model::Timestamp;

/// When the key set of an issuer is fetched. Pure: it is told the time.
///
/// In the background as often as the issuer's `Cache-Control` says, within bounds; sooner, but not often, where a token
/// names a key that is not in the set; and after a failure with growing pauses.
#[derive(Debug)]
pub(super) struct Schedule {
    next_at: Timestamp,
    is_fetching: bool,
    /// When a token last made us fetch.
    asked_at: Option<Timestamp>,
    failures_in_a_row: u32,
}

/// What a token with an unknown key can expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The set is fetched now.
    Wait,
    /// It was fetched a moment ago, and the key was not in it.
    Unknown,
    /// It could not be fetched a moment ago.
    Failed,
}

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

/// From one fetch for the sake of a token to the next: whoever makes up key names does not make us fetch more often.
pub(super) const COOLDOWN_MS: u64 = 30 * SECOND_MS;
const REFRESH_MS: u64 = 10 * MINUTE_MS;
const REFRESH_MS_MIN: u64 = 5 * MINUTE_MS;
const REFRESH_MS_MAX: u64 = 60 * MINUTE_MS;
const RETRY_MS: u64 = 5 * SECOND_MS;

impl Schedule {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next_at: now, is_fetching: false, asked_at: None, failures_in_a_row: 0 }
    }

    /// How long there is nothing to do. A clock that was put back does not make it longer than it ever is.
    pub(super) fn wait_ms(&self, now: Timestamp) -> u64 {
        self.next_at.since_ms(now).min(REFRESH_MS_MAX)
    }

    pub(super) fn begin(&mut self) {
        self.is_fetching = true;
    }

    pub(super) fn succeeded(&mut self, now: Timestamp, max_age_ms: Option<u64>) {
        self.is_fetching = false;
        self.failures_in_a_row = 0;
        let refresh_ms = max_age_ms.unwrap_or(REFRESH_MS).clamp(REFRESH_MS_MIN, REFRESH_MS_MAX);
        self.next_at = now.plus_ms(refresh_ms);
    }

    pub(super) fn failed(&mut self, now: Timestamp) {
        self.is_fetching = false;
        let retry_ms = RETRY_MS << self.failures_in_a_row.min(6);
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.next_at = now.plus_ms(retry_ms.min(REFRESH_MS_MIN));
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failures_in_a_row > 0
    }

    /// A token names a key that is not there.
    pub(super) fn ask(&mut self, now: Timestamp) -> Answer {
        if self.is_fetching || self.wait_ms(now) == 0 {
            return Answer::Wait;
        }
        // A clock that was put back does not lengthen the pause for ever.
        let is_soon = |asked_at: Timestamp| asked_at <= now && now.since_ms(asked_at) < COOLDOWN_MS;
        if self.asked_at.is_some_and(is_soon) {
            return if self.has_failed() { Answer::Failed } else { Answer::Unknown };
        }
        self.asked_at = Some(now);
        self.next_at = now;
        Answer::Wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn after(ms: u64) -> Timestamp {
        NOW.plus_ms(ms)
    }

    fn fetched() -> Schedule {
        let mut schedule = Schedule::new(NOW);
        assert_eq!(schedule.wait_ms(NOW), 0, "at once");
        schedule.begin();
        schedule.succeeded(NOW, None);
        schedule
    }

    #[test]
    fn the_background_refresh_follows_the_issuer_within_bounds() {
        let cases = [
            (None, 10 * MINUTE_MS),
            (Some(0), 5 * MINUTE_MS),
            (Some(7 * MINUTE_MS), 7 * MINUTE_MS),
            (Some(u64::MAX), 60 * MINUTE_MS),
        ];
        for (max_age_ms, expected) in cases {
            let mut schedule = fetched();
            schedule.succeeded(NOW, max_age_ms);
            assert_eq!(schedule.wait_ms(NOW), expected);
            assert_eq!(schedule.wait_ms(after(expected)), 0);
        }
    }

    #[test]
    fn failures_are_tried_again_with_growing_pauses() {
        let mut schedule = fetched();
        let waits = [5, 10, 20, 40, 80, 160, 300, 300, 300].map(|seconds| seconds * SECOND_MS);
        for wait in waits {
            schedule.begin();
            schedule.failed(NOW);
            assert_eq!(schedule.wait_ms(NOW), wait);
        }
        schedule.begin();
        schedule.succeeded(NOW, None);
        assert!(!schedule.has_failed());
        schedule.failed(NOW);
        assert_eq!(schedule.wait_ms(NOW), 5 * SECOND_MS);
    }

    #[test]
    fn unknown_keys_make_one_fetch_in_thirty_seconds() {
        let mut schedule = fetched();
        let mut fetches = 0;
        for second in 0..300 {
            let now = after(second * SECOND_MS);
            for _ in 0..100 {
                if schedule.ask(now) == Answer::Wait {
                    assert_eq!(schedule.wait_ms(now), 0);
                    schedule.begin();
                    assert_eq!(schedule.ask(now), Answer::Wait, "there is one fetch for all");
                    schedule.succeeded(now, None);
                    fetches += 1;
                }
                assert_eq!(schedule.ask(now), Answer::Unknown);
            }
        }
        assert_eq!(fetches, 10);
    }

    #[test]
    fn whether_the_key_is_unknown_is_not_said_after_a_failure() {
        let mut schedule = fetched();
        assert_eq!(schedule.ask(NOW), Answer::Wait);
        schedule.begin();
        schedule.failed(NOW);
        assert_eq!(schedule.ask(after(1)), Answer::Failed);
        assert_eq!(schedule.ask(after(5 * SECOND_MS)), Answer::Wait, "it is tried again anyway");
    }

    #[test]
    fn a_clock_that_is_put_back_does_not_stop_anything() {
        let mut schedule = fetched();
        assert_eq!(schedule.ask(after(3_600_000)), Answer::Wait);
        schedule.begin();
        schedule.succeeded(after(3_600_000), None);
        assert_eq!(schedule.ask(NOW), Answer::Wait);
    }
}
