use anyhow::Result;

use crate::{client, e2e, run, totals::Totals, web};

/// Every test of the project. All of them run, also after one has failed.
pub(crate) fn run() -> Result<Totals> {
    let mut totals = rust()?;
    totals += web::test()?;
    totals += client::test()?;
    totals += e2e::run(&[])?;
    Ok(totals)
}

/// Unit tests, integration tests, examples and documentation examples of the workspace.
fn rust() -> Result<Totals> {
    run::run_tests(run::command("cargo").args(["test", "--workspace", "--locked", "--no-fail-fast"]))
}
