use anyhow::{Result, ensure};

use crate::{install, run, totals::Totals, workspace};

/// Where the build of `web/` goes; the server embeds it from there.
const OUTPUT: &str = "crates/server/pages";

/// Builds the pages and checks that what is committed is what the sources give.
pub(crate) fn run() -> Result<()> {
    install_packages()?;
    run::run_in("web", "npm run check")?;
    run::run_in("web", "npm run build")?;
    let output = run::command("git").args(["status", "--porcelain", "--", OUTPUT]).output()?;
    let changed = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success() && changed.is_empty(),
        "the built pages differ, please commit them:\n{changed}"
    );
    Ok(())
}

/// The pages' own unit tests.
pub(crate) fn test() -> Result<Totals> {
    install_packages()?;
    let mut vitest = run::command("npm");
    run::run_tests(vitest.args(["run", "test"]).current_dir(workspace::root().join("web")))
}

fn install_packages() -> Result<()> {
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages("web")
}
