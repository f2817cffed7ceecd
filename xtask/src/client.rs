use anyhow::Result;

use crate::{install, run, totals::Totals, workspace};

/// Where the source of the npm package lies.
const PACKAGE: &str = "clients/js";

/// Checks types and format of the npm package, builds it, and looks at its size.
pub(crate) fn run() -> Result<()> {
    install_packages()?;
    run::run_in(PACKAGE, "npm run check")?;
    run::run_in(PACKAGE, "npm run build")
}

/// Builds the npm package, for the end-to-end tests.
pub(crate) fn build() -> Result<()> {
    install_packages()?;
    run::run_in(PACKAGE, "npm run build")
}

/// The package's own unit tests.
pub(crate) fn test() -> Result<Totals> {
    install_packages()?;
    let mut node = run::command("npm");
    run::run_tests(node.args(["run", "test"]).current_dir(workspace::root().join(PACKAGE)))
}

fn install_packages() -> Result<()> {
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages(PACKAGE)
}
