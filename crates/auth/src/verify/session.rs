use std::sync::Arc;

use roomkey_model::Timestamp;
use zeroize::Zeroizing;

use super::{Profile, claims::Claims};
use crate::{
    AuthJsProfile, Identity, InvalidReason, TokenError,
    jwe::{ContentKey, Sealed},
};

/// A checked Auth.js profile, and its rules about claims in the form that all profiles have.
#[derive(Debug)]
pub(super) struct SessionProfile {
    pub(super) auth_js: AuthJsProfile,
    pub(super) profile: Profile,
}

impl SessionProfile {
    pub(super) fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        let (claims, key_id) = self.open(token)?;
        let claims = Claims::parse(&claims)?;
        if self.auth_js.version.foreign_claims().iter().any(|name| claims.get(name).is_some()) {
            return Err(InvalidReason::NotASession.into());
        }
        self.profile.identity(&claims, token.as_bytes(), Some(key_id), now)
    }

    /// What the token holds, and the name of the key that opened it.
    pub(super) fn open(&self, token: &str) -> Result<(Zeroizing<Vec<u8>>, Arc<str>), InvalidReason> {
        let sealed = Sealed::parse(token)?;
        let mut fitting =
            self.auth_js.keys.iter().filter(|key| key.encryption() == sealed.encryption).peekable();
        if fitting.peek().is_none() {
            return Err(InvalidReason::EncryptionNotAllowed);
        }
        let is_named = |key: &&ContentKey| sealed.key_id.as_ref().is_none_or(|id| **id == **key.thumbprint());
        fitting
            .filter(is_named)
            .find_map(|key| Some((key.open(&sealed)?, key.thumbprint().clone())))
            .ok_or(InvalidReason::Decryption)
    }
}
