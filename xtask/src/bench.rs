use anyhow::Result;

/// Filled in with `bench/`.
pub(crate) fn run(_arguments: &[String]) -> Result<()> {
    Ok(())
}
