use std::path::Path;

use anyhow::Result;

use crate::{install, run, workspace};

/// Where the example application lies.
const APPLICATION: &str = "examples/next";

/// What it is made of. The npm package is copied when it is installed.
const INPUTS: [&str; 3] = ["examples/next/", "clients/js/src/", "clients/js/package.json"];

/// Builds the Next.js application for the end-to-end tests, unless it was built from the same files before. The npm
/// package has to be built already.
pub(crate) fn build() -> Result<()> {
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm")])?;
    let application = workspace::root().join(APPLICATION);
    let (built, inputs) = (application.join(".next/built-from.txt"), inputs()?);
    if is_same(&built, &inputs) && application.join("node_modules/roomkey").exists() {
        return Ok(());
    }
    run::run_in(APPLICATION, "npm ci --no-audit --no-fund")?;
    let mut next = run::command("npm");
    next.args(["run", "build"]).current_dir(application).env("NEXT_TELEMETRY_DISABLED", "1");
    run::run(&mut next)?;
    Ok(std::fs::write(built, inputs)?)
}

fn inputs() -> Result<String> {
    let files = workspace::source_files()?.into_iter();
    let inputs = files.filter(|file| INPUTS.iter().any(|input| file.path.starts_with(input)));
    Ok(inputs.map(|file| format!("{}\n{}\n", file.path, file.text)).collect())
}

fn is_same(built: &Path, inputs: &str) -> bool {
    std::fs::read_to_string(built).is_ok_and(|text| text == inputs)
}
