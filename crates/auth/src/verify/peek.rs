use serde::{Deserialize, Deserializer};

use crate::InvalidReason;

/// The `iss` of claims whose signature is not verified yet: only to look up a profile by.
pub(super) fn issuer(payload: &[u8]) -> Result<Option<String>, InvalidReason> {
    #[derive(Deserialize)]
    struct Peek {
        #[serde(default, deserialize_with = "text")]
        iss: Option<String>,
    }
    /// Text or an error: without this, `null` would be the same as nothing.
    fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
        String::deserialize(deserializer).map(Some)
    }
    let peek: Peek = serde_json::from_slice(payload).map_err(|_| InvalidReason::IssuerMalformed)?;
    Ok(peek.iss)
}
