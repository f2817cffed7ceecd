//! The accounts of the built-in issuer: to create one, to log in to it, and the life of a login. REST and the commands
//! of operators alike.

mod hashing;
mod management;
mod names;
mod passwords;
mod refreshing;
mod sessions;
#[cfg(test)]
mod tests;

use std::{net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_auth::{BuiltinIssuer, Grant, RefreshToken, password};
use roomkey_model::{Clock, Entropy, ErrorCode, Failure, SessionId, Timestamp, UserId};
use roomkey_store::{Account, RefreshFamily, Session, Store, StoreError};
use secrecy::SecretString;

use crate::{rates::AccountName, revocation::Revoker};

pub(crate) use hashing::Hashing;

pub(crate) use passwords::OtherSessions;

/// The name of an account as failed logins are counted by: the same for all ways to write it.
pub(crate) fn account_name(name: &str) -> AccountName {
    AccountName::of(&names::normalize(name))
}

/// Creates accounts, logs in to them, and ends what was begun so.
pub(crate) struct Accounts {
    store: Arc<dyn Store>,
    issuer: Option<Arc<BuiltinIssuer>>,
    revoker: Arc<Revoker>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lifetimes: SessionLifetimes,
    hashing: Hashing,
    /// When the server started: what it was away for does not count against a client that asks again.
    started: Timestamp,
}

/// What [`Accounts`] are made of.
pub(crate) struct AccountsParts {
    pub(crate) store: Arc<dyn Store>,
    /// Without it, accounts can be created but not used.
    pub(crate) issuer: Option<Arc<BuiltinIssuer>>,
    pub(crate) revoker: Arc<Revoker>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) lifetimes: SessionLifetimes,
    /// The limit of that name.
    pub(crate) hashes_waiting: usize,
}

/// How long a login lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLifetimes {
    /// From one use of its refresh token to the next.
    pub(crate) idle_ms: u64,
    /// In all.
    pub(crate) absolute_ms: u64,
}

/// A login, or the continuation of one, that succeeded.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    /// The access token.
    pub(crate) token: SecretString,
    /// How long it is valid, in seconds.
    pub(crate) expires_in_s: u64,
    /// What gets the next one.
    pub(crate) refresh_token: SecretString,
    /// The login. Its `ends` and `idle_ends` are those of the refresh token.
    pub(crate) session: Session,
    /// Whose it is.
    pub(crate) account: Account,
}

/// The client that asks, as far as a user wants to know it again in the list of sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device<'a> {
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<&'a str>,
}

impl Accounts {
    pub(crate) fn new(parts: AccountsParts) -> Self {
        let AccountsParts { store, issuer, revoker, clock, entropy, lifetimes, hashes_waiting } = parts;
        let started = clock.now();
        let hashing = Hashing::new(hashes_waiting);
        Self { store, issuer, revoker, clock, entropy, lifetimes, hashing, started }
    }

    /// Creates an account and logs in to it.
    pub(crate) async fn register(
        &self,
        email: &str,
        username: Option<&str>,
        password: &str,
        device: Device<'_>,
    ) -> Result<LoggedIn, Failure> {
        let issuer = self.issuer()?;
        let account = self.create(email, username, password).await?;
        self.start_session(issuer, account, device).await
    }

    /// Logs in with a user name or an e-mail address.
    ///
    /// A wrong name, a wrong password and a blocked account look the same, and take the same time.
    pub(crate) async fn login(
        &self,
        name_or_email: &str,
        password: &str,
        device: Device<'_>,
    ) -> Result<LoggedIn, Failure> {
        let issuer = self.issuer()?;
        // Once more, because what has changed meanwhile may be only the hash of the same password.
        for _ in 0..2 {
            let Some(account) = self.verified(name_or_email, password).await? else { break };
            match self.start_session(issuer, account, device).await {
                Err(failure) if failure.code == ErrorCode::InvalidCredentials => {}
                outcome => return outcome,
            }
        }
        Err(ErrorCode::InvalidCredentials.into())
    }

    /// The account of this name, if it has this password and is not blocked.
    async fn verified(&self, name_or_email: &str, password: &str) -> Result<Option<Account>, Failure> {
        let account = self.find(name_or_email).await?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let verdict = self.hashing.verify(SecretString::from(password), hash).await?;
        let is_let_in = |account: &Account| verdict.is_right() && !self.revoker.is_blocked(&account.user);
        let Some(mut account) = account.filter(is_let_in) else { return Ok(None) };
        if verdict == password::Verdict::RightRehash
            && let Some(hash) = self.rehash(&account, password).await
        {
            account.password_hash = hash;
        }
        Ok(Some(account))
    }

    /// Creates an account. The e-mail address and the user name must be free, without regard to case.
    pub(crate) async fn create(
        &self,
        email: &str,
        username: Option<&str>,
        password: &str,
    ) -> Result<Account, Failure> {
        let email = names::email(email)?;
        let username = username.map(names::username).transpose()?;
        let password_hash = self.hash_new(password, username.as_deref(), &email).await?;
        let account = Account {
            user: UserId::new(self.random_id()).expect("22 characters of base64url"),
            email,
            username,
            password_hash,
            created: self.clock.now(),
        };
        self.store.create_account(account.clone()).await.map_err(|error| fault(&error))?;
        Ok(account)
    }

    /// The account that a user names so: by e-mail address or user name.
    pub(crate) async fn find(&self, name_or_email: &str) -> Result<Option<Account>, Failure> {
        let name = names::normalize(name_or_email);
        let account = if name.contains('@') {
            self.store.account_by_email(&name)
        } else {
            self.store.account_by_username(&name)
        };
        account.await.map_err(|error| fault(&error))
    }

    async fn start_session(
        &self,
        issuer: &BuiltinIssuer,
        account: Account,
        device: Device<'_>,
    ) -> Result<LoggedIn, Failure> {
        let now = self.clock.now();
        let ends = now.plus_ms(self.lifetimes.absolute_ms);
        let user_agent = device.user_agent;
        let session = Session {
            session: SessionId::new(self.random_id()).expect("22 characters of base64url"),
            user: account.user.clone(),
            user_agent: user_agent
                .map(|agent| agent[..agent.floor_char_boundary(USER_AGENT_BYTES_MAX)].to_owned()),
            address: Some(device.address.to_string()),
            created: now,
            seen: now,
            ends,
            idle_ends: now.plus_ms(self.lifetimes.idle_ms).min(ends),
            ended: None,
        };
        let tag_key = self.random_bytes();
        let refresh = RefreshToken::first(&session.session, &tag_key, &*self.entropy)
            .expect("the session's id is 16 bytes in base64url");
        let family = RefreshFamily { tag_key, current: refresh.digest() };
        // The account may have changed since the password was looked at.
        match self.store.create_session(session.clone(), family, &account.password_hash).await {
            Ok(()) => {}
            Err(StoreError::Denied) => return Err(ErrorCode::InvalidCredentials.into()),
            Err(error) => return Err(fault(&error)),
        }
        Ok(self.logged_in(issuer, account, session, &refresh))
    }

    /// Signs an access token for a session, which it does not outlive.
    fn logged_in(
        &self,
        issuer: &BuiltinIssuer,
        account: Account,
        session: Session,
        refresh: &RefreshToken,
    ) -> LoggedIn {
        let grant = Grant {
            user: &account.user,
            session: &session.session,
            username: account.username.as_deref(),
            email: Some(&account.email),
            roles: &[],
            session_ends_at: Some(session.ends),
        };
        let signed = issuer.issue(&grant, self.clock.now(), &*self.entropy);
        LoggedIn {
            token: signed.token,
            expires_in_s: signed.expires_in_s,
            refresh_token: refresh.to_secret(),
            session,
            account,
        }
    }

    fn issuer(&self) -> Result<&BuiltinIssuer, Failure> {
        self.issuer.as_deref().ok_or_else(Failure::forbidden)
    }

    /// 128 random bits in base64url. Ids that are not counted upwards say nothing about how many there are.
    fn random_id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.random_bytes::<16>())
    }

    fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }
}

/// The client is told that it was not the client's fault; the log, what it was.
fn fault(error: &StoreError) -> Failure {
    let failure = Failure::from(error);
    if matches!(failure.code, ErrorCode::Internal | ErrorCode::Unavailable) {
        tracing::error!(%error, "the store failed");
    }
    failure
}

/// What is kept of a client's name for itself.
const USER_AGENT_BYTES_MAX: usize = 256;
