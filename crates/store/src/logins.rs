use std::fmt;

use roomkey_model::Timestamp;

use crate::Pending;

/// Failed logins to an account, as far as the next has to wait for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginFailures {
    /// A digest of the name that was given.
    pub account: [u8; 16],
    /// When all of them are forgiven.
    pub paid_until: Timestamp,
    /// When the next attempt may be made.
    pub blocked_until: Timestamp,
}

/// That an account was logged in to, and from where.
#[derive(Clone, PartialEq, Eq)]
pub struct PastLogin {
    /// The e-mail address of the account.
    pub email: String,
    /// Its user name.
    pub username: Option<String>,
    /// Where the client was.
    pub address: String,
    /// When the login was last used.
    pub seen: Timestamp,
}

impl fmt::Debug for PastLogin {
    /// Only the time: the rest is personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PastLogin").field("seen", &self.seen).finish_non_exhaustive()
    }
}

/// What the limits of logins remember. Part of [`Store`](crate::Store).
pub trait LoginStore: Send + Sync {
    /// Remembers that logins to an account failed, in the place of what was remembered of it before.
    fn note_login_failures(&self, failures: LoginFailures) -> Pending<()>;

    /// The failed logins that still count, the longest first; at most `limit`.
    fn login_failures(&self, now: Timestamp, limit: usize) -> Pending<Vec<LoginFailures>>;

    /// Forgets those that count no more, at most `limit`; tells how many.
    fn forget_login_failures(&self, now: Timestamp, limit: usize) -> Pending<usize>;

    /// Which accounts were logged in to since then, and from where, the latest first; at most `limit`.
    fn past_logins(&self, since: Timestamp, limit: usize) -> Pending<Vec<PastLogin>>;
}
