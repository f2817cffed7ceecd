use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_model::Entropy;
use secrecy::{ExposeSecret, SecretString};

use crate::refresh::sha256;

/// An invite: 128 bits of chance that let in whoever has them. The store keeps their digest.
pub struct InviteToken(SecretString);

/// For programs that look for leaked secrets.
const PREFIX: &str = "rki_";

impl InviteToken {
    /// A new one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self((PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(bytes)).into())
    }

    /// What the store knows it by.
    pub fn digest(&self) -> [u8; 32] {
        Self::digest_of(self.expose())
    }

    /// What the store would know this text by, if it is an invite.
    pub fn digest_of(text: &str) -> [u8; 32] {
        sha256(text.as_bytes())
    }

    /// As it is handed on: to be told, never logged.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
