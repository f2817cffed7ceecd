use std::sync::Arc;

use roomkey_auth::Verifier;
use roomkey_model::{
    Clock, ErrorCode, Failure, Revocation, RevocationReason, RevocationTarget, Timestamp, UserId,
};
use roomkey_store::{Pending, Store};

use super::LiveTokens;
use crate::Socket;

/// Longer than a provider keeps somebody logged in: browsers forget cookies by then.
const SESSION_LIFETIME_MAX_MS: u64 = 400 * 24 * 3600 * 1000;

/// Revokes, durably: first in the store, whose commit applies it, then on every socket.
pub(crate) struct Revoker {
    store: Arc<dyn Store>,
    live: Arc<LiveTokens>,
    verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
}

/// What a revocation did at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Sockets that were closed.
    pub(crate) sockets: usize,
}

/// A revocation that is stored, and whose sockets are closing.
#[must_use]
pub(crate) struct Sweeping {
    live: Arc<LiveTokens>,
    sockets: Vec<Socket>,
}

impl Sweeping {
    /// Waits until they are closed, for a while.
    pub(crate) async fn done(self) -> Swept {
        let swept = Swept { sockets: self.sockets.len() };
        self.live.settled(self.sockets).await;
        swept
    }
}

impl Revoker {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        live: Arc<LiveTokens>,
        verifier: Arc<Verifier>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, live, verifier, clock }
    }

    /// Revokes, and waits until the sockets are closed. An error means that nothing was revoked.
    pub(crate) async fn revoke(
        &self,
        target: RevocationTarget,
        issued_before: Option<Timestamp>,
        reason: RevocationReason,
    ) -> Result<Swept, Failure> {
        let mut revocation = self.revocation(target, issued_before, reason);
        if let RevocationTarget::Session { .. } = revocation.target {
            // A provider goes on to issue tokens for a session that it knows nothing wrong about.
            revocation.until = Some(revocation.revoked_at.plus_ms(SESSION_LIFETIME_MAX_MS));
        }
        let revocations = [revocation];
        let write = || self.store.revoke(revocations.to_vec());
        self.with_sockets(&revocations, write).await.map(|((), swept)| swept)
    }

    /// A revocation that is decided now, to be stored by the caller's own write. That of a session is for one which is
    /// ended in the store with it, so that nothing can be issued for it any more.
    pub(crate) fn revocation(
        &self,
        target: RevocationTarget,
        issued_before: Option<Timestamp>,
        reason: RevocationReason,
    ) -> Revocation {
        let revoked_at = self.clock.now();
        let lifetime_ms = match &target {
            RevocationTarget::Session { issuer, .. } | RevocationTarget::Token { issuer, .. } => {
                self.verifier.lifetime_max_ms(Some(issuer))
            }
            RevocationTarget::User(_) if issued_before.is_some() => self.verifier.lifetime_max_ms(None),
            // A block and the loss of a key are for ever.
            RevocationTarget::User(_) | RevocationTarget::Key { .. } => None,
        };
        let until = lifetime_ms.map(|ms| revoked_at.max(issued_before.unwrap_or_default()).plus_ms(ms));
        Revocation { target, issued_before, revoked_at, until, reason }
    }

    /// Makes a write of the store that makes these revocations, and waits for it and for their sockets to close.
    pub(crate) async fn with_sockets<T>(
        &self,
        revocations: &[Revocation],
        write: impl FnOnce() -> Pending<T>,
    ) -> Result<(T, Swept), Failure> {
        let (done, sweeping) = self.begin(revocations, write).await?;
        Ok((done, sweeping.done().await))
    }

    /// The same, without waiting for the sockets.
    pub(crate) async fn begin<T>(
        &self,
        revocations: &[Revocation],
        write: impl FnOnce() -> Pending<T>,
    ) -> Result<(T, Sweeping), Failure> {
        let sockets = self.live.concerned(revocations).await;
        let done = write().await.map_err(|error| {
            tracing::error!(%error, "nothing was revoked");
            Failure::new(ErrorCode::Unavailable)
        })?;
        Ok((done, Sweeping { live: self.live.clone(), sockets }))
    }

    /// Lets a blocked user come back, with tokens issued from now on; tells whether there was a block.
    pub(crate) async fn unblock(&self, user: &UserId) -> Result<bool, Failure> {
        let target = RevocationTarget::User(user.clone());
        let cut_off = self.revocation(target, Some(self.clock.now()), RevocationReason::Revoked);
        self.store.unblock(cut_off).await.map_err(Failure::from)
    }

    /// The issuer of this name. One that is not known here was misspelled: what is revoked of it would revoke nothing.
    pub(crate) fn issuer(&self, name: &str) -> Result<Arc<str>, Failure> {
        self.verifier.issuers().find(|issuer| ***issuer == *name).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.verifier.issuers().map(AsRef::as_ref).collect();
            Failure::bad_payload(format!("there is no such issuer; there are: {}", known.join(", ")))
        })
    }

    /// Whether the user is blocked.
    pub(crate) fn is_blocked(&self, user: &UserId) -> bool {
        self.live.is_blocked(user)
    }

    /// What was decided before the server started.
    pub(crate) async fn load(&self) -> Result<(), Failure> {
        self.live.load(self.store.revocations().await.map_err(Failure::from)?);
        Ok(())
    }

    /// Forgets what is over, in memory and in the store.
    pub(crate) async fn purge(&self, now: Timestamp) -> Result<(), Failure> {
        const ROWS: usize = 1000;
        self.live.purge(now);
        while self.store.purge_revocations(now, ROWS).await.map_err(Failure::from)? == ROWS {}
        Ok(())
    }
}
