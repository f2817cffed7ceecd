//! The accounts of admins: to add one, to log in to it, and whether the page is there for them.

use std::{net::IpAddr, sync::Arc};

use roomkey_auth::password;
use roomkey_model::{AdminRole, Clock, Entropy, ErrorCode, Failure, Limit, Limits};
use roomkey_store::{Admin, Store, StoreError};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use super::sessions::{Current, End, NewSession, Sessions};
use crate::{
    accounts::Hashing,
    rates::{AccountName, Logins},
};

/// Who may open the admin page, and who has.
pub(crate) struct Admins {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Of its own: whoever floods the logins of users keeps no admin out.
    hashing: Hashing,
    pub(super) sessions: Sessions,
    /// Of its own, for the same reason.
    pub(super) throttle: Logins,
    /// Held while it changes who is an admin, so that the last to say whether there are any is the last to know.
    changing: Mutex<()>,
    exist: watch::Sender<bool>,
    page: watch::Sender<Page>,
}

/// What [`Admins`] are made of.
pub(crate) struct AdminsParts<'a> {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: &'a Limits,
    pub(crate) page: Page,
}

/// Where the admin page is, or why it is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) state: PageState,
    /// Where browsers find it, as far as that is known.
    pub(crate) url: Option<String>,
}

/// Whether the admin page is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageState {
    /// Nobody listens yet: no server runs, or it has no admin.
    Closed,
    /// It could not be opened, and is tried again.
    Failed { problem: String },
    /// `admin.enabled` is off.
    Off,
    /// It is there.
    Open,
}

/// Admins there are at most in a list of them.
const LISTED_MAX: usize = 1000;
const NAME_BYTES_MAX: usize = 64;
/// So many hashes wait, and one is computed at a time: admins are few.
const HASHES_WAITING: usize = 16;

impl Admins {
    pub(crate) fn new(parts: AdminsParts<'_>) -> Self {
        let AdminsParts { store, clock, entropy, limits, page } = parts;
        Self {
            store,
            clock,
            entropy,
            hashing: Hashing::with(1, HASHES_WAITING),
            sessions: Sessions::new(limits),
            throttle: Logins::new(limits),
            changing: Mutex::default(),
            exist: watch::Sender::new(false),
            page: watch::Sender::new(page),
        }
    }

    /// Takes in what is stored of admins and their logins.
    pub(crate) async fn load(&self, limits: &Limits) -> Result<(), StoreError> {
        let now = self.clock.now();
        let admins = self.store.admins(LISTED_MAX).await?;
        for admin in &admins {
            let address = admin.address.as_ref().and_then(|address| address.parse().ok());
            if let (Some(address), Some(seen)) = (address, admin.seen) {
                self.throttle.remember(AccountName::of_admin(&admin.name), address, seen.0, now.0);
            }
        }
        for failures in self.store.login_failures(now, limits.rate_keys).await? {
            self.throttle.restore(&failures, now.0);
        }
        self.exist.send_replace(!admins.is_empty());
        Ok(())
    }

    /// Adds one.
    pub(crate) async fn add(&self, name: &str, role: AdminRole, password: &str) -> Result<Admin, Failure> {
        let name = checked_name(name)?;
        let password_hash = self.hash_new(&name, password).await?;
        let _changing = self.changing.lock().await;
        let admin = Admin { name, password_hash, role, created: self.clock.now(), seen: None, address: None };
        self.store.create_admin(admin.clone()).await?;
        self.exist.send_replace(true);
        Ok(admin)
    }

    /// All of them, by name.
    pub(crate) async fn list(&self) -> Result<Vec<Admin>, Failure> {
        Ok(self.store.admins(LISTED_MAX).await?)
    }

    /// Removes one, whose sessions end.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Failure> {
        let name = checked_name(name).map_err(|_| no_such_admin())?;
        let _changing = self.changing.lock().await;
        let was_there = self.store.remove_admin(&name).await?;
        self.sessions.end_of(&name, None, End::Removed);
        self.exist.send_replace(!self.store.admins(1).await?.is_empty());
        if was_there { Ok(()) } else { Err(no_such_admin()) }
    }

    /// Gives one another password, as an operator. All its sessions end.
    pub(crate) async fn set_password(&self, name: &str, password: &str) -> Result<(), Failure> {
        let name = checked_name(name).map_err(|_| no_such_admin())?;
        let admin = self.store.admin(&name).await?.ok_or_else(no_such_admin)?;
        let hash = self.hash_new(&name, password).await?;
        self.store.replace_admin_password(&name, &admin.password_hash, hash).await?;
        self.sessions.end_of(&name, None, End::PasswordChanged);
        Ok(())
    }

    /// Changes an admin's own password. The other sessions end.
    pub(super) async fn change_password(&self, of: &Current, old: &str, new: &str) -> Result<(), Failure> {
        let admin = self.store.admin(&of.name).await?.ok_or(ErrorCode::InvalidCredentials)?;
        let hash = Some(admin.password_hash.clone());
        if !self.hashing.verify(SecretString::from(old), hash).await?.is_right() {
            return Err(ErrorCode::InvalidCredentials.into());
        }
        let hash = self.hash_new(&of.name, new).await?;
        self.store.replace_admin_password(&of.name, &admin.password_hash, hash).await?;
        self.sessions.end_of(&of.name, Some(of.digest), End::PasswordChanged);
        Ok(())
    }

    /// Logs in. A wrong name and a wrong password look the same, and take the same time. Names also the limit for which
    /// another session had to end.
    pub(super) async fn log_in(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        user_agent: Option<&str>,
    ) -> Result<(SecretString, Current, Option<Limit>), Failure> {
        let admin = match checked_name(name) {
            Ok(name) => self.store.admin(&name).await?,
            Err(_) => None,
        };
        let hash = admin.as_ref().map(|admin| admin.password_hash.clone());
        let verdict = self.hashing.verify(SecretString::from(password), hash).await?;
        let Some(admin) = admin.filter(|_| verdict.is_right()) else {
            return Err(ErrorCode::InvalidCredentials.into());
        };
        let now = self.clock.now();
        let new = NewSession { name: &admin.name, role: admin.role, address, user_agent };
        let (cookie, current, reached) = self.sessions.begin(&new, now, &*self.entropy);
        // Begun before it is asked whether the admin is still there: whoever is removed meanwhile loses this one, too.
        let noted =
            self.store.note_admin_login(&admin.name, &admin.password_hash, address.to_string(), now).await;
        match noted {
            Ok(()) => Ok((cookie, current, reached)),
            Err(error) => {
                self.sessions.end(current.digest, End::Removed);
                match error {
                    StoreError::Denied => Err(ErrorCode::InvalidCredentials.into()),
                    error => Err(error.into()),
                }
            }
        }
    }

    /// The name that failed logins are counted by.
    pub(super) fn account_name(name: &str) -> AccountName {
        AccountName::of_admin(&checked_name(name).unwrap_or_else(|_| name.to_owned()))
    }

    /// Whether there are any, now and from now on.
    pub(super) fn exist(&self) -> watch::Receiver<bool> {
        self.exist.subscribe()
    }

    /// Where the page is, now and from now on.
    pub(crate) fn page(&self) -> watch::Receiver<Page> {
        self.page.subscribe()
    }

    /// Says that the page is there.
    pub(super) fn page_is_open(&self, url: String) {
        self.page.send_replace(Page { state: PageState::Open, url: Some(url) });
    }

    /// Says that the page is not there.
    pub(super) fn page_is(&self, state: PageState) {
        self.page.send_modify(|page| page.state = state);
    }

    async fn hash_new(&self, name: &str, password: &str) -> Result<String, Failure> {
        password::check(password, Some(name), None)
            .map_err(|problem| Failure::bad_payload(problem.to_string()))?;
        self.hashing.hash(SecretString::from(password), self.entropy.clone()).await
    }
}

/// The name in the one form that it is kept in: it stands in the audit log between other words.
fn checked_name(name: &str) -> Result<String, Failure> {
    let name = name.to_ascii_lowercase();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    match (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        true => Ok(name),
        false => Err(Failure::bad_payload(
            "The name of an admin has 1 to 64 characters: letters of ASCII, digits, `.`, `_`, `-` and `@`",
        )),
    }
}

fn no_such_admin() -> Failure {
    Failure::with_message(ErrorCode::NotFound, "there is no such admin")
}
