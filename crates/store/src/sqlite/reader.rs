use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::Queue;
use crate::StoreError;

/// A read that waits for a reader.
pub(super) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Reads until the queue is closed and empty.
pub(super) fn run(connection: &Connection, queue: &Queue<Read>) {
    let _guard = queue.close_on_drop();
    while let Some(read) = queue.take(1).pop() {
        read(connection);
    }
}

/// The job that runs `work` on one snapshot, and where its answer comes.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> (Read, oneshot::Receiver<Result<T, StoreError>>) {
    let (reply, answer) = oneshot::channel();
    let read = move |connection: &Connection| {
        if !reply.is_closed() {
            let outcome = snapshot(connection, work);
            if let Err(error) = &outcome
                && error.is_fault()
            {
                tracing::error!(%error, "a read failed");
            }
            let _ = reply.send(outcome);
        }
    };
    (Box::new(read), answer)
}

fn snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = work(connection);
    // An error may have ended the transaction already.
    if !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK")?.execute([])?;
    }
    result
}
