use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{PublicKey, der};

/// The members of a public JWK (RFC 7517) that make the key what it is, in the order of their names.
#[derive(Clone)]
pub(super) struct Jwk(Vec<(&'static str, String)>);

impl Jwk {
    /// RFC 8037 section 2.
    pub(super) fn ed25519(x: &[u8]) -> Self {
        Self(vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", encode(x))])
    }

    /// RFC 7518 section 6.2.
    pub(super) fn ec(curve: &'static str, x: &[u8], y: &[u8]) -> Self {
        Self(vec![("crv", curve.to_owned()), ("kty", "EC".to_owned()), ("x", encode(x)), ("y", encode(y))])
    }

    /// RFC 7518 section 6.3, from a PKCS#1 public key: the two integers without their sign byte.
    pub(super) fn rsa(mut pkcs1: &[u8]) -> Option<Self> {
        let mut content = der::take(&mut pkcs1, der::SEQUENCE)?;
        let n = der::take(&mut content, der::INTEGER)?;
        let e = der::take(&mut content, der::INTEGER)?;
        let unsigned = |integer: &[u8]| encode(integer.strip_prefix(&[0]).unwrap_or(integer));
        Some(Self(vec![("e", unsigned(e)), ("kty", "RSA".to_owned()), ("n", unsigned(n))]))
    }

    /// RFC 7638: SHA-256 over exactly these members.
    pub(super) fn thumbprint(&self) -> String {
        let json = serde_json::to_vec(self).expect("text only");
        encode(digest::digest(&digest::SHA256, &json).as_ref())
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A JWK Set document of these keys, each named by its `kid` or its thumbprint.
pub(crate) fn set<'a>(keys: impl IntoIterator<Item = &'a PublicKey>) -> String {
    #[derive(Serialize)]
    struct Set<'a> {
        keys: Vec<Published<'a>>,
    }
    let keys = keys.into_iter().map(Published).collect();
    serde_json::to_string(&Set { keys }).expect("text only")
}

struct Published<'a>(&'a PublicKey);

impl Serialize for Published<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(key) = self;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &key.jwk().0 {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("alg", key.algorithm().name())?;
        map.serialize_entry("kid", &**key.key_id().unwrap_or(key.thumbprint()))?;
        map.serialize_entry("use", "sig")?;
        map.end()
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 section 3.1.
    #[test]
    fn the_published_rsa_thumbprint() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let n = BASE64_URL_SAFE_NO_PAD.decode(n).expect("base64url");
        let pkcs1 = [&[0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0][..], &n, &[2, 3, 1, 0, 1]].concat();
        let jwk = Jwk::rsa(&pkcs1).expect("a PKCS#1 key");
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(Jwk::rsa(&pkcs1[1..]).is_none());
    }
}
