//! Tokens that no longer count, and the live sockets that end with them.
//!
//! Whoever connects is indexed first and looked up among the revocations then; whoever revokes adds the revocation
//! first and looks for sockets then. So whichever of the two comes first, no socket survives its token.

mod index;
mod revalidation;
mod revoker;

use std::{sync::Arc, time::Duration};

use parking_lot::RwLock;
use roomkey_auth::{Identity, Revocations};
use roomkey_model::{Revocation, RevocationReason, Timestamp, UserId};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

pub(crate) use index::SocketIndex;
pub(crate) use revalidation::Revalidation;
pub(crate) use revoker::{Revoker, Sweeping, Swept};

use crate::{Socket, context::Context};

/// How long a revocation waits for the last of its sockets to close before it answers.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// What is revoked, and which sockets are live. One for each server.
pub(crate) struct LiveTokens {
    revocations: RwLock<Revocations>,
    sockets: SocketIndex,
    sweeps: mpsc::UnboundedSender<Sweep>,
}

/// Something for the sweeper to do, in order.
enum Sweep {
    /// Ends the sockets of what was revoked at this instant.
    Revoked(Revocation, Instant),
    /// Tells which sockets these revocations are about.
    Find(Vec<Revocation>, oneshot::Sender<Vec<Socket>>),
    /// Tells that all before it is done.
    Barrier(oneshot::Sender<()>),
}

/// What is to be swept, for [`sweep`].
pub(crate) struct Sweeps(mpsc::UnboundedReceiver<Sweep>);

impl LiveTokens {
    pub(crate) fn new() -> (Self, Sweeps) {
        let (sweeps, receiver) = mpsc::unbounded_channel();
        let (revocations, sockets) = (RwLock::default(), SocketIndex::default());
        (Self { revocations, sockets, sweeps }, Sweeps(receiver))
    }

    /// The live sockets, by user.
    pub(crate) fn sockets(&self) -> &SocketIndex {
        &self.sockets
    }

    /// Makes a socket known that is to be let in, and says whether its token counts.
    pub(crate) fn register(&self, socket: &Socket) -> Result<(), RevocationReason> {
        let Some(identity) = socket.identity() else { return Ok(()) };
        self.sockets.insert(socket);
        self.check(&identity)
    }

    /// Forgets a socket that is closed.
    pub(crate) fn remove(&self, socket: &Socket) {
        self.sockets.remove(socket);
    }

    /// Whether a token counts.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), RevocationReason> {
        self.revocations.read().find(identity).map_or(Ok(()), Err)
    }

    /// Whether a user is kept out whatever token they have.
    pub(crate) fn is_blocked(&self, user: &UserId) -> bool {
        self.revocations.read().is_blocked(user)
    }

    /// How many revocations are remembered.
    pub(crate) fn revocation_count(&self) -> usize {
        self.revocations.read().len()
    }

    /// Takes in what is revoked and stored: from now on the tokens are refused, and their sockets are about to end.
    pub(crate) fn apply(&self, revocation: Revocation) {
        self.revocations.write().apply(&revocation);
        // When nobody listens, the server is not running, and there are no sockets.
        _ = self.sweeps.send(Sweep::Revoked(revocation, Instant::now()));
    }

    /// Applies a revocation and waits until its sockets are closed; tells how many there were.
    pub(crate) async fn revoke(&self, revocation: Revocation) -> usize {
        let sockets = self.concerned(std::slice::from_ref(&revocation)).await;
        let count = sockets.len();
        self.apply(revocation);
        self.settled(sockets).await;
        count
    }

    /// Takes in what was stored before the server started.
    pub(crate) fn load(&self, revocations: Vec<Revocation>) {
        let mut all = self.revocations.write();
        for revocation in revocations {
            all.replace(revocation);
        }
    }

    /// Puts a cut-off in the place of a user's block.
    pub(crate) fn unblock(&self, cut_off: Revocation) {
        self.revocations.write().replace(cut_off);
    }

    /// Forgets what is over.
    pub(crate) fn purge(&self, now: Timestamp) {
        self.revocations.write().purge(now);
    }

    /// The sockets that revocations are about, now. Looking for them may take a while, and does not hold up the caller's
    /// thread.
    async fn concerned(&self, revocations: &[Revocation]) -> Vec<Socket> {
        let (found, sockets) = oneshot::channel();
        match self.sweeps.send(Sweep::Find(revocations.to_vec(), found)) {
            Ok(()) => timeout(CLOSE_PATIENCE, sockets).await.ok().and_then(Result::ok).unwrap_or_default(),
            // The server is not running.
            Err(_) => Vec::new(),
        }
    }

    /// Waits until everything that was applied before has been swept and these sockets are closed, for a while.
    async fn settled(&self, sockets: Vec<Socket>) {
        let (done, swept) = oneshot::channel();
        let settled = async {
            if self.sweeps.send(Sweep::Barrier(done)).is_ok() {
                _ = swept.await;
            }
            self.closed(sockets).await;
        };
        if timeout(CLOSE_PATIENCE, settled).await.is_err() {
            tracing::warn!("some sockets of a revoked token have not closed in time");
        }
    }

    /// Waits until these sockets are closed, for a while.
    pub(crate) async fn wait_until_closed(&self, sockets: Vec<Socket>) {
        if timeout(CLOSE_PATIENCE, self.closed(sockets)).await.is_err() {
            tracing::warn!("some sockets that are to be closed have not in time");
        }
    }

    /// One after the other: whoever closes in between costs one look.
    async fn closed(&self, sockets: Vec<Socket>) {
        for socket in sockets {
            loop {
                let closed = self.sockets.closed.notified();
                if !socket.is_connected() {
                    break;
                }
                closed.await;
            }
        }
    }
}

/// Ends the sockets of what is revoked, off the threads that serve, for as long as it is polled.
pub(crate) async fn sweep(context: &Arc<Context>, mut sweeps: Sweeps) {
    while let Some(sweep) = sweeps.0.recv().await {
        match sweep {
            Sweep::Revoked(revocation, since) => {
                let sockets = context.live_tokens.sockets.matching(&revocation);
                for socket in &sockets {
                    socket.revoke(revocation.reason);
                }
                // In this order: a socket that is ended cannot be parked, and one that is parked is no longer ended.
                if let Some(recoverable) = &context.recoverable {
                    recoverable.revoke(&revocation);
                }
                if sockets.is_empty() {
                    continue;
                }
                context.metrics.sockets_revoked.add(sockets.len());
                let context = context.clone();
                tokio::spawn(async move {
                    // What takes longer counts as that long.
                    _ = timeout(CLOSE_PATIENCE, context.live_tokens.closed(sockets)).await;
                    context.metrics.revocation_propagation.observe(since.elapsed());
                });
            }
            // Whoever asked may have stopped waiting.
            Sweep::Find(revocations, found) => {
                let index = &context.live_tokens.sockets;
                _ = found
                    .send(revocations.iter().flat_map(|revocation| index.matching(revocation)).collect());
            }
            Sweep::Barrier(done) => _ = done.send(()),
        }
    }
}
