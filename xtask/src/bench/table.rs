use std::fmt;

use anyhow::{Context, Result};
use serde_json::Value;

/// The figures of one load: a row per server, a column per figure, medians over the rounds.
pub(super) struct Table {
    load: &'static str,
    columns: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    server: &'static str,
    /// Per column, one value per round.
    values: Vec<Vec<f64>>,
}

impl Table {
    pub(super) fn new(load: &'static str) -> Self {
        Self { load, columns: Vec::new(), rows: Vec::new() }
    }

    /// Adds what one round measured.
    pub(super) fn add(&mut self, server: &'static str, figures: &Value) -> Result<()> {
        let figures = figures.as_object().context("a report is an object")?;
        let figures = figures.iter().filter_map(|(name, value)| Some((name, value.as_f64()?)));
        let index = self.rows.iter().position(|row| row.server == server).unwrap_or_else(|| {
            self.rows.push(Row { server, values: Vec::new() });
            self.rows.len() - 1
        });
        let values = &mut self.rows[index].values;
        for (name, value) in figures {
            let column = self.columns.iter().position(|column| column == name).unwrap_or_else(|| {
                self.columns.push(name.clone());
                self.columns.len() - 1
            });
            values.resize_with(self.columns.len(), Vec::new);
            values[column].push(value);
        }
        Ok(())
    }
}

/// Beside each value, how the first row's compares to it.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | {} |", self.load, self.columns.join(" | "))?;
        writeln!(f, "|---|{}", "---|".repeat(self.columns.len()))?;
        for (index, row) in self.rows.iter().enumerate() {
            write!(f, "| {} |", row.server)?;
            for column in 0..self.columns.len() {
                let median_of = |row: &Row| row.values.get(column).and_then(|values| median(values));
                match (median_of(row), median_of(&self.rows[0])) {
                    (Some(own), Some(first)) if index > 0 && own != 0.0 => {
                        write!(f, " {own:.2} (x {:.2}) |", first / own)?;
                    }
                    (Some(own), _) => write!(f, " {own:.2} |")?,
                    (None, _) => f.write_str(" - |")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some((upper + lower) / 2.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn medians_and_ratios() {
        let mut table = Table::new("echo");
        for (ours, theirs) in [(1.0, 4.0), (9.0, 8.0), (2.0, 4.0)] {
            table.add("roomkey", &json!({"scenario": "echo", "cpu_us": ours, "out_of_order": 0.0})).unwrap();
            table.add("peer", &json!({"scenario": "echo", "cpu_us": theirs, "out_of_order": 0.0})).unwrap();
        }
        let expected = "\
| echo | cpu_us | out_of_order |
|---|---|---|
| roomkey | 2.00 | 0.00 |
| peer | 4.00 (x 0.50) | 0.00 |
";
        assert_eq!(table.to_string(), expected);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
    }
}
