use anyhow::Result;

use crate::{run, workspace};

const VERSION: &str = "0.20.2";

/// Licences, banned crates and sources, as deny.toml has them. The tool is built once, below `target/`.
pub(crate) fn run() -> Result<()> {
    let root = workspace::target().join("tools").join(format!("cargo-deny-{VERSION}"));
    let tool = root.join("bin/cargo-deny");
    if !tool.is_file() {
        run::run(
            run::command("cargo")
                .args(["install", "--quiet", "--locked", "--version", VERSION, "cargo-deny", "--root"])
                .arg(&root),
        )?;
    }
    let mut deny = run::command(&tool.to_string_lossy());
    run::run(deny.args(["--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))
}
