use std::{fs, path::Path};

/// A warning if a file with secrets can be read by other users of the machine.
pub(super) fn exposure(path: &Path) -> Option<String> {
    let others_may = is_open_to_others(&fs::metadata(path).ok()?);
    others_may.then(|| format!("{} holds a secret and can be read by others: chmod 600", path.display()))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o007 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}
