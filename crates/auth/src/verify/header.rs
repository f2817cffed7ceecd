use serde_json::Value;

use crate::{Algorithm, InvalidReason, TokenType, json};

/// Bytes that `kid` may have.
const KEY_ID_BYTES_MAX: usize = 256;

/// Members that end the matter: keys and places of keys (we use configured ones only), extensions that must be
/// understood (we implement none, RFC 7515 section 4.1.11), and the marks of encryption and compression.
///
/// `x5t` and `x5t#S256` are not among them. They hold a digest, no key and no address; widely used issuers send
/// them beside `kid`, and nothing here reads them.
const NEVER_ACCEPTED: &[&str] = &["crit", "jku", "jwk", "x5u", "x5c", "b64", "enc", "zip"];

/// What the header (RFC 7515 section 4) says; used to select, never to trust.
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    token_type: Option<String>,
}

impl Header {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, InvalidReason> {
        let mut members = json::object(bytes).ok_or(InvalidReason::HeaderJson)?;
        if let Some(name) = NEVER_ACCEPTED.iter().find(|name| members.contains_key(**name)) {
            return Err(InvalidReason::HeaderMember(name));
        }
        let algorithm = members.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        let mut text = |name, reason| match members.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(reason),
        };
        let key_id = text("kid", InvalidReason::KeyIdMalformed)?;
        if key_id.as_ref().is_some_and(|id| id.len() > KEY_ID_BYTES_MAX || id.chars().any(char::is_control)) {
            return Err(InvalidReason::KeyIdMalformed);
        }
        let token_type = text("typ", InvalidReason::TokenType)?;
        Ok(Self { algorithm: algorithm.ok_or(InvalidReason::AlgorithmUnknown)?, key_id, token_type })
    }

    pub(super) fn require_type(&self, required: TokenType) -> Result<(), InvalidReason> {
        if required.accepts(self.token_type.as_deref()) { Ok(()) } else { Err(InvalidReason::TokenType) }
    }
}
