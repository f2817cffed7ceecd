use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::Encryption;
use crate::{InvalidReason, json};

/// Bytes that an encrypted token may have: what fits into eight cookies.
pub(crate) const SEALED_BYTES_MAX: usize = 32 * 1024;
const HEADER_BYTES_MAX: usize = 1024;

/// Members that are never accepted: they ask for compression, point to keys, or belong to ways of making a key that
/// are not spoken here. `cty` announces a token within the token, which nothing here would verify.
const NEVER_ACCEPTED: &[&str] = &[
    "crit", "zip", "jku", "jwk", "x5u", "x5c", "cty", "epk", "apu", "apv", "p2s", "p2c", "iv", "tag", "b64",
];

/// A JWE in compact serialization (RFC 7516 section 7.1), decoded but not decrypted.
pub(crate) struct Sealed<'a> {
    pub(crate) encryption: Encryption,
    pub(crate) key_id: Option<String>,
    /// The header as it came: the ciphertext is bound to it.
    pub(super) aad: &'a [u8],
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl<'a> Sealed<'a> {
    /// Whether the token has the five parts of a JWE, and is thus never taken for anything else.
    pub(crate) fn is_one(token: &str) -> bool {
        token.bytes().filter(|byte| *byte == b'.').take(5).count() == 4
    }

    /// The decoded header, whatever it says.
    pub(crate) fn header(token: &str) -> Option<Vec<u8>> {
        decode(token.split('.').next()?).ok()
    }

    pub(crate) fn parse(token: &'a str) -> Result<Self, InvalidReason> {
        if token.len() > SEALED_BYTES_MAX {
            return Err(InvalidReason::TokenTooLong);
        }
        let mut parts = token.split('.');
        let mut part = || parts.next().ok_or(InvalidReason::NotEncrypted);
        let (header, key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(InvalidReason::Segments);
        }
        let (encryption, key_id) = header_of(&decode(header)?)?;
        // With `dir` there is no key to be transported (RFC 7518 section 4.5).
        if !key.is_empty() {
            return Err(InvalidReason::EncryptionNotAllowed);
        }
        Ok(Self {
            encryption,
            key_id,
            aad: header.as_bytes(),
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
        })
    }
}

fn header_of(header: &[u8]) -> Result<(Encryption, Option<String>), InvalidReason> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(InvalidReason::HeaderTooLong);
    }
    let mut members = json::object(header).ok_or(InvalidReason::HeaderJson)?;
    if members.get("alg").and_then(Value::as_str) != Some("dir") {
        return Err(InvalidReason::EncryptionNotAllowed);
    }
    if let Some(name) = NEVER_ACCEPTED.iter().find(|name| members.contains_key(**name)) {
        return Err(InvalidReason::HeaderMember(name));
    }
    let encryption = members.get("enc").and_then(Value::as_str).and_then(Encryption::from_name);
    let key_id = match members.remove("kid") {
        None => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(InvalidReason::KeyIdMalformed),
    };
    Ok((encryption.ok_or(InvalidReason::EncryptionNotAllowed)?, key_id))
}

/// Strict, as for signed tokens: each part has one spelling only.
fn decode(part: &str) -> Result<Vec<u8>, InvalidReason> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidReason::Base64)
}
