use std::sync::Arc;

use anyhow::bail;
use roomkey_model::{ErrorCode, Failure};
use roomkey_store::{SqliteConfig, SqliteStore, Store, StoreError};

use crate::{
    SystemClock, SystemEntropy,
    accounts::Accounts,
    config::{AuthSetup, Config, MissingKey},
    key_ring::LiveKeys,
    revocation::{LiveTokens, Revoker},
};

/// What commands act on.
pub(crate) struct Operator {
    /// The accounts of the built-in issuer.
    pub(crate) accounts: Arc<Accounts>,
    /// Where everything is.
    pub(crate) store: Arc<dyn Store>,
    /// Revokes, at once.
    pub(crate) revoker: Arc<Revoker>,
    /// The keys of the built-in issuer, where it has keys and not a secret.
    pub(crate) keys: Option<Arc<LiveKeys>>,
}

impl Operator {
    /// Of the files, while no server runs. To be [closed](Self::close).
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let auth = AuthSetup::new(config, MissingKey::Pretend)?;
        let store = open_store(config)?;
        // There is nobody to end the sockets of: those who should are gone, so that nobody waits for them.
        let (live_tokens, _) = LiveTokens::new();
        let live_tokens = Arc::new(live_tokens);
        let revoker = Revoker::new(store.clone(), live_tokens.clone(), auth.verifier, Arc::new(SystemClock));
        revoker.load().await?;
        let accounts = Accounts::new(
            store.clone(),
            auth.issuer,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            config.limits.hashes_waiting,
        );
        let (accounts, revoker) = (Arc::new(accounts), Arc::new(revoker));
        Ok(Self { accounts, store, revoker, keys: auth.keys })
    }

    /// Waits until everything is on disk.
    pub(super) async fn close(&self) {
        self.store.close().await;
    }

    /// The keys, or why there are none.
    pub(crate) fn keys(&self) -> Result<&LiveKeys, Failure> {
        self.keys.as_deref().ok_or_else(|| Failure::with_message(ErrorCode::NotFound, NO_KEYS))
    }
}

/// Also where tokens are signed by others only.
const NO_KEYS: &str = "there is no key ring: the server signs with auth.jwt_secret (JWT_SECRET), or not at all. \
    To change the secret without logging anyone out, put the old one into auth.jwt_secret_previous and restart";

fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
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
