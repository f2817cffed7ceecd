//! Files that nobody but the server's own user may read.

use std::fs::{DirBuilder, OpenOptions};

/// Makes directories for such files, with those above them.
pub(crate) fn directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true);
    builder
}

/// Opens such files. Those that it makes are private from the first moment.
pub(crate) fn files() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
