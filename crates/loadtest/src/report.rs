use std::fmt;

use hdrhistogram::Histogram;
use serde_json::{Map, Value};

/// What a scenario measured: named figures, in the order they are to be read.
#[derive(Clone, Debug)]
pub struct Report {
    scenario: &'static str,
    figures: Vec<(&'static str, f64)>,
}

impl Report {
    pub(crate) fn new(scenario: &'static str) -> Self {
        Self { scenario, figures: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, value: f64) {
        self.figures.push((name, value));
    }

    /// Adds the middle and the tail of latencies in microseconds.
    pub(crate) fn add_latency(&mut self, microseconds: &Histogram<u64>) {
        self.add("latency_p50_us", number(microseconds.value_at_quantile(0.5)));
        self.add("latency_p99_us", number(microseconds.value_at_quantile(0.99)));
        self.add("latency_max_us", number(microseconds.max()));
    }

    /// The figures by name; the name's ending is the unit.
    pub fn figures(&self) -> &[(&'static str, f64)] {
        &self.figures
    }

    /// One JSON object: the scenario and its figures.
    pub fn to_json(&self) -> String {
        let mut object = Map::new();
        object.insert("scenario".to_owned(), Value::from(self.scenario));
        for (name, value) in &self.figures {
            object.insert((*name).to_owned(), Value::from(*value));
        }
        Value::Object(object).to_string()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.scenario)?;
        for (name, value) in &self.figures {
            writeln!(f, "  {name:<28} {value:>14.2}")?;
        }
        Ok(())
    }
}

/// Latencies from a microsecond to a minute, with three significant digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are valid")
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn number(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn for_people_and_for_programs() {
        let mut report = Report::new("echo");
        let mut latency = histogram();
        (1..=100).for_each(|us| latency.record(us).unwrap());
        report.add("events_per_s", 1234.5);
        report.add_latency(&latency);
        expect![[r#"
            echo
              events_per_s                        1234.50
              latency_p50_us                        50.00
              latency_p99_us                        99.00
              latency_max_us                       100.00
        "#]]
        .assert_eq(&report.to_string());
        expect![[r#"{"events_per_s":1234.5,"latency_max_us":100.0,"latency_p50_us":50.0,"latency_p99_us":99.0,"scenario":"echo"}"#]]
            .assert_eq(&report.to_json());
    }
}
