use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use roomkey_auth::Identity;
use roomkey_hub::SocketKey;
use tokio::sync::oneshot;

/// The socket an event came from, and whose it is. The server keeps one for each socket.
pub struct Caller {
    /// What the token says. Everything is done and stamped as this user.
    pub identity: Arc<Identity>,
    /// The socket.
    pub socket: SocketKey,
    /// Resolves when the room operation before is done. Never held across an await.
    previous: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
    /// Whether the socket is counted as here.
    is_here: Arc<AtomicBool>,
}

impl Caller {
    /// The caller of an authenticated socket.
    pub fn new(identity: Arc<Identity>, socket: SocketKey) -> Self {
        Self { identity, socket, previous: Arc::default(), is_here: Arc::default() }
    }

    /// The same caller with a newer token: what it began before is still in order with what it does now.
    #[must_use]
    pub fn renewed(&self, identity: Arc<Identity>) -> Self {
        let (previous, is_here) = (self.previous.clone(), self.is_here.clone());
        Self { identity, socket: self.socket.clone(), previous, is_here }
    }

    /// The socket is here from now on; false if it was already.
    pub(crate) fn enter(&self) -> bool {
        !self.is_here.swap(true, Ordering::AcqRel)
    }

    /// The socket is not here any more; false if it was not, as where it went before it was let in.
    pub(crate) fn exit(&self) -> bool {
        self.is_here.swap(false, Ordering::AcqRel)
    }

    /// A place in the order of this socket's room operations: a join that waits for the store must not overtake,
    /// or be overtaken by, the leave that was sent after it.
    pub(crate) fn turn(&self) -> Turn {
        let (done, next) = oneshot::channel();
        Turn { previous: self.previous.lock().replace(next), done }
    }
}

/// A place in an order.
pub(crate) struct Turn {
    previous: Option<oneshot::Receiver<()>>,
    done: oneshot::Sender<()>,
}

impl Turn {
    /// Waits for all that came before. The turn of the next one comes when the guard is dropped.
    pub(crate) async fn come(self) -> oneshot::Sender<()> {
        if let Some(previous) = self.previous {
            let _ = previous.await; // nothing is sent; it ends when the one before is dropped
        }
        self.done
    }
}
