//! `[[auth.api_keys]]`: a key of a backend.

use std::{fs, path::PathBuf};

use roomkey_auth::SecretDigest;
use serde::Deserialize;

use super::{error::ConfigError, place::Places, private_file, values::Secret};
use crate::api_keys::{ApiKey, Scope};

/// One key. Exactly one of `key`, `key_file` and `key_sha256` says what it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeySection {
    /// What the audit log calls it; unique.
    pub(crate) name: String,
    /// What it may be used for: `channels`, `emit`, `policy`, `revoke`, `users`, `webhooks`.
    pub(crate) scopes: Vec<Scope>,
    /// The key itself, of at least 32 characters.
    #[serde(default)]
    pub(super) key: Option<Secret>,
    /// A file that holds the key.
    #[serde(default)]
    key_file: Option<PathBuf>,
    /// The SHA-256 of the key, in hexadecimal digits.
    #[serde(default)]
    key_sha256: Option<String>,
}

/// A key is not stretched as a password is: it has to be long.
const KEY_CHARACTERS_MIN: usize = 32;

impl ApiKeySection {
    /// The key at `path`. Reads the file.
    pub(super) fn read(
        &self,
        path: &str,
        places: &Places,
        warnings: &mut Vec<String>,
    ) -> Result<ApiKey, ConfigError> {
        let refuse = |key: &str, problem: String| {
            let path = if key.is_empty() { path.to_owned() } else { format!("{path}.{key}") };
            ConfigError::new(places.setting(&path), problem)
        };
        if self.name.trim().is_empty() {
            return Err(refuse("name", "must not be blank".to_owned()));
        }
        if self.scopes.is_empty() {
            return Err(refuse("scopes", "must name what the key is for, such as `emit`".to_owned()));
        }
        let digest = match (&self.key, &self.key_file, &self.key_sha256) {
            (Some(key), None, None) => digest(key.expose()).map_err(|problem| refuse("key", problem))?,
            (None, Some(file), None) => {
                let text = fs::read_to_string(file).map_err(|error| {
                    refuse("key_file", format!("cannot read {}: {error}", file.display()))
                })?;
                warnings.extend(private_file::exposure(file));
                digest(text.trim_end()).map_err(|problem| refuse("key_file", problem))?
            }
            (None, None, Some(hex)) => SecretDigest::from_hex(hex)
                .ok_or_else(|| refuse("key_sha256", "must be 64 hexadecimal digits".to_owned()))?,
            _ => {
                return Err(refuse("", "must have one of `key`, `key_file` and `key_sha256`".to_owned()));
            }
        };
        Ok(ApiKey { name: self.name.as_str().into(), digest, scopes: self.scopes.clone() })
    }
}

fn digest(key: &str) -> Result<SecretDigest, String> {
    if key.chars().count() < KEY_CHARACTERS_MIN {
        return Err(format!(
            "must have at least {KEY_CHARACTERS_MIN} characters: make one with `openssl rand -hex 32`"
        ));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be letters, digits and signs of ASCII only, as it is sent in a header".to_owned());
    }
    Ok(SecretDigest::of(key))
}
