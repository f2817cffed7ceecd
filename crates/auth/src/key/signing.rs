use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use roomkey_model::Entropy;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{Algorithm, HmacSecret, PublicKey, VerifyingKey, pem};
use crate::ConfigError;

/// The key that the built-in issuer signs with.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// The default: others verify with the public key and can sign nothing.
    Ed25519(Ed25519Key),
    /// The secret that an existing backend already has, such as `JWT_SECRET`.
    Hmac(HmacSecret),
}

impl SigningKey {
    /// The key that checks what this one signs.
    pub fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Ed25519(key) => key.public.clone().into(),
            Self::Hmac(secret) => secret.clone().into(),
        }
    }

    /// The one algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::Hmac(secret) => secret.algorithm(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.pair.sign(message).as_ref().to_vec(),
            Self::Hmac(secret) => secret.sign(message),
        }
    }
}

/// An Ed25519 key pair, named by the thumbprint of its public key.
#[derive(Clone)]
pub struct Ed25519Key {
    pair: Arc<Ed25519KeyPair>,
    public: PublicKey,
}

impl Ed25519Key {
    /// A new key, as the PEM text (PKCS#8) that belongs in a file only the server can read.
    pub fn generate_pem(entropy: &dyn Entropy) -> SecretString {
        let mut seed = Zeroizing::new([0; 32]);
        entropy.fill(&mut *seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("every 32 bytes are a seed");
        let pkcs8 = pair.to_pkcs8v1().expect("a fresh key can be encoded");
        SecretString::from(pem::encode("PRIVATE KEY", pkcs8.as_ref()).as_str())
    }

    /// Reads the PEM text that the operator gave as `setting`, or that [`Self::generate_pem`] made.
    pub fn from_pem(setting: &str, text: &str) -> Result<Self, ConfigError> {
        let (_, pkcs8) = pem::decode(text).map_err(|problem| ConfigError::new(setting, problem))?;
        let wrong = || ConfigError::new(setting, "is not an Ed25519 private key (PKCS#8, not encrypted)");
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| wrong())?;
        let public = PublicKey::ed25519(pair.public_key().as_ref()).ok_or_else(wrong)?;
        let key_id = public.thumbprint().clone();
        Ok(Self { pair: Arc::new(pair), public: public.with_key_id(key_id) })
    }

    /// The public half, for verifying and for the JWK Set.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Key")
            .field("public", &self.public)
            .field("private", &format_args!("[REDACTED]"))
            .finish()
    }
}
