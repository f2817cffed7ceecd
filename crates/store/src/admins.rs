use std::fmt;

use roomkey_model::{AdminRole, Timestamp};

use crate::Pending;

/// Somebody who may open the admin page. No user of any issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Admin {
    /// The name to log in with; unique.
    pub name: String,
    /// The password's hash, as a PHC string.
    pub password_hash: String,
    /// What this admin may do.
    pub role: AdminRole,
    /// When it was added.
    pub created: Timestamp,
    /// When the last login was.
    pub seen: Option<Timestamp>,
    /// Where the last login came from.
    pub address: Option<String>,
}

impl fmt::Debug for Admin {
    /// Only who it is: the rest is personal or secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Who may open the admin page. Part of [`Store`](crate::Store).
pub trait AdminStore: Send + Sync {
    /// Adds one. [`StoreError::Conflict`](crate::StoreError::Conflict) names `name`.
    fn create_admin(&self, admin: Admin) -> Pending<()>;

    /// The admin of this name.
    fn admin(&self, name: &str) -> Pending<Option<Admin>>;

    /// The admins by name; at most `limit`.
    fn admins(&self, limit: usize) -> Pending<Vec<Admin>>;

    /// Removes one; tells whether there was one.
    fn remove_admin(&self, name: &str) -> Pending<bool>;

    /// Replaces the password's hash if it still is `old`; otherwise, or without the admin, the answer is
    /// [`StoreError::Conflict`](crate::StoreError::Conflict), which names `password`.
    fn replace_admin_password(&self, name: &str, old: &str, new: String) -> Pending<()>;

    /// Remembers a login. [`StoreError::Denied`](crate::StoreError::Denied): there is no such admin any more, or not with
    /// this password.
    fn note_admin_login(
        &self,
        name: &str,
        password_hash: &str,
        address: String,
        now: Timestamp,
    ) -> Pending<()>;
}
