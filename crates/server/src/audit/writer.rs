//! The thread that writes: from the queue into the log, in batches.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use roomkey_model::Clock;

use super::{
    event::Event,
    log::{Incident, Log},
    queue::Queue,
    record::{Entry, Record},
};

/// Ordinary records are durable after so long; essential ones at once.
const SYNC_AFTER_US: u64 = 1_000_000;

/// How long to sleep while there is nothing to do.
const IDLE: Duration = Duration::from_secs(3600);

/// How long to wait after a failed write.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What others see of the writer.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Records written.
    pub(crate) written: AtomicU64,
    /// Records that were merged into others of their kind.
    pub(crate) merged: AtomicU64,
    /// Writes that failed.
    pub(crate) errors: AtomicU64,
    /// Whether the last write failed.
    pub(crate) is_failing: AtomicBool,
}

/// What the thread owns.
pub(super) struct Writer {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    node: Box<str>,
    /// `None`: records only go to the log on standard error.
    log: Option<Log>,
    unwritten: Unwritten,
    synced_us: u64,
}

impl Writer {
    pub(super) fn new(
        queue: Arc<Queue>,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
        node: Box<str>,
        log: Option<Log>,
    ) -> Self {
        let synced_us = clock.now_us();
        Self { queue, counters, clock, node, log, unwritten: Unwritten::default(), synced_us }
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self, incidents: Vec<Incident>) {
        for incident in incidents {
            self.add_incident(incident);
        }
        loop {
            let is_last = self.collect();
            let result = self.write(is_last);
            let has_failed = result.is_err();
            self.note(result);
            if is_last && has_failed {
                tracing::error!(records = self.unwritten.lines.len(), "audit records are lost");
            }
            if is_last && (has_failed || self.unwritten.lines.is_empty()) {
                break;
            }
        }
    }

    fn is_failing(&self) -> bool {
        self.counters.is_failing.load(Ordering::Relaxed)
    }

    /// Waits for records and takes them; says whether nothing more will come.
    ///
    /// While nothing can be written they stay in the queue, where those of a kind are merged.
    fn collect(&mut self) -> bool {
        if self.is_failing() && !self.queue.wait(RETRY_AFTER) {
            return false;
        }
        let is_idle = self.unwritten.lines.is_empty() && !self.log.as_ref().is_some_and(Log::is_dirty);
        let patience = if is_idle { IDLE } else { Duration::from_micros(SYNC_AFTER_US) };
        let (entries, is_last) = self.queue.take(patience, || self.clock.now_us());
        for entry in entries {
            self.add_entry(&entry);
        }
        is_last
    }

    fn write(&mut self, is_last: bool) -> io::Result<Option<Incident>> {
        let is_failing = self.is_failing();
        let Some(log) = &mut self.log else {
            self.unwritten = Unwritten::default();
            return Ok(None);
        };
        let Unwritten { lines, is_essential } = &mut self.unwritten;
        let mut incident = None;
        if !lines.is_empty() {
            incident = log.look_after_file()?;
            log.append(&*lines)?;
            self.counters.written.fetch_add(lines.len() as u64, Ordering::Relaxed);
            lines.clear();
        }
        let now_us = self.clock.now_us();
        let is_due = now_us.abs_diff(self.synced_us) >= SYNC_AFTER_US;
        if is_due || is_last || is_failing || *is_essential {
            log.sync()?;
            (self.synced_us, *is_essential) = (now_us, false);
        }
        Ok(incident)
    }

    fn note(&mut self, result: io::Result<Option<Incident>>) {
        let is_failing = &self.counters.is_failing;
        match result {
            Ok(incident) => {
                if is_failing.swap(false, Ordering::Relaxed) {
                    let reason = Some("write_failed");
                    self.add(&Record { reason, ..Record::new(Event::AuditResumed) });
                }
                if let Some(incident) = incident {
                    self.add_incident(incident);
                }
            }
            Err(error) => {
                self.counters.errors.fetch_add(1, Ordering::Relaxed);
                if !is_failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the audit log cannot be written");
                }
            }
        }
    }

    fn add_incident(&mut self, incident: Incident) {
        match incident {
            Incident::Torn(bytes) => {
                let target = format!("{bytes} bytes");
                let record = Record { target: Some(&target), ..Record::new(Event::AuditRepaired) };
                self.add(&Record { reason: Some("torn_line"), ..record });
            }
            Incident::Damaged(what) => {
                self.add(&Record { reason: Some(what), ..Record::new(Event::AuditDamaged) });
            }
        }
    }

    fn add(&mut self, record: &Record<'_>) {
        self.add_entry(&Entry::new(self.clock.now_us(), record));
    }

    fn add_entry(&mut self, entry: &Entry) {
        entry.trace();
        self.counters.merged.fetch_add(entry.count - 1, Ordering::Relaxed);
        if self.log.is_some() {
            self.unwritten.lines.push(entry.fields(&self.node));
            self.unwritten.is_essential |= entry.is_essential();
        }
    }
}

/// Records on their way to the file.
#[derive(Default)]
struct Unwritten {
    lines: Vec<String>,
    /// Whether something essential is among them, or was and is not durable yet.
    is_essential: bool,
}
