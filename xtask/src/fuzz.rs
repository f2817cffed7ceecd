use anyhow::Result;

use crate::run;

/// A short run of all fuzz targets: their corpus, then chance. `fuzz/README.md` has the long runs.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let seconds = arguments.first().map_or("30", String::as_str);
    let build = "cargo run --release --locked --manifest-path fuzz/Cargo.toml";
    run::run_in("", &format!("{build} -- --seconds {seconds}"))
}
