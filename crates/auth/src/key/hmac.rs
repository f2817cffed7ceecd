use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;

use super::{
    Algorithm,
    strength::{self, SecretStrength},
};
use crate::ConfigError;

/// A secret for HS256, HS384 or HS512, checked when the configuration is read.
///
/// The bytes themselves are gone after that: only the state of the MAC is kept, and wiped when dropped.
#[derive(Clone)]
pub struct HmacSecret {
    algorithm: Algorithm,
    key: Arc<hmac::Key>,
    key_id: Option<Arc<str>>,
    weak: bool,
}

impl HmacSecret {
    /// Checks the secret that the operator gave as `setting`.
    ///
    /// A key of another kind (PEM, JWK, SSH, DER) is refused whatever the strength: a public key taken for a
    /// secret would let everybody sign.
    pub fn new(
        setting: &str,
        algorithm: Algorithm,
        secret: &[u8],
        strength: SecretStrength,
    ) -> Result<Self, ConfigError> {
        let (hmac_algorithm, bytes_min) = match algorithm {
            Algorithm::Hs256 => (hmac::HMAC_SHA256, 32),
            Algorithm::Hs384 => (hmac::HMAC_SHA384, 48),
            Algorithm::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => {
                let problem = format!("a shared secret cannot be used with {algorithm}");
                return Err(ConfigError::new(setting, problem));
            }
        };
        let weak = strength::is_weak(setting, secret, bytes_min, &algorithm.to_string(), strength)?;
        let key = Arc::new(hmac::Key::new(hmac_algorithm, secret));
        Ok(Self { algorithm, key, key_id: None, weak })
    }

    /// The same secret under the `kid` that tokens name it by.
    #[must_use]
    pub fn with_key_id(self, key_id: impl Into<Arc<str>>) -> Self {
        Self { key_id: Some(key_id.into()), ..self }
    }

    /// The one algorithm this secret is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` that tokens name this secret by, where it was configured.
    pub fn key_id(&self) -> Option<&Arc<str>> {
        self.key_id.as_ref()
    }

    /// Whether it was only accepted because of [`SecretStrength::AllowWeak`].
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    pub(super) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.key, message, tag).is_ok()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacSecret")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("key", &format_args!("[REDACTED]"))
            .finish()
    }
}
