//! The accounts of the built-in issuer: to create one, and to log in to it. REST and `roomkey user add` alike.

mod hashing;
mod names;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_auth::{BuiltinIssuer, Grant, password};
use roomkey_model::{Clock, Entropy, ErrorCode, Failure, SessionId, UserId};
use roomkey_store::{Account, Session, Store, StoreError};
use secrecy::SecretString;

use hashing::Hashing;

/// Creates accounts and logs in to them.
pub(crate) struct Accounts {
    store: Arc<dyn Store>,
    issuer: Option<Arc<BuiltinIssuer>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    hashing: Hashing,
}

/// A login that succeeded.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    /// The access token.
    pub(crate) token: SecretString,
    /// How long it is valid, in seconds.
    pub(crate) expires_in_s: u64,
    /// Whose it is.
    pub(crate) account: Account,
}

impl Accounts {
    /// `hashes_waiting` is the limit of that name. Without an issuer, accounts can be created but not used.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        issuer: Option<Arc<BuiltinIssuer>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        hashes_waiting: usize,
    ) -> Self {
        Self { store, issuer, clock, entropy, hashing: Hashing::new(hashes_waiting) }
    }

    /// Creates an account and logs in to it.
    pub(crate) async fn register(
        &self,
        email: &str,
        username: Option<&str>,
        password: &str,
        user_agent: Option<&str>,
    ) -> Result<LoggedIn, Failure> {
        let issuer = self.issuer()?;
        let account = self.create(email, username, password).await?;
        self.start_session(issuer, account, user_agent).await
    }

    /// Logs in with a user name or an e-mail address.
    ///
    /// A wrong name and a wrong password look the same, and take the same time.
    pub(crate) async fn login(
        &self,
        name_or_email: &str,
        password: &str,
        user_agent: Option<&str>,
    ) -> Result<LoggedIn, Failure> {
        let issuer = self.issuer()?;
        let account = if name_or_email.contains('@') {
            self.store.account_by_email(name_or_email).await.map_err(|error| fault(&error))?
        } else {
            self.store.account_by_username(name_or_email).await.map_err(|error| fault(&error))?
        };
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let password = SecretString::from(password);
        let verdict = self.hashing.verify(password, hash).await?;
        match account {
            Some(account) if verdict.is_right() => self.start_session(issuer, account, user_agent).await,
            _ => Err(ErrorCode::InvalidCredentials.into()),
        }
    }

    /// Creates an account. The e-mail address and the user name must be free, without regard to case.
    pub(crate) async fn create(
        &self,
        email: &str,
        username: Option<&str>,
        password: &str,
    ) -> Result<Account, Failure> {
        names::check_email(email)?;
        username.map_or(Ok(()), names::check_username)?;
        password::check(password, username, Some(email))
            .map_err(|problem| Failure::bad_payload(problem.to_string()))?;
        let account = Account {
            user: UserId::new(self.random_id()).expect("22 characters of base64url"),
            email: email.to_owned(),
            username: username.map(str::to_owned),
            password_hash: self.hashing.hash(SecretString::from(password), self.entropy.clone()).await?,
            created: self.clock.now(),
        };
        self.store.create_account(account.clone()).await.map_err(|error| fault(&error))?;
        Ok(account)
    }

    async fn start_session(
        &self,
        issuer: &BuiltinIssuer,
        account: Account,
        user_agent: Option<&str>,
    ) -> Result<LoggedIn, Failure> {
        let now = self.clock.now();
        let session = Session {
            session: SessionId::new(self.random_id()).expect("22 characters of base64url"),
            user: account.user.clone(),
            user_agent: user_agent
                .map(|agent| agent[..agent.floor_char_boundary(USER_AGENT_BYTES_MAX)].to_owned()),
            created: now,
            seen: now,
            ended: None,
        };
        self.store.create_session(session.clone()).await.map_err(|error| fault(&error))?;
        let grant = Grant {
            user: &account.user,
            session: &session.session,
            username: account.username.as_deref(),
            email: Some(&account.email),
            roles: &[],
            session_ends_at: None,
        };
        let signed = issuer.issue(&grant, now, &*self.entropy);
        Ok(LoggedIn { token: signed.token, expires_in_s: signed.expires_in_s, account })
    }

    fn issuer(&self) -> Result<&BuiltinIssuer, Failure> {
        self.issuer.as_deref().ok_or_else(Failure::forbidden)
    }

    /// 128 random bits in base64url. Ids that are not counted upwards say nothing about how many there are.
    fn random_id(&self) -> String {
        let mut bytes = [0; 16];
        self.entropy.fill(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
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
