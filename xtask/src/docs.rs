use std::fmt::Write;

use anyhow::Result;
use roomkey_model::{LimitRow, Limits};

use crate::workspace::{self, SourceFile};

/// A page that is written from what the code says: its path, and what makes it.
type Page = (&'static str, fn() -> String);

const PAGES: &[Page] = &[("docs/LIMITS.md", limits)];

/// Writes all pages.
pub(crate) fn run() -> Result<()> {
    for (path, make) in PAGES {
        std::fs::write(workspace::root().join(path), make())?;
    }
    Ok(())
}

/// Pages that the code has changed since they were written.
pub(crate) fn stale(files: &[SourceFile]) -> Vec<String> {
    let is_fresh = |path: &str, text: &str| files.iter().any(|file| file.path == path && file.text == text);
    let stale = PAGES.iter().filter(|(path, make)| !is_fresh(path, &make()));
    stale.map(|(path, _)| format!("{path}: is stale; run `cargo xtask docs` and commit it")).collect()
}

fn limits() -> String {
    let mut page = String::from(
        "<!-- Written by `cargo xtask docs` from crates/model/src/limits.rs. -->

# Limits

Nothing in Roomkey grows without a limit, and each limit has a name. In `roomkey.toml` they are the keys of
`[limits]`, in the library the fields of `roomkey::Limits`. Each time one is reached, the counter
`roomkey_limit_reached_total{limit=\"<name>\"}` at `/metrics` goes up by one.

| limit | default | what it limits | when it is reached |
|---|---:|---|---|
",
    );
    for LimitRow { name, default, unit, description, outcome, .. } in Limits::TABLE {
        let default = grouped(*default);
        let value = [&*default, *unit].join(" ");
        writeln!(page, "| `{name}` | {} | {} | {outcome} |", value.trim(), description.trim())
            .expect("a string");
    }
    page
}

/// `1000000` as `1,000,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(|group| std::str::from_utf8(group).expect("digits")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let texts = [0, 7, 100, 1000, 16_384, 1_000_000].map(grouped);
        assert_eq!(texts, ["0", "7", "100", "1,000", "16,384", "1,000,000"]);
    }

    #[test]
    fn a_page_that_differs_is_stale() {
        let file = |text: String| SourceFile { path: "docs/LIMITS.md".to_owned(), text };
        assert!(stale(&[file(limits())]).is_empty());
        assert_eq!(stale(&[file(limits() + "more")]).len(), 1);
        assert_eq!(stale(&[]).len(), 1);
    }
}
