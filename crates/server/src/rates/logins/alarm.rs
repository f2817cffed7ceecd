use parking_lot::Mutex;

/// Notices that far more logins fail than usual, wherever they come from and whomever they are to.
///
/// One try at each of many accounts, each from another place, is under every other rate. Then nothing is refused, since
/// nobody could say what; but failures are answered a little later, and somebody is told.
pub(super) struct Alarm {
    failures_min: u64,
    counts: Mutex<Counts>,
}

/// Logins of the current period and of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    since_ms: u64,
    now: [u64; 2],
    before: [u64; 2],
    is_alarmed: bool,
}

/// How things are with the logins of everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As ever.
    Calm,
    /// From now on it is not as ever.
    AlarmBegins,
    /// Still not as ever.
    Alarmed,
}

impl Alarm {
    /// Goes off at so many failures in a period, if they are most of all logins. Zero: never.
    pub(super) fn new(failures_min: u64) -> Self {
        Self { failures_min, counts: Mutex::default() }
    }

    pub(super) fn count(&self, is_success: bool, now_ms: u64) -> Mood {
        let mut counts = self.counts.lock();
        counts.age(now_ms);
        counts.now[usize::from(is_success)] += 1;
        let [failures, successes] = [0, 1].map(|kind| counts.now[kind] + counts.before[kind]);
        let is_alarmed = self.failures_min > 0
            && failures >= self.failures_min
            && failures >= successes.saturating_mul(RATIO);
        let was_alarmed = std::mem::replace(&mut counts.is_alarmed, is_alarmed);
        match (was_alarmed, is_alarmed) {
            (_, false) => Mood::Calm,
            (false, true) => Mood::AlarmBegins,
            (true, true) => Mood::Alarmed,
        }
    }
}

impl Counts {
    fn age(&mut self, now_ms: u64) {
        let age_ms = now_ms.saturating_sub(self.since_ms);
        if age_ms >= PERIOD_MS {
            self.before = if age_ms < 2 * PERIOD_MS { self.now } else { [0; 2] };
            (self.now, self.since_ms) = ([0; 2], now_ms);
        }
        self.since_ms = self.since_ms.min(now_ms);
    }
}

const PERIOD_MS: u64 = 5 * 60 * 1000;
/// Failures to one success.
const RATIO: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_off_once_when_most_logins_fail_and_calms_down_when_they_do_not() {
        let alarm = Alarm::new(10);
        for _ in 0..9 {
            assert_eq!(alarm.count(false, 0), Mood::Calm);
        }
        assert_eq!(alarm.count(false, 0), Mood::AlarmBegins);
        assert_eq!(alarm.count(false, 1), Mood::Alarmed);
        assert_eq!(alarm.count(true, 2), Mood::Alarmed);
        assert_eq!(alarm.count(true, 2), Mood::Alarmed);
        assert_eq!(alarm.count(true, 2), Mood::Calm, "eleven to three");
        assert_eq!(alarm.count(false, 3 * PERIOD_MS), Mood::Calm);
    }

    #[test]
    fn many_failures_among_more_successes_are_a_busy_day() {
        let alarm = Alarm::new(10);
        for _ in 0..1000 {
            assert_eq!(alarm.count(true, 0), Mood::Calm);
            assert_eq!(alarm.count(false, 0), Mood::Calm);
        }
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let alarm = Alarm::new(10);
        for round in 0..100 {
            assert_eq!(alarm.count(false, round * PERIOD_MS / 4), Mood::Calm, "{round}");
        }
    }
}
