use std::sync::Arc;

use parking_lot::Mutex;
use roomkey_auth::{BuiltinIssuer, IssuerKeys};
use roomkey_model::{Clock, Entropy, Timestamp};
use serde::{Deserialize, Serialize};

use super::{KeyInfo, KeyRing};
use crate::TokenAuthentication;

/// The key ring of a running server: what changes in it changes in those that sign and verify.
pub(crate) struct LiveKeys {
    /// Held while files are written: changes are one after the other.
    ring: Mutex<KeyRing>,
    issuer: Arc<BuiltinIssuer>,
    authentication: Arc<TokenAuthentication>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What a rotation has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rotation {
    /// The key that signs from now on.
    pub(crate) active: KeyInfo,
    /// The key that signed until now.
    pub(crate) retired: Option<KeyInfo>,
}

impl LiveKeys {
    /// The issuer and the authentication have the keys of this ring already.
    pub(crate) fn new(
        ring: KeyRing,
        issuer: Arc<BuiltinIssuer>,
        authentication: Arc<TokenAuthentication>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { ring: Mutex::new(ring), issuer, authentication, clock, entropy }
    }

    /// The `iss` of the tokens that these keys sign.
    pub(crate) fn issuer(&self) -> &str {
        self.issuer.issuer()
    }

    /// Whether new tokens are signed with the key of this id.
    pub(crate) fn signs_with(&self, kid: &str) -> bool {
        self.issuer.signs_with(kid)
    }

    /// All keys, the active one first.
    pub(crate) fn list(&self) -> Vec<KeyInfo> {
        self.ring.lock().list()
    }

    /// Signs with a new key from now on. Nobody is logged out: what the one before has signed verifies until it ends.
    pub(crate) fn rotate(&self) -> anyhow::Result<Rotation> {
        let mut ring = self.ring.lock();
        let now = self.clock.now();
        ring.rotate(now, &*self.entropy)?;
        self.tidy_locked(&mut ring, now)?;
        let mut keys = ring.list().into_iter();
        let active = keys.next().expect("a key was just made");
        tracing::info!(kid = active.kid, "the signing key was rotated");
        Ok(Rotation { active, retired: keys.next() })
    }

    /// Forgets a key that is not the active one: nothing that it signed verifies any more.
    pub(crate) fn remove(&self, kid: &str) -> anyhow::Result<()> {
        let mut ring = self.ring.lock();
        ring.remove(kid)?;
        self.apply(&ring)?;
        tracing::info!(kid, "a signing key was removed");
        Ok(())
    }

    /// Forgets retired keys whose last token is over.
    pub(crate) fn tidy(&self, now: Timestamp) -> anyhow::Result<()> {
        self.tidy_locked(&mut self.ring.lock(), now)
    }

    fn tidy_locked(&self, ring: &mut KeyRing, now: Timestamp) -> anyhow::Result<()> {
        let tidied = ring.tidy(now);
        // Also where the directory cannot be written: what is over is over.
        self.apply(ring)?;
        tidied?;
        Ok(())
    }

    fn apply(&self, ring: &KeyRing) -> anyhow::Result<()> {
        let Some(keys) = ring.issuer_keys(self.clock.now()) else { return Ok(()) };
        if ids(&keys) == ids(&self.issuer.keys()) {
            return Ok(());
        }
        // Who verifies knows a key before anything is signed with it.
        self.authentication.set_keys(BuiltinIssuer::PROFILE, &keys.verifying())?;
        self.issuer.set_keys(keys);
        Ok(())
    }
}

fn ids(keys: &IssuerKeys) -> Vec<Option<Arc<str>>> {
    keys.verifying().iter().map(|key| key.key_id().cloned()).collect()
}
