use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::{Algorithm, der};
use crate::ConfigError;

/// Whether a secret must be as strong as its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretStrength {
    /// At least as long as the hash (RFC 7518 section 3.2), and not a published example.
    Required,
    /// Anything that is not empty: for trying things out. The server says loudly that it is on.
    AllowWeak,
}

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
        let refuse = |problem: String| Err(ConfigError::new(setting, problem));
        let (hmac_algorithm, bytes_min) = match algorithm {
            Algorithm::Hs256 => (hmac::HMAC_SHA256, 32),
            Algorithm::Hs384 => (hmac::HMAC_SHA384, 48),
            Algorithm::Hs512 => (hmac::HMAC_SHA512, 64),
            _ => return refuse(format!("a shared secret cannot be used with {algorithm}")),
        };
        if secret.trim_ascii().is_empty() {
            return refuse("must not be empty".to_owned());
        }
        if is_other_key(secret) {
            return refuse("holds a PEM, JWK, SSH or DER key, not a secret".to_owned());
        }
        let weakness = if secret.len() < bytes_min {
            Some(format!("must have at least {bytes_min} bytes for {algorithm}"))
        } else if distinct_bytes(secret) < DISTINCT_BYTES_MIN {
            Some("repeats itself; use random bytes".to_owned())
        } else if PUBLISHED.contains(&secret) {
            Some("is an example that everybody knows".to_owned())
        } else {
            None
        };
        if let (Some(weakness), SecretStrength::Required) = (&weakness, strength) {
            return refuse(weakness.clone());
        }
        let key = Arc::new(hmac::Key::new(hmac_algorithm, secret));
        Ok(Self { algorithm, key, key_id: None, weak: weakness.is_some() })
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

/// Fewer different bytes than this in 32 or more: a pattern, not a secret. Random hex digits have 16.
const DISTINCT_BYTES_MIN: usize = 8;

/// Long enough, and on every tutorial's page.
const PUBLISHED: &[&[u8]] = &[
    b"a-string-secret-at-least-256-bits-long",
    b"a-valid-string-secret-that-is-at-least-384-bits-long",
    b"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    b"your-secret-key-must-be-at-least-32-characters-long",
    b"your-super-secret-jwt-token-with-at-least-32-characters-long",
];

fn distinct_bytes(secret: &[u8]) -> usize {
    let mut seen = [false; 256];
    secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Whether this is a key of another kind, in any clothing: leading bytes such as a BOM change nothing.
fn is_other_key(secret: &[u8]) -> bool {
    const MARKS: &[&[u8]] =
        &[b"-----BEGIN", b"---- BEGIN", b"\"kty\"", b"ssh-rsa ", b"ssh-ed25519 ", b"ecdsa-sha2-"];
    let contains = |mark: &&[u8]| secret.windows(mark.len()).any(|window| window == *mark);
    MARKS.iter().any(contains) || der::looks_like_key(secret) || is_base64_of_key(secret)
}

fn is_base64_of_key(secret: &[u8]) -> bool {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    [STANDARD, URL_SAFE].iter().any(|alphabet| {
        let bytes = GeneralPurpose::new(alphabet, config).decode(&**text).map(Zeroizing::new);
        bytes.is_ok_and(|bytes| der::looks_like_key(&bytes))
    })
}
