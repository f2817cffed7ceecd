use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// From the seconds of a JWT's `NumericDate`.
    pub fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds, rounded down.
    pub fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This instant moved later, stopping at the end of time.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to here; zero if `earlier` is later.
    pub fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 with milliseconds, as JavaScript's `Date.toISOString` writes it.
    pub fn to_rfc3339(self) -> String {
        let (days, ms_of_day) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let (year, month, day) = civil_from_days(days);
        let (hours, minutes) = (ms_of_day / 3_600_000, ms_of_day / 60_000 % 60);
        let (seconds, ms) = (ms_of_day / 1000 % 60, ms_of_day % 1000);
        format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z")
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// Reads RFC 3339 in UTC, with milliseconds or whole seconds: what [`Timestamp::to_rfc3339`] writes, and what people do.
impl FromStr for Timestamp {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let text = text.strip_suffix('Z').ok_or(InvalidTime)?;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "000"));
        let number = |range: Range<usize>| seconds.get(range)?.parse::<u64>().ok();
        let parts = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19].map(number);
        let [Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)] = parts else {
            return Err(InvalidTime);
        };
        let ms: u64 = fraction.parse().map_err(|_| InvalidTime)?;
        let seconds_of_day = (hour * 60 + minute) * 60 + second;
        let seconds_of_all = days_from_civil(year, month, day) * 86_400 + seconds_of_day;
        let time = Self::from_secs(seconds_of_all).plus_ms(ms);
        // Whatever is no date, no time or not written so would be written differently.
        if time.to_rfc3339() == format!("{seconds}.{fraction}Z") { Ok(time) } else { Err(InvalidTime) }
    }
}

/// A text is not a time since 1970 in UTC, such as `2026-11-21T09:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTime;

impl fmt::Display for InvalidTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a time in UTC, such as 2026-11-21T09:00:00Z")
    }
}

impl std::error::Error for InvalidTime {}

/// The inverse of [`civil_from_days`]; something else for what is no date, or before 1970.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year.saturating_sub(u64::from(month <= 2));
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day.saturating_sub(1);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * DAYS_PER_ERA + day_of_era).saturating_sub(DAYS_TO_1970)
}

const DAYS_PER_ERA: u64 = 146_097; // 400 years
const DAYS_TO_1970: u64 = 719_468; // since 0000-03-01

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar.
///
/// Counts in years that begin in March, so that the leap day is the last of its year.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Where the time comes from. The server passes the system's clock; a test passes its own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The same in microseconds, where the clock is that fine.
    fn now_us(&self) -> u64 {
        self.now().0.saturating_mul(1000)
    }
}

/// Where unpredictable bytes come from. The server passes the system's generator; a test passes a seed.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`; never fails and never repeats.
    fn fill(&self, bytes: &mut [u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_167_438_742, "2026-11-20T09:37:18.742Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (ms, text) in cases {
            assert_eq!(Timestamp(ms).to_rfc3339(), text);
            assert_eq!(text.parse(), Ok(Timestamp(ms)));
        }
        for day in 0..200_000 {
            let time = Timestamp(day * 86_400_000 + 1);
            assert_eq!(time.to_rfc3339().parse(), Ok(time));
        }
        assert_eq!("2026-11-20T09:37:18Z".parse(), Ok(Timestamp(1_795_167_438_000)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let texts = [
            "",
            "Z",
            "now",
            "2026-11-20",
            "2026-11-20T09:37:18",
            "2026-11-20T09:37:18+01:00",
            "2026-11-20 09:37:18Z",
            "2026-11-20T09:37:18.7Z",
            "2026-11-20T09:37:18.742742Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "0000-00-00T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.18446744073709551615Z",
            "9999-99-99T99:99:99.999Z",
            "ééééééééééZ",
        ];
        for text in texts {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTime), "{text:?}");
        }
    }
}
