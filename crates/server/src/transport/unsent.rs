use std::sync::Arc;

use parking_lot::Mutex;

use crate::{registry::Entry, transport::Letter};

/// The answer to a poll that the kernel has yet to take, on one HTTP connection.
///
/// If the connection ends before that, packets are lost, and so their session must end, too.
#[derive(Clone, Default)]
pub(crate) struct Unsent(Arc<Mutex<Option<Arc<Entry>>>>);

impl Unsent {
    /// An answer of this session is on its way.
    pub(super) fn begin(&self, entry: &Arc<Entry>) {
        *self.0.lock() = Some(entry.clone());
    }

    /// All that was to be written has been written.
    pub(crate) fn finish(&self) {
        *self.0.lock() = None;
    }

    /// The connection has ended.
    pub(crate) fn give_up(&self) {
        if let Some(entry) = self.0.lock().take() {
            // A session that has ended by itself needs no telling.
            drop(entry.mailbox.post(Letter::Aborted));
        }
    }
}
