use std::sync::Arc;

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_model::{SessionId, TokenId};
use serde_json::{Map, Value};

use crate::{ClaimPath, InvalidReason, KeptClaims, Scopes, json};

const ROLES_MAX: usize = 64;
const ROLE_BYTES_MAX: usize = 128;
/// Values of one claim that rules speak of.
const VALUES_MAX: usize = 64;
const VALUE_BYTES_MAX: usize = 256;
const DISPLAY_TEXT_BYTES_MAX: usize = 320;

/// The claims of a token whose signature is verified. Missing is `None`; there with the wrong type is an error,
/// never the same as missing.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, InvalidReason> {
        json::object(payload).map(Self).ok_or(InvalidReason::ClaimsJson)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn find(&self, path: &ClaimPath) -> Option<&Value> {
        path.find(&self.0)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, InvalidReason> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(InvalidReason::ClaimMalformed(name)),
        }
    }

    /// The login: `sid` (OpenID Connect, ours), `session_id` (Supabase), `session_state` (Keycloak).
    pub(super) fn session(&self) -> Result<Option<SessionId>, InvalidReason> {
        for name in ["sid", "session_id", "session_state"] {
            if let Some(id) = self.text(name)? {
                return SessionId::new(id).map(Some).map_err(|_| InvalidReason::ClaimMalformed(name));
            }
        }
        Ok(None)
    }

    /// What names this token in a list of revocations: `jti`, else a digest of what was signed.
    ///
    /// Never of the whole token: an ECDSA signature has a twin `(r, n - s)` that verifies too.
    pub(super) fn token_id(&self, signing_input: &[u8]) -> Result<TokenId, InvalidReason> {
        let id = match self.text("jti")? {
            Some(id) => TokenId::new(id),
            None => {
                let digest = digest::digest(&digest::SHA256, signing_input);
                TokenId::new(BASE64_URL_SAFE_NO_PAD.encode(digest))
            }
        };
        id.map_err(|_| InvalidReason::ClaimMalformed("jti"))
    }

    /// The first of these that is text fit to be shown. What is not fit is left out: it authorizes nothing.
    pub(super) fn display_text(&self, paths: &[ClaimPath]) -> Option<Arc<str>> {
        let is_fit = |text: &&str| {
            !text.trim().is_empty()
                && text.len() <= DISPLAY_TEXT_BYTES_MAX
                && !text.chars().any(char::is_control)
        };
        paths.iter().filter_map(|path| self.find(path)?.as_str()).find(is_fit).map(Arc::from)
    }

    /// An array of texts, or nothing there. Text with spaces, an object and the like are errors: guessing at the
    /// form of a role list is how roles appear that nobody gave.
    pub(super) fn roles(&self, path: Option<&ClaimPath>) -> Result<Arc<[Arc<str>]>, InvalidReason> {
        const MALFORMED: InvalidReason = InvalidReason::ClaimMalformed("roles");
        match path.and_then(|path| self.find(path)) {
            None | Some(Value::Null) => Ok(Arc::default()),
            Some(Value::Array(roles)) if roles.len() <= ROLES_MAX => roles
                .iter()
                .map(|role| match role.as_str() {
                    Some(role) if !role.is_empty() && role.len() <= ROLE_BYTES_MAX => Ok(role.into()),
                    _ => Err(MALFORMED),
                })
                .collect(),
            Some(_) => Err(MALFORMED),
        }
    }

    /// What the token is good for: `scope` (RFC 9068), or `scp` and `scopes`, as others call it. Text with spaces, or an
    /// array of texts.
    pub(super) fn scopes(&self) -> Result<Scopes, InvalidReason> {
        let mut names = Vec::new();
        for claim in ["scope", "scp", "scopes"] {
            let malformed = || InvalidReason::ClaimMalformed(claim);
            match self.get(claim) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => names.extend(text.split(' ')),
                Some(Value::Array(texts)) => {
                    for text in texts {
                        names.push(text.as_str().ok_or_else(malformed)?);
                    }
                }
                Some(_) => return Err(malformed()),
            }
        }
        Ok(Scopes::of(names.iter().copied()))
    }

    /// The claims that rules speak of. One that is of no form that a rule could name is an error: a rule that denies must
    /// not pass over it.
    pub(super) fn kept(&self, paths: &[(Arc<str>, ClaimPath)]) -> Result<KeptClaims, InvalidReason> {
        const MALFORMED: InvalidReason = InvalidReason::ClaimMalformed("a claim of a policy rule");
        let value = |value: &Value| match value {
            Value::String(text) if text.len() <= VALUE_BYTES_MAX => Ok(text.clone()),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            _ => Err(MALFORMED),
        };
        let mut kept = Vec::new();
        for (name, path) in paths {
            let values = match self.find(path) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(values)) if values.len() <= VALUES_MAX => {
                    values.iter().map(value).collect::<Result<_, _>>()?
                }
                Some(Value::Array(_)) => return Err(MALFORMED),
                Some(single) => vec![value(single)?],
            };
            kept.push((name.clone(), values));
        }
        Ok(KeptClaims::new(kept))
    }
}
