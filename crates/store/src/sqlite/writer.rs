use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{outbox::Outbox, queue::Queue};
use crate::{CommitSink, Committed, StoreError};

/// A write that waits for the writer.
pub(super) trait Job: Send {
    /// Does its work inside the batch's transaction. On an error the writer undoes what was done.
    fn run(&mut self, connection: &Connection, changes: &mut Vec<Committed>) -> Result<(), StoreError>;

    /// Answers the caller, once it is known what became of the batch.
    fn answer(self: Box<Self>, batch: Result<(), StoreError>);
}

/// Writes until the queue is closed and empty.
pub(super) fn run(
    connection: &Connection,
    queue: &Queue<Box<dyn Job>>,
    batch_jobs: usize,
    outbox: &Outbox,
    sink: &CommitSink,
) {
    let _guard = queue.close_on_drop();
    let mut changes = Vec::new();
    loop {
        let mut jobs = queue.take(batch_jobs);
        if jobs.is_empty() {
            return;
        }
        let outcome = commit(connection, &mut jobs, outbox, &mut changes);
        if outcome.is_ok() && !changes.is_empty() {
            sink(&changes);
        }
        changes.clear();
        for job in jobs {
            job.answer(outcome.clone());
        }
    }
}

/// Runs all jobs in one transaction.
fn commit(
    connection: &Connection,
    jobs: &mut [Box<dyn Job>],
    outbox: &Outbox,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    // Left open by a rollback that failed as well, on a disk that did.
    if !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    execute(connection, "BEGIN IMMEDIATE")?;
    let outcome = jobs
        .iter_mut()
        .try_for_each(|job| in_savepoint(connection, job.as_mut(), changes))
        .and_then(|()| outbox.add(connection, changes))
        .and_then(|()| execute(connection, "COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK")?;
    }
    outcome
}

/// Runs one job. An error is one of the whole batch; the job's own error stays with the job.
fn in_savepoint(
    connection: &Connection,
    job: &mut dyn Job,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    execute(connection, "SAVEPOINT job")?;
    let changes_before = changes.len();
    // A job that panics must not take the writer with it: nobody could write any more.
    let outcome = catch_unwind(AssertUnwindSafe(|| job.run(connection, changes)));
    if let Err(error) = outcome.unwrap_or(Err(StoreError::Other { detail: "a write panicked".to_owned() })) {
        changes.truncate(changes_before);
        // A full disk and the like may have ended the whole transaction.
        if connection.is_autocommit() {
            return Err(error);
        }
        execute(connection, "ROLLBACK TO job")?;
    }
    execute(connection, "RELEASE job")
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// The job that runs `work`, and where its answer comes.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection, &mut Vec<Committed>) -> Result<T, StoreError> + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    (Box::new(Write { work: Some(work), value: None, reply }), answer)
}

struct Write<T, W> {
    work: Option<W>,
    /// What the work gave: valid only if the batch is committed.
    value: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Write<T, W>
where
    T: Send,
    W: FnOnce(&Connection, &mut Vec<Committed>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, connection: &Connection, changes: &mut Vec<Committed>) -> Result<(), StoreError> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let (value, outcome) = match work(connection, changes) {
            Ok(value) => (Ok(value), Ok(())),
            Err(error) => (Err(error.clone()), Err(error)),
        };
        self.value = Some(value);
        outcome
    }

    fn answer(self: Box<Self>, batch: Result<(), StoreError>) {
        let value = self.value.unwrap_or(Err(StoreError::Unavailable));
        let outcome = batch.and(value);
        if let Err(error) = &outcome
            && error.is_fault()
        {
            tracing::error!(%error, "a write failed");
        }
        let _ = self.reply.send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use roomkey_model::{ChannelId, UserId};

    use super::*;

    const NOBODY: Outbox = Outbox { encoder: None, waiting_max: 0 };

    #[test]
    fn a_job_that_panics_harms_no_other() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch("CREATE TABLE log (entry TEXT)").expect("creates");
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        for entry in ["a", "b", "c"] {
            let (job, answer) = job(move |connection, _| {
                connection.execute("INSERT INTO log VALUES (?1)", [entry])?;
                assert_ne!(entry, "b", "the panic that this test is about");
                Ok(())
            });
            jobs.push(job);
            answers.push(answer);
        }
        assert_eq!(commit(&connection, &mut jobs, &NOBODY, &mut Vec::new()), Ok(()));
        for job in jobs {
            job.answer(Ok(()));
        }
        let outcomes: Vec<bool> =
            answers.into_iter().map(|answer| matches!(answer.blocking_recv(), Ok(Ok(())))).collect();
        assert_eq!(outcomes, [true, false, true]);
        let stored: String = connection
            .query_row("SELECT group_concat(entry, '') FROM log", [], |row| row.get(0))
            .expect("reads");
        assert_eq!(stored, "ac");
    }

    #[test]
    fn what_a_failed_job_did_is_undone_and_not_told() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch("CREATE TABLE log (entry TEXT)").expect("creates");
        let (mut jobs, mut answers) = (Vec::new(), Vec::new());
        for (entry, outcome) in [("a", Ok(())), ("b", Err(StoreError::Denied)), ("c", Ok(()))] {
            let (job, answer) = job(move |connection, changes| {
                connection.execute("INSERT INTO log VALUES (?1)", [entry])?;
                changes.push(removed(entry));
                outcome
            });
            jobs.push(job);
            answers.push(answer);
        }
        let mut changes = Vec::new();
        assert_eq!(commit(&connection, &mut jobs, &NOBODY, &mut changes), Ok(()));
        assert_eq!(changes, [removed("a"), removed("c")]);
        let log: String = connection
            .query_row("SELECT group_concat(entry, '') FROM log", [], |row| row.get(0))
            .expect("readable");
        assert_eq!(log, "ac");
        for job in jobs {
            job.answer(Ok(()));
        }
        let answers: Vec<_> = answers.into_iter().map(|mut answer| answer.try_recv()).collect();
        assert_eq!(answers, [Ok(Ok(())), Ok(Err(StoreError::Denied)), Ok(Ok(()))]);
    }

    fn removed(user: &str) -> Committed {
        let channel = ChannelId::new("den").expect("a good name");
        Committed::MemberRemoved { channel, user: UserId::new(user).expect("a good name"), members: 0 }
    }
}
