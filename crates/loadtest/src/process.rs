use std::fs;

use anyhow::{Context, Result};

/// A process of this machine, seen through procfs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    pid: u32,
}

impl Process {
    pub(crate) fn new(pid: u32) -> Self {
        Self { pid }
    }

    /// CPU time it has used so far, user and system, in seconds.
    pub(crate) fn cpu_s(self) -> Result<f64> {
        cpu_s(&self.read("stat")?).context("/proc/PID/stat has changed its form")
    }

    /// Memory it holds, in KiB.
    pub(crate) fn resident_kib(self) -> Result<f64> {
        resident_kib(&self.read("status")?).context("/proc/PID/status has changed its form")
    }

    fn read(self, file: &str) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/{file}", self.pid))
            .with_context(|| format!("no process {}", self.pid))
    }
}

/// `utime` and `stime` of proc_pid_stat(5). They come after the program's name, which may contain anything.
fn cpu_s(stat: &str) -> Option<f64> {
    const TICKS_PER_S: f64 = 100.0; // USER_HZ, a constant of Linux's interface
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

/// `VmRSS` of proc_pid_status(5).
fn resident_kib(status: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_and_status_are_read() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 2 3 4 150 75 0 0 20 0 1 0 100 1 2";
        assert_eq!(cpu_s(stat), Some(2.25));
        assert_eq!(cpu_s("42 (a) S"), None);
        assert_eq!(resident_kib("Name:\ta\nVmRSS:\t    5120 kB\n"), Some(5120.0));
        assert_eq!(resident_kib("Name:\ta\n"), None);
    }
}
