//! The audit log: one record for each security decision.
//!
//! [`Audit::record`] hands a record to a thread of its own, which says it in the log on standard error and, where there
//! is a file, adds it to a chain that [`verify`](verify::verify) can follow. `docs/audit.md` says what is in it and what
//! it proves.

mod chain;
mod event;
mod head;
mod log;
mod paths;
mod queue;
mod recent;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod time;
pub(crate) mod verify;
mod writer;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
};

use parking_lot::Mutex;
use roomkey_model::{Clock, Entropy};

pub(crate) use event::Event;
pub(crate) use recent::{Kept, Recent};
pub(crate) use record::{Record, session_tag, tag};
pub(crate) use writer::Counters;

use log::{Log, Open, Rotation};
use paths::Paths;
use queue::Queue;
use record::Entry;
use writer::Writer;

/// Where the audit log is kept, and how much of it.
#[derive(Clone, Debug)]
pub struct AuditLog {
    /// The current file. Its key, its head and the files before it are beside it.
    pub file: PathBuf,
    /// Bytes after which the next file is begun.
    pub file_bytes_max: u64,
    /// Files before the current one that are kept; `None`: all.
    pub files_kept: Option<usize>,
    /// Whether each socket that is let in is recorded.
    pub connects: bool,
    /// What this server is called in its records.
    pub node: String,
}

/// Takes records. What it is given when it is closed is only said in the log on standard error.
pub(crate) struct Audit {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    has_file: bool,
    /// Whether each socket that is let in is recorded.
    pub(crate) records_connects: bool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Audit {
    /// Opens the log, or without one says records in the log on standard error only.
    pub(crate) fn start(
        log: Option<&AuditLog>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> io::Result<Self> {
        Self::start_with(log, clock, entropy, Box::new(log::open_file))
    }

    fn start_with(
        log: Option<&AuditLog>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
        open: Open,
    ) -> io::Result<Self> {
        let (queue, counters) = (Arc::<Queue>::default(), Arc::<Counters>::default());
        let records_connects = log.is_none_or(|log| log.connects);
        let node = log.map(|log| log.node.as_str()).unwrap_or_default().into();
        let opened = log.map(|log| {
            let rotation = Rotation { file_bytes_max: log.file_bytes_max, files_kept: log.files_kept };
            let opened = Log::open(Paths::new(&log.file), rotation, entropy, open);
            opened.map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("cannot open the audit log {}: {error}", log.file.display()),
                )
            })
        });
        let (log, incidents) =
            opened.transpose()?.map_or((None, Vec::new()), |(log, found)| (Some(log), found));
        let has_file = log.is_some();
        let writer = Writer::new(queue.clone(), counters.clone(), clock.clone(), node, log);
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(incidents))?;
        Ok(Self { queue, counters, clock, has_file, records_connects, thread: Mutex::new(Some(thread)) })
    }

    /// Records a decision. Never waits for the disk.
    pub(crate) fn record(&self, record: &Record<'_>) {
        if self.is_recorded(record.event)
            && let Some(entry) = self.queue.push(Entry::new(self.clock.now_us(), record))
        {
            entry.trace();
        }
    }

    /// Whether a record of this event goes anywhere: what would only be said very quietly may not be heard at all.
    fn is_recorded(&self, event: Event) -> bool {
        self.has_file
            || event.level() != tracing::Level::DEBUG
            || tracing::enabled!(target: record::TARGET, tracing::Level::DEBUG)
    }

    /// What has been written, and what has not.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The newest of what is recorded.
    pub(crate) fn recent(&self) -> &Recent {
        &self.queue.recent
    }

    /// What an operator should know.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        let is_failing = self.counters.is_failing.load(Ordering::Relaxed);
        is_failing.then_some("the audit log cannot be written: the log says why")
    }

    /// Writes what waits, and makes it durable. Nothing is written after it.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // A panic has been said already.
            let _ = thread.join();
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.close();
    }
}
