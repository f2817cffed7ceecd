use std::path::PathBuf;

use anyhow::Result;

use crate::{client, install, next, run, totals::Totals, workspace};

/// Real clients and a real browser against the built binary: all test files, or those named.
pub(crate) fn run(files: &[String]) -> Result<Totals> {
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm"), ("nginx", "nginx-light")])?;
    let chromium = install::chromium()?;
    install::npm_packages("e2e")?;
    client::build()?;
    if files.is_empty() || files.iter().any(|file| file.contains("next")) {
        next::build()?;
    }
    let python = install::python("e2e/requirements.txt")?;
    let rust_client = rust_client()?;
    run::run_in("", "cargo build --locked --profile fast --package roomkey --bins --examples")?;
    let built = workspace::target().join("fast");
    let mut node = run::command("node");
    node.args(["--test", "--test-reporter=spec", "--test-timeout=180000"])
        .args(if files.is_empty() { test_files()? } else { files.to_vec() })
        .env("ROOMKEY_BIN", built.join("roomkey"))
        .env("ROOMKEY_EXAMPLES", built.join("examples"))
        .env("CHROMIUM", chromium)
        .env("PYTHON", python)
        .env("RUST_CLIENT", rust_client);
    run::run_tests(&mut node)
}

/// Builds the program around the independent Rust client: a workspace of its own.
fn rust_client() -> Result<PathBuf> {
    install::openssl()?;
    let target = workspace::target().join("rust-client");
    let mut cargo = run::command("cargo");
    cargo.args(["build", "--locked", "--manifest-path", "e2e/rust-client/Cargo.toml", "--target-dir"]);
    run::run(cargo.arg(&target))?;
    Ok(target.join("debug/rust-client"))
}

fn test_files() -> Result<Vec<String>> {
    let files = workspace::source_files()?.into_iter().map(|file| file.path);
    Ok(files.filter(|path| path.starts_with("e2e/") && path.ends_with(".test.mjs")).collect())
}
