use anyhow::Result;

/// Filled in with `fuzz/`.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    Ok(())
}
