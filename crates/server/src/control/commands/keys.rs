use std::sync::Arc;

use roomkey_model::{ErrorCode, Failure, RevocationReason, RevocationTarget};
use serde::{Deserialize, Serialize};

use crate::{
    audit::Event,
    control::{Command, Operator},
    key_ring::{KeyInfo, Rotation},
};

/// All keys of the built-in issuer.
#[derive(Serialize, Deserialize)]
pub(crate) struct List {}

impl Command for List {
    type Answer = Vec<KeyInfo>;

    const PATH: &'static str = "/keys/list";

    async fn run(self, operator: Arc<Operator>) -> Result<Self::Answer, Failure> {
        Ok(operator.keys()?.list())
    }
}

/// A new key signs from now on.
#[derive(Serialize, Deserialize)]
pub(crate) struct Rotate {}

impl Command for Rotate {
    type Answer = Rotation;

    const PATH: &'static str = "/keys/rotate";

    async fn run(self, operator: Arc<Operator>) -> Result<Self::Answer, Failure> {
        let rotation = operator.keys()?.rotate().map_err(|error| fault(&error))?;
        operator.record(Event::KeysChanged, "a new key signs", &rotation.active.kid);
        Ok(rotation)
    }
}

/// A key is in other hands: nothing that it signed counts any more.
#[derive(Serialize, Deserialize)]
pub(crate) struct Revoke {
    /// Its `kid`.
    pub(crate) kid: String,
}

/// What the end of a key has changed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Revoked {
    /// The key that is gone.
    pub(crate) revoked: String,
    /// The key that signs now.
    pub(crate) active: KeyInfo,
    /// How many sockets were closed.
    pub(crate) sockets: usize,
}

impl Command for Revoke {
    type Answer = Revoked;

    const PATH: &'static str = "/keys/revoke";

    /// Interrupted at any point, what has been done holds, and doing it again does the rest: the last step is the one
    /// that makes the key unknown.
    async fn run(self, operator: Arc<Operator>) -> Result<Revoked, Failure> {
        let keys = operator.keys()?;
        let Some(key) = keys.list().into_iter().find(|key| key.kid == self.kid) else {
            return Err(Failure::with_message(ErrorCode::NotFound, "there is no key with this kid"));
        };
        if key.active {
            let rotation = keys.rotate().map_err(|error| fault(&error))?;
            operator.record(Event::KeysChanged, "a new key signs", &rotation.active.kid);
        }
        let target = RevocationTarget::Key { issuer: keys.issuer().into(), key_id: key.kid.as_str().into() };
        let swept = operator.revoker.revoke(target, None, RevocationReason::KeyRevoked).await?;
        operator.record(Event::TokenRevoked, RevocationReason::KeyRevoked.as_str(), &key.kid);
        keys.remove(&key.kid).map_err(|error| fault(&error))?;
        operator.record(Event::KeysChanged, "a key was removed", &key.kid);
        let active = keys.list().into_iter().next().ok_or_else(|| Failure::new(ErrorCode::Internal))?;
        Ok(Revoked { revoked: key.kid, active, sockets: swept.sockets })
    }
}

/// The operator may know everything.
fn fault(error: &anyhow::Error) -> Failure {
    Failure::with_message(ErrorCode::Internal, format!("{error:#}"))
}
