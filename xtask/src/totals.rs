use std::{fmt, ops::AddAssign};

/// How many tests passed and failed, read from what the test runners print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1 };

    /// Counts one line of output, if it is a summary line of libtest, of Node's test runner or of vitest.
    pub(crate) fn count_line(&mut self, line: &str) {
        if let Some(summary) = line.trim_start().strip_prefix("test result: ") {
            for part in summary.split(['.', ';']) {
                self.count_words(part.split_whitespace());
            }
        } else if let Some(summary) = line.strip_prefix("ℹ ") {
            self.count_words(summary.split_whitespace().rev());
        } else if let Some(summary) = line.trim_start().strip_prefix("Tests  ") {
            let counts = summary.split_once(" (").map_or(summary, |(counts, _total)| counts);
            counts.split('|').for_each(|part| self.count_words(part.split_whitespace()));
        }
    }

    /// Counts `3 passed`; an unfinished test is a failed one.
    fn count_words<'a>(&mut self, mut words: impl Iterator<Item = &'a str>) {
        let (Some(number), Some(what), None) = (words.next(), words.next(), words.next()) else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        match what {
            "pass" | "passed" => self.passed += number,
            "cancelled" | "fail" | "failed" => self.failed += number,
            _ => {}
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_are_counted_and_others_are_not() {
        let output = "\
running 5 tests
test a::b ... ok
test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.02s
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
✔ connects (12ms)
ℹ tests 9
ℹ pass 6
ℹ fail 1
ℹ cancelled 2
ℹ skipped 0
ℹ duration_ms 1234
      Tests  1 failed | 11 passed (12)
5 passed";
        let mut totals = Totals::default();
        output.lines().for_each(|line| totals.count_line(line));
        assert_eq!(totals, Totals { passed: 24, failed: 6 });
        assert_eq!(totals.to_string(), "24 passed, 6 failed");
    }
}
