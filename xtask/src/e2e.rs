use anyhow::Result;

use crate::{install, run, totals::Totals, workspace};

/// Real clients and a real browser against the built binary: all test files, or those named.
pub(crate) fn run(files: &[String]) -> Result<Totals> {
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm")])?;
    let chromium = install::chromium()?;
    install::npm_packages("e2e")?;
    run::run_in("", "cargo build --locked --profile fast --package roomkey --bins --examples")?;
    let built = workspace::target().join("fast");
    let mut node = run::command("node");
    node.args(["--test", "--test-reporter=spec", "--test-timeout=180000"])
        .args(if files.is_empty() { test_files()? } else { files.to_vec() })
        .env("ROOMKEY_BIN", built.join("roomkey"))
        .env("ROOMKEY_EXAMPLES", built.join("examples"))
        .env("CHROMIUM", chromium);
    run::run_tests(&mut node)
}

fn test_files() -> Result<Vec<String>> {
    let files = workspace::source_files()?.into_iter().map(|file| file.path);
    Ok(files.filter(|path| path.starts_with("e2e/") && path.ends_with(".test.mjs")).collect())
}
