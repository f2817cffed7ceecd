use std::fmt;

use roomkey_model::{SessionId, Timestamp, UserId};

use crate::{Pending, Revoke};

/// An account of the built-in issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user it belongs to.
    pub user: UserId,
    /// The e-mail address as it was given; unique without regard to case.
    pub email: String,
    /// The name to log in with and to show; unique without regard to case.
    pub username: Option<String>,
    /// The password's hash, as a PHC string.
    pub password_hash: String,
    /// When it was created.
    pub created: Timestamp,
}

impl fmt::Debug for Account {
    /// Only the user: the rest is personal or secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What others see of a user, whichever issuer the user is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// The address of a picture.
    pub avatar: Option<String>,
}

/// The accounts of the built-in issuer, and what others see of any user. Part of [`Store`](crate::Store).
pub trait AccountStore: Send + Sync {
    /// Creates an account and its profile. [`StoreError::Conflict`] names `email`, `username` or `id`.
    ///
    /// [`StoreError::Conflict`]: crate::StoreError::Conflict
    fn create_account(&self, account: Account) -> Pending<()>;

    /// The account with this e-mail address, without regard to case.
    fn account_by_email(&self, email: &str) -> Pending<Option<Account>>;

    /// The account with this user name, without regard to case.
    fn account_by_username(&self, username: &str) -> Pending<Option<Account>>;

    /// The account of this user.
    fn account(&self, user: &UserId) -> Pending<Option<Account>>;

    /// The accounts by user id, after `after`; at most `limit`.
    fn accounts(&self, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>>;

    /// The accounts whose id, e-mail address or user name begins with `text`, without regard to case but for the id, by
    /// user id, after `after`; at most `limit`.
    fn find_accounts(&self, text: &str, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>>;

    /// How many accounts [`Self::find_accounts`] finds in all.
    fn count_accounts(&self, text: &str) -> Pending<usize>;

    /// Replaces the password's hash if it still is `old`, and leaves the sessions alone.
    fn rehash_password(&self, user: &UserId, old: &str, new: String) -> Pending<()>;

    /// Replaces the password's hash if it still is `old`, and ends all logins of the user but `except`; in one commit with
    /// the revocations that `revoke` makes of them. Tells how many.
    fn change_password(
        &self,
        user: &UserId,
        old: &str,
        new: String,
        except: Option<&SessionId>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize>;

    /// What others see of the user.
    fn profile(&self, user: &UserId) -> Pending<Option<Profile>>;
}
