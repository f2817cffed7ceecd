use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Algorithm, PublicKey};
use crate::{ConfigError, json};

const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
const KEYS_MAX: usize = 100;

impl PublicKey {
    /// The usable keys of a JWK Set document (RFC 7517 section 5), which came from `setting`.
    ///
    /// A key that is secret, malformed, weak, of another algorithm, or not for verifying signatures is skipped,
    /// so that one bad key does not lock out the users of the others. A document without any is an error.
    pub fn from_jwk_set(setting: &str, document: &[u8]) -> Result<Vec<Self>, ConfigError> {
        let refuse = |problem: &str| Err(ConfigError::new(setting, problem));
        if document.len() > DOCUMENT_BYTES_MAX {
            return refuse("the key set is over 512 KiB");
        }
        let members = json::object(document);
        let Some(Value::Array(keys)) = members.as_ref().and_then(|members| members.get("keys")) else {
            return refuse("is not a JWK Set, an object with an array `keys`");
        };
        if keys.len() > KEYS_MAX {
            return refuse("the key set has over 100 keys");
        }
        let usable: Vec<Self> = keys.iter().filter_map(|key| Self::from_jwk(key.as_object()?)).collect();
        if usable.is_empty() { refuse("the key set has no usable key") } else { Ok(usable) }
    }

    fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        let key = match (text(jwk, "kty")?, text(jwk, "crv")) {
            ("RSA", None) => {
                let key = Self::from_rsa_components(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?;
                match text(jwk, "alg").and_then(Algorithm::from_name) {
                    Some(algorithm) => key.with_algorithm(algorithm)?,
                    None => key,
                }
            }
            ("EC", Some("P-256")) => {
                Self::p256(&[&[4][..], &coordinate::<32>(jwk, "x")?, &coordinate::<32>(jwk, "y")?].concat())?
            }
            ("EC", Some("P-384")) => {
                Self::p384(&[&[4][..], &coordinate::<48>(jwk, "x")?, &coordinate::<48>(jwk, "y")?].concat())?
            }
            ("OKP", Some("Ed25519")) => Self::ed25519(&coordinate::<32>(jwk, "x")?)?,
            _ => return None,
        };
        if !is_for_verifying(jwk, key.algorithm()) {
            return None;
        }
        match jwk.get("kid") {
            None => Some(key),
            Some(key_id) => Some(key.with_key_id(key_id.as_str()?)),
        }
    }

    /// By way of the DER form, which is checked as a whole when it is read.
    fn from_rsa_components(n: &[u8], e: &[u8]) -> Option<Self> {
        let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
        let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
        Self::rsa(der.as_ref())
    }
}

/// Whether `use`, `key_ops` and `alg`, where they are there, agree with the one use the key would have here.
fn is_for_verifying(jwk: &Map<String, Value>, algorithm: Algorithm) -> bool {
    let is = |name: &str, check: &dyn Fn(&Value) -> bool| jwk.get(name).is_none_or(check);
    is("use", &|usage| usage == "sig")
        && is("key_ops", &|ops| ops.as_array().is_some_and(|ops| ops.iter().any(|op| op == "verify")))
        && is("alg", &|name| name.as_str().and_then(Algorithm::from_name) == Some(algorithm))
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

fn coordinate<const LEN: usize>(jwk: &Map<String, Value>, name: &str) -> Option<[u8; LEN]> {
    bytes(jwk, name)?.try_into().ok()
}
