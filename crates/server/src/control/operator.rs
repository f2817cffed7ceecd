use std::{collections::BTreeSet, sync::Arc};

use anyhow::bail;
use futures_util::{StreamExt, stream};
use roomkey_chat::{Access, Chat};
use roomkey_model::{Clock, ErrorCode, Failure, UserId};
use roomkey_store::{SqliteConfig, SqliteStore, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::{
    SystemClock, SystemEntropy, TokenAuthentication,
    accounts::{Accounts, AccountsParts},
    admin::{Admins, AdminsParts},
    audit::{Audit, Event, Record},
    config::{AuthSetup, Config, MissingKey},
    key_ring::LiveKeys,
    revocation::{LiveTokens, Revoker},
};

/// What commands act on.
pub(crate) struct Operator {
    /// The accounts of the built-in issuer.
    pub(crate) accounts: Arc<Accounts>,
    /// Who may open the admin page.
    pub(crate) admins: Arc<Admins>,
    /// Where everything is.
    pub(crate) store: Arc<dyn Store>,
    /// Revokes, at once.
    pub(crate) revoker: Arc<Revoker>,
    /// What is revoked.
    pub(crate) live_tokens: Arc<LiveTokens>,
    /// The keys of the built-in issuer, where it has keys and not a secret.
    pub(crate) keys: Option<Arc<LiveKeys>>,
    /// Who may do what.
    pub(crate) access: Arc<Access>,
    /// The claims that identities have for the rules to ask about.
    pub(crate) kept_claims: BTreeSet<String>,
    /// Whether a server runs here, or only this command.
    pub(crate) is_serving: bool,
    /// The chat, where it is served.
    pub(crate) chat: Option<Arc<Chat>>,
    /// Verifies tokens.
    pub(crate) authentication: Arc<TokenAuthentication>,
    /// The `iss` of the built-in issuer, where there is one.
    pub(crate) builtin: Option<Arc<str>>,
    /// Whether anybody else's tokens are accepted, whose users have no account here.
    pub(crate) has_other_issuers: bool,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where what is done is recorded.
    pub(crate) audit: Arc<Audit>,
}

/// A user as an operator names one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Named {
    /// The id, the e-mail address or the user name.
    pub(crate) name: String,
    /// Whether it can only be the id.
    pub(crate) is_id: bool,
}

/// So that the store still answers others meanwhile.
const RECHECKS_AT_A_TIME: usize = 16;

impl Operator {
    /// Of the files, while no server runs. To be [closed](Self::close).
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let auth = AuthSetup::new(config, MissingKey::Pretend)?;
        let store = open_store(config)?;
        let clock = Arc::new(SystemClock);
        // It is this process's for as long as the store is.
        let audit = Arc::new(Audit::start(config.audit_log().as_ref(), clock.clone(), &SystemEntropy)?);
        // There is nobody to end the sockets of: those who should are gone, so that nobody waits for them.
        let (live_tokens, _) = LiveTokens::new();
        let live_tokens = Arc::new(live_tokens);
        let revoker = Revoker::new(store.clone(), live_tokens.clone(), auth.verifier.clone(), clock.clone());
        revoker.load().await?;
        let revoker = Arc::new(revoker);
        let accounts = Arc::new(Accounts::new(AccountsParts {
            store: store.clone(),
            issuer: auth.issuer.clone(),
            revoker: revoker.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            lifetimes: config.auth.session_lifetimes(),
            hashes_waiting: config.limits.hashes_waiting,
        }));
        let admins = Arc::new(Admins::new(AdminsParts {
            store: store.clone(),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            limits: &config.limits,
            page: config.admin_page(),
        }));
        let access = Arc::new(Access::new(config.policy.policy()));
        let parts = Parts { accounts, admins, store, revoker, live_tokens, access, chat: None, clock, audit };
        Ok(Self::new(config, &auth, parts))
    }

    /// Of a server that runs.
    pub(crate) fn new(config: &Config, auth: &AuthSetup, parts: Parts) -> Self {
        let Parts { accounts, admins, store, revoker, live_tokens, access, chat, clock, audit } = parts;
        Self {
            accounts,
            admins,
            store,
            revoker,
            live_tokens,
            keys: auth.keys.clone(),
            access,
            kept_claims: config.policy.policy().claims(),
            is_serving: chat.is_some(),
            chat,
            authentication: auth.authentication.clone(),
            builtin: auth.issuer.as_ref().map(|issuer| issuer.issuer().into()),
            has_other_issuers: config.auth.jwt_secret.is_some() || !config.auth.issuers.is_empty(),
            clock,
            audit,
        }
    }

    /// Waits until everything is on disk.
    pub(super) async fn close(&self) {
        self.store.close().await;
        self.audit.close();
    }

    /// Records what was done, and to whom or what.
    pub(crate) fn record(&self, event: Event, reason: &str, target: &str) {
        self.audit.record(&Record { reason: Some(reason), target: Some(target), ..Record::new(event) });
    }

    /// The issuer of this name, or the built-in one.
    pub(crate) fn issuer(&self, named: Option<String>) -> Result<Arc<str>, Failure> {
        let builtin = || {
            self.builtin
                .clone()
                .ok_or_else(|| Failure::bad_payload("name the issuer: there is no built-in one"))
        };
        named.map_or_else(builtin, |issuer| self.revoker.issuer(&issuer))
    }

    /// The user of this name. Without other issuers, whoever has no account does not exist, and is not typed correctly.
    pub(crate) async fn user(&self, named: &Named) -> Result<UserId, Failure> {
        let found = match UserId::new(named.name.as_str()) {
            Ok(id) if named.is_id => self.store.account(&id).await?,
            _ if named.is_id => None,
            _ => match self.accounts.named(&named.name).await {
                Err(failure) if failure.code == ErrorCode::NotFound => None,
                found => Some(found?),
            },
        };
        match (found, UserId::new(named.name.as_str())) {
            (Some(account), _) => Ok(account.user),
            (None, Ok(id)) if self.has_other_issuers => Ok(id),
            _ => Err(Failure::with_message(ErrorCode::NotFound, "there is no such user")),
        }
    }

    /// The user of this name, or whoever has this id and was ever heard of: through a backend, a channel, or an issuer that
    /// is no more.
    pub(crate) async fn kept_user(&self, named: &Named) -> Result<UserId, Failure> {
        match (self.user(named).await, UserId::new(named.name.as_str())) {
            (Err(failure), Ok(id))
                if failure.code == ErrorCode::NotFound && self.store.profile(&id).await?.is_some() =>
            {
                Ok(id)
            }
            (found, _) => found,
        }
    }

    /// Asks again what every live socket may hear, and tells how many rooms were left.
    pub(crate) async fn recheck_all(&self) -> usize {
        let Some(chat) = &self.chat else { return 0 };
        let mut rechecks = Vec::new();
        for socket in self.live_tokens.sockets().all() {
            if let Some(identity) = socket.identity() {
                rechecks.push(chat.recheck(&identity, socket.key()));
            }
        }
        let lost = stream::iter(rechecks).buffer_unordered(RECHECKS_AT_A_TIME);
        lost.fold(0, async |sum, lost| sum + lost.len()).await
    }

    /// The keys, or why there are none.
    pub(crate) fn keys(&self) -> Result<&LiveKeys, Failure> {
        self.keys.as_deref().ok_or_else(|| Failure::with_message(ErrorCode::NotFound, NO_KEYS))
    }
}

/// What a server and the commands of its operators share.
pub(crate) struct Parts {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) admins: Arc<Admins>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) revoker: Arc<Revoker>,
    pub(crate) live_tokens: Arc<LiveTokens>,
    pub(crate) access: Arc<Access>,
    pub(crate) chat: Option<Arc<Chat>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) audit: Arc<Audit>,
}

/// Also where tokens are signed by others only.
const NO_KEYS: &str = "there is no key ring: the server signs with auth.jwt_secret (JWT_SECRET), or not at all. \
    To change the secret without logging anyone out, put the old one into auth.jwt_secret_previous and restart";

pub(crate) fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let opened = SqliteStore::open(&config.database_path(), &SqliteConfig::default(), Box::new(|_| ()));
    match opened {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => match error.cause {
            StoreError::Locked { process } => {
                let process = process.map(|id| format!(" (process {id})")).unwrap_or_default();
                bail!(
                    "the data is in use{process}, and nobody listens on {}: the server is starting or stopping, \
                     or another command runs; try again",
                    config.control_path().display()
                )
            }
            _ => Err(error.into()),
        },
    }
}
