//! What the process takes of the machine.

use std::{fs, time::Duration};

use rustix::{
    param::page_size,
    time::{ClockId, clock_gettime},
};

/// Bytes of memory that are the process's own and in use; 0 where the system does not tell.
pub(super) fn memory_bytes() -> u64 {
    // Size and resident set, in pages.
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Option<u64> = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * page_size() as u64
}

/// The time that all threads together have computed.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_seen() {
        let before = memory_bytes();
        let block = vec![1_u8; 64 << 20];
        let after = memory_bytes();
        assert!(after >= before + (32 << 20), "{before} {after} {}", block.len());
        let start = cpu_time();
        let mut number = 1_u64;
        while cpu_time() == start {
            number = number.wrapping_mul(3);
        }
        assert!(cpu_time() > start, "{number}");
    }
}
