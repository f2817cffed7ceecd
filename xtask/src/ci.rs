use anyhow::Result;

use crate::{client, deny, fuzz, run, test, tidy, totals::Totals, web};

type Check = fn() -> Result<()>;

/// What CI runs, quickest first. Every step runs, also after one has failed; each check counts as one test.
pub(crate) fn run() -> Result<Totals> {
    let checks: [(&str, Check); 8] = [
        ("format", format),
        ("tidy", tidy::run),
        ("clippy", clippy),
        ("docs", docs),
        ("pages", web::run),
        ("client", client::run),
        ("licences", deny::run),
        ("fuzz", || fuzz::run(&[])),
    ];
    let mut totals = Totals::default();
    let mut failures = Vec::new();
    for (name, check) in checks {
        println!("\n== {name}");
        match check() {
            Ok(()) => totals += Totals::PASSED,
            Err(error) => {
                println!("error: {name}: {error:#}");
                totals += Totals::FAILED;
                failures.push(name);
            }
        }
    }
    println!("\n== test");
    totals += test::run()?;
    if !failures.is_empty() {
        println!("failed checks: {}", failures.join(", "));
    }
    Ok(totals)
}

/// The workspaces beside the main one, by their manifests.
const FUZZ: &str = "--manifest-path fuzz/Cargo.toml";
const PEERS: &str = "--manifest-path bench/peers/Cargo.toml";
const RUST_CLIENT: &str = "--manifest-path e2e/rust-client/Cargo.toml";

fn format() -> Result<()> {
    run::run_in("", "cargo fmt --all --check")?;
    run::run_in("", &format!("cargo fmt {FUZZ} --all --check"))?;
    run::run_in("", &format!("cargo fmt {PEERS} --all --check"))?;
    run::run_in("", &format!("cargo fmt {RUST_CLIENT} --all --check"))
}

fn clippy() -> Result<()> {
    run::run_in("", "cargo clippy --workspace --all-targets --locked -- -D warnings")?;
    run::run_in("", &format!("cargo clippy {FUZZ} --locked -- -D warnings"))
}

fn docs() -> Result<()> {
    let mut rustdoc = run::command("cargo");
    rustdoc.args(["doc", "--workspace", "--no-deps", "--locked"]);
    run::run(rustdoc.env("RUSTDOCFLAGS", "-D warnings"))
}
