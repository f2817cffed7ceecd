//! The process's table of file descriptors, grown once.
//!
//! A process with threads stops for 10 to 20 ms each time its table doubles. Growing it before the threads start
//! spares the first connections that.

use rustix::{
    fs::{Mode, OFlags},
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

/// Descriptors beyond which the table is not grown ahead: 8 bytes of kernel memory each.
const GROWN_MAX: u64 = 1 << 20;

/// Raises the limit of open files as far as allowed, and grows the table to it. Does what it can: a smaller table
/// works, too.
pub(crate) fn grow() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    let last = current.unwrap_or(GROWN_MAX).min(GROWN_MAX).saturating_sub(1);
    if let (Ok(null), Ok(last)) =
        (rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()), i32::try_from(last))
    {
        drop(rustix::io::fcntl_dupfd_cloexec(&null, last));
    }
}
