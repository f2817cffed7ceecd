//! Keys: each is made for exactly one algorithm when the configuration is read, and never for another.

use std::sync::Arc;

mod algorithm;
mod der;
mod hmac;
mod jwk;
mod key_set;
mod pem;
mod public;
mod remote;
mod signing;
pub(crate) mod strength;

pub use algorithm::Algorithm;
pub use hmac::HmacSecret;
pub use public::PublicKey;
pub use remote::RemoteKeys;
pub use signing::{Ed25519Key, SigningKey};
pub use strength::SecretStrength;

pub(crate) use jwk::set as jwk_set;

/// A key that signatures are checked with.
#[derive(Clone, Debug)]
pub enum VerifyingKey {
    /// A shared secret.
    Hmac(HmacSecret),
    /// A public key.
    Public(PublicKey),
}

impl VerifyingKey {
    /// The one algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hmac(secret) => secret.algorithm(),
            Self::Public(key) => key.algorithm(),
        }
    }

    /// The `kid` that tokens name this key by, where it was configured.
    pub fn key_id(&self) -> Option<&Arc<str>> {
        match self {
            Self::Hmac(secret) => secret.key_id(),
            Self::Public(key) => key.key_id(),
        }
    }

    /// What logs and revocations call this key: its `kid`, or the thumbprint of a public key without one.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        match self {
            Self::Hmac(secret) => secret.key_id().cloned(),
            Self::Public(key) => Some(key.key_id().unwrap_or(key.thumbprint()).clone()),
        }
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(secret) => secret.verify(message, signature),
            Self::Public(key) => key.verify(message, signature),
        }
    }
}

impl From<HmacSecret> for VerifyingKey {
    fn from(secret: HmacSecret) -> Self {
        Self::Hmac(secret)
    }
}

impl From<PublicKey> for VerifyingKey {
    fn from(key: PublicKey) -> Self {
        Self::Public(key)
    }
}
