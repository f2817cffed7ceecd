use std::fmt;

use roomkey_model::{Revocation, SessionId, Timestamp, UserId};

use crate::Pending;

/// A login of an account: one device in the user's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The `sid` of its tokens.
    pub session: SessionId,
    /// Whose login it is.
    pub user: UserId,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// Where the client was when the session was last used.
    pub address: Option<String>,
    /// When the login was.
    pub created: Timestamp,
    /// When the session was last used.
    pub seen: Timestamp,
    /// When it is over, however much it is used.
    pub ends: Timestamp,
    /// When it is over unless it is used before.
    pub idle_ends: Timestamp,
    /// When it was ended, if it was.
    pub ended: Option<Timestamp>,
}

impl Session {
    /// Whether its time is over, by itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends.min(self.idle_ends)
    }
}

/// The refresh tokens of a session, of which nothing is kept that could be used as one.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshFamily {
    /// What tells a token of this family from one that was never issued.
    pub tag_key: [u8; 32],
    /// The digest of the token that may be used next.
    pub current: [u8; 32],
}

/// What is to be done with a refresh token that was presented.
pub struct Rotation {
    /// The session it is of.
    pub session: SessionId,
    /// Its digest.
    pub presented: [u8; 32],
    /// What its successor is made from, and the digest of that.
    pub successor: ([u8; 32], [u8; 32]),
    /// The parent of the current token counts, too, if it was exchanged at this time or later.
    pub retry_since: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// When the session is over unless it is used again.
    pub idle_ends: Timestamp,
    /// Where the client is.
    pub address: Option<String>,
    /// Revokes the session's access tokens: written in the same commit if the token turns out to have been used before.
    pub revocation: Revocation,
}

impl Rotation {
    /// Whether what was exchanged then may be asked for again. Where the clock was put back since, the same time holds on
    /// the other side of now.
    pub(crate) fn is_retry(&self, exchanged: Timestamp) -> bool {
        let ahead_max_ms = self.now.since_ms(self.retry_since);
        exchanged >= self.retry_since && exchanged <= self.now.plus_ms(ahead_max_ms)
    }
}

/// What became of a [`Rotation`].
#[derive(Clone, PartialEq, Eq)]
pub enum Rotated {
    /// The session was ended.
    Ended,
    /// The time of the session is over.
    Expired,
    /// The token was exchanged: its successor is the current one now.
    Exchanged(Session),
    /// The token was exchanged a moment ago: the client asks again. Its successor is made from this.
    Retried(Session, [u8; 32]),
    /// The token was exchanged long ago, so that two have it. The session was ended, and its tokens revoked.
    Reused(Session),
    /// There is no such session, or it has no refresh tokens.
    Unknown,
}

/// Makes, of the sessions that a write has ended, the revocations that are written in the same commit.
pub type Revoke = Box<dyn FnOnce(&[SessionId]) -> Vec<Revocation> + Send>;

/// Shows no digest, since there are better names for tokens in a log.
impl fmt::Debug for RefreshFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshFamily").finish_non_exhaustive()
    }
}

/// Shows no salt.
impl fmt::Debug for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "Ended",
            Self::Expired => "Expired",
            Self::Exchanged(_) => "Exchanged",
            Self::Retried(..) => "Retried",
            Self::Reused(_) => "Reused",
            Self::Unknown => "Unknown",
        })
    }
}

/// The logins of accounts, and what renews their tokens. Part of [`Store`](crate::Store).
pub trait SessionStore: Send + Sync {
    /// Stores a new login, and what its first refresh token is known by.
    ///
    /// [`StoreError::Denied`] if the account has another password by now than the one whose hash was looked at, or is
    /// blocked: what ended all logins in between is not undone by one that was on its way.
    ///
    /// [`StoreError::Denied`]: crate::StoreError::Denied
    fn create_session(&self, session: Session, refresh: RefreshFamily, password_hash: &str) -> Pending<()>;

    /// The login, also when it has ended.
    fn session(&self, session: &SessionId) -> Pending<Option<Session>>;

    /// What the tags of its refresh tokens are made with; none if it has none.
    fn refresh_tag_key(&self, session: &SessionId) -> Pending<Option<[u8; 32]>>;

    /// Exchanges a refresh token, once. Of two requests with the same token one exchanges it, and the other is a retry.
    fn rotate(&self, rotation: Rotation) -> Pending<Rotated>;

    /// The logins of a user that have not ended and are not over, newest first; at most `limit`.
    fn sessions_of(&self, user: &UserId, now: Timestamp, limit: usize) -> Pending<Vec<Session>>;

    /// Notes that the login was used.
    fn touch_session(&self, session: &SessionId, now: Timestamp) -> Pending<()>;

    /// Ends the login and writes the revocation, in one commit; tells whether it was there, of this user, and had not
    /// ended.
    fn end_session(
        &self,
        session: &SessionId,
        user: &UserId,
        now: Timestamp,
        revocation: Revocation,
    ) -> Pending<bool>;

    /// Ends the logins of the user that began at `began_by` or before, or all, in one commit with the revocations that
    /// `revoke` makes of them. Tells how many.
    fn end_sessions_of(
        &self,
        user: &UserId,
        began_by: Option<Timestamp>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize>;

    /// Forgets the logins that were over before `since`; tells how many.
    fn forget_sessions(&self, since: Timestamp) -> Pending<usize>;
}
