//! The keys of backends: who may act on users, channels and sockets without being a user.

use roomkey_auth::SecretDigest;
use roomkey_model::{ErrorCode, Failure};
use serde::Deserialize;

/// What an API key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// To act in channels for the users.
    Channels,
    /// To emit events to rooms and users.
    Emit,
    /// To ask what users may do.
    Policy,
    /// To revoke tokens, sessions, users and signing keys.
    Revoke,
    /// To block users, and to see and end their sessions.
    Users,
    /// To see which webhooks were given up, and to have them sent again.
    Webhooks,
}

/// An API key, by its digest.
#[derive(Clone, Debug)]
pub(crate) struct ApiKey {
    /// What the audit log calls it.
    pub(crate) name: Box<str>,
    pub(crate) digest: SecretDigest,
    pub(crate) scopes: Vec<Scope>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiKeys(pub(crate) Vec<ApiKey>);

/// Why a key does not do.
#[derive(Debug)]
pub(crate) struct KeyRefused<'a> {
    pub(crate) failure: Failure,
    /// Whose it is, if it is one.
    pub(crate) name: Option<&'a str>,
}

impl ApiKeys {
    /// The key that this is, if it may do what it is used for. Takes the same time for every wrong one.
    pub(crate) fn check(&self, key: &str, scope: Scope) -> Result<&ApiKey, KeyRefused<'_>> {
        let digest = SecretDigest::of(key);
        let found =
            self.0.iter().fold(None, |found, known| if known.digest == digest { Some(known) } else { found });
        match found {
            Some(known) if known.scopes.contains(&scope) => Ok(known),
            Some(known) => {
                Err(KeyRefused { failure: ErrorCode::InsufficientScope.into(), name: Some(&known.name) })
            }
            None => Err(KeyRefused { failure: ErrorCode::ApiKeyInvalid.into(), name: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_for_its_scopes_only() {
        let key = |name: &str, secret, scopes| ApiKey {
            name: name.into(),
            digest: SecretDigest::of(secret),
            scopes,
        };
        let keys = ApiKeys(vec![
            key("one", "rk_one", vec![Scope::Revoke]),
            key("two", "rk_two", vec![Scope::Revoke, Scope::Users]),
        ]);
        let name =
            |key, scope| keys.check(key, scope).map(|key| &*key.name).map_err(|refused| refused.failure.code);
        assert_eq!(name("rk_one", Scope::Revoke), Ok("one"));
        assert_eq!(name("rk_two", Scope::Users), Ok("two"));
        assert_eq!(name("rk_one", Scope::Users), Err(ErrorCode::InsufficientScope));
        for wrong in ["", "rk_on", "rk_onee", "RK_ONE"] {
            assert_eq!(name(wrong, Scope::Revoke), Err(ErrorCode::ApiKeyInvalid), "{wrong}");
        }
    }
}
