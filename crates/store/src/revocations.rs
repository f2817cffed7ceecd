use roomkey_model::{Revocation, Timestamp};

use crate::Pending;

/// What was revoked before its time was over. Part of [`Store`](crate::Store).
pub trait RevocationStore: Send + Sync {
    /// Revokes all of these, or none.
    fn revoke(&self, revocations: Vec<Revocation>) -> Pending<()>;

    /// Puts `cut_off`, which is about a user, in the place of that user's block; tells whether there was one.
    fn unblock(&self, cut_off: Revocation) -> Pending<bool>;

    /// All revocations, also those that are over.
    fn revocations(&self) -> Pending<Vec<Revocation>>;

    /// Forgets revocations that are over by `now`, at most `limit`; tells how many.
    fn purge_revocations(&self, now: Timestamp, limit: usize) -> Pending<usize>;
}
