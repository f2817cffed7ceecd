mod accounts;
mod admins;
mod backup;
mod channels;
mod columns;
mod fault;
mod invites;
mod lock;
mod logins;
mod members;
mod messages;
mod migrate;
mod open;
mod outbox;
mod personal;
mod presence;
mod queue;
mod reader;
mod retention;
mod revocations;
mod search;
mod sessions;
mod waiting;
mod watermarks;
mod writer;

use std::{path::Path, sync::Arc, thread};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{CommitSink, Committed, OpenError, OutboxEncoder, Pending, Store, StoreError};
pub use backup::backup;
use outbox::Outbox;
use queue::Queue;
use reader::Read;
use writer::Job;

/// How a [`SqliteStore`] is run.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// Threads that read, each with a connection of its own.
    pub readers: usize,
    /// Requests that wait in each of the two queues, one of writes and one of reads.
    pub queue_jobs: usize,
    /// Writes that share one commit.
    pub batch_jobs: usize,
    /// How long another program may keep the database locked.
    pub busy_timeout_ms: u32,
    /// Channels one user may be in.
    pub channels_per_user: usize,
    /// Members one channel may have.
    pub members_per_channel: usize,
    /// Deliveries that may wait for one endpoint.
    pub outbox_rows: usize,
    /// Bytes the database file may have; no limit but the volume's where there is none.
    pub database_bytes: Option<u64>,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            readers: 2,
            queue_jobs: 4096,
            batch_jobs: 512,
            busy_timeout_ms: 5000,
            channels_per_user: roomkey_model::Limits::default().channels_per_user,
            members_per_channel: roomkey_model::Limits::default().members_per_channel,
            outbox_rows: roomkey_model::Limits::default().webhooks_waiting,
            database_bytes: None,
        }
    }
}

/// The store in one SQLite file beside its write-ahead log.
///
/// One thread writes. It takes what waits in its queue, up to a batch, into one transaction, each write in a
/// savepoint of its own so that one that fails leaves the others alone, commits once, and only then answers.
/// Where SQLite itself gives the transaction up, as on a full disk, the whole batch gets that error.
/// A few threads read. All of them have connections of their own, so that no one waits for another.
pub struct SqliteStore {
    writes: Arc<Queue<Box<dyn Job>>>,
    reads: Arc<Queue<Read>>,
    caps: Caps,
    outbox_rows: usize,
    /// Taken by the first [`Store::close`].
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

/// How many memberships there may be.
#[derive(Clone, Copy)]
struct Caps {
    channels_per_user: usize,
    members_per_channel: usize,
}

impl SqliteStore {
    /// Opens the database at `path`, creating it and its directory where they are missing, and brings it to
    /// this release's version. Blocks; meant for start-up.
    pub fn open(path: &Path, config: &SqliteConfig, sink: CommitSink) -> Result<Self, OpenError> {
        Self::start(path, config, sink, None).map_err(|cause| OpenError { path: path.to_owned(), cause })
    }

    /// The same, with what backends are to be told of each change.
    pub fn open_with_outbox(
        path: &Path,
        config: &SqliteConfig,
        sink: CommitSink,
        encoder: OutboxEncoder,
    ) -> Result<Self, OpenError> {
        let started = Self::start(path, config, sink, Some(encoder));
        started.map_err(|cause| OpenError { path: path.to_owned(), cause })
    }

    fn start(
        path: &Path,
        config: &SqliteConfig,
        sink: CommitSink,
        encoder: Option<OutboxEncoder>,
    ) -> Result<Self, StoreError> {
        let lock = lock::acquire(path)?;
        let connection = open::writer(path, config)?;
        let writes = Arc::new(Queue::new(config.queue_jobs));
        let reads = Arc::new(Queue::new(config.queue_jobs));
        let mut threads = Vec::with_capacity(config.readers + 1);
        for _ in 0..config.readers.max(1) {
            let (connection, reads) = (open::reader(path, config)?, Arc::clone(&reads));
            threads.push(spawn("store-reader", move || reader::run(&connection, &reads))?);
        }
        let (queue, batch_jobs) = (Arc::clone(&writes), config.batch_jobs.max(1));
        let outbox = Outbox { encoder, waiting_max: config.outbox_rows };
        threads.push(spawn("store-writer", move || {
            writer::run(&connection, &queue, batch_jobs, &outbox, &sink);
            drop(connection);
            drop(lock);
        })?);
        Ok(Self {
            writes,
            reads,
            caps: Caps {
                channels_per_user: config.channels_per_user,
                members_per_channel: config.members_per_channel,
            },
            outbox_rows: config.outbox_rows,
            threads: Mutex::new(threads),
        })
    }

    /// Puts `work` into the writer's queue now.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Vec<Committed>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (job, answer) = writer::job(work);
        answer_of(self.writes.push(job), answer)
    }

    /// Puts `work` into the readers' queue now. It sees one snapshot of the database.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (job, answer) = reader::job(work);
        answer_of(self.reads.push(job), answer)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StoreError::from)
}

fn answer_of<T: Send + 'static>(
    pushed: Result<(), StoreError>,
    answer: oneshot::Receiver<Result<T, StoreError>>,
) -> Pending<T> {
    match pushed {
        Ok(()) => async move { answer.await.unwrap_or(Err(StoreError::Unavailable)) }.boxed(),
        Err(error) => std::future::ready(Err(error)).boxed(),
    }
}

impl Drop for SqliteStore {
    /// The threads finish what was accepted and end by themselves.
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
    }
}

impl Store for SqliteStore {
    fn close(&self) -> BoxFuture<'static, ()> {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        let (done, all_done) = oneshot::channel();
        // Joining blocks, so that it needs a thread; it lives as long as the last batch takes.
        let joiner = spawn("store-close", move || {
            for thread in threads {
                let _ = thread.join();
            }
            let _ = done.send(());
        });
        async move {
            if joiner.is_ok() {
                let _ = all_done.await;
            }
        }
        .boxed()
    }
}
