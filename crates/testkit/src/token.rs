use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey::{
    TokenAuthentication,
    auth::{Algorithm, HmacSecret, IssuerProfile, SecretStrength, Verifier},
};
use serde_json::Value;

/// The secret that [`token`] signs with.
pub const SECRET: &str = "k3-Zp8_vQ2xR7tYw1LmN5bHc9JdFs4Ga";

/// Accepts what [`token`] makes, with no leeway: a token is over at its `exp`.
///
/// # Panics
///
/// Never: the secret is good.
pub fn authentication() -> TokenAuthentication {
    let secret = HmacSecret::new("SECRET", Algorithm::Hs256, SECRET.as_bytes(), SecretStrength::Required)
        .expect("a strong secret");
    let profile = IssuerProfile { leeway_ms: 0, ..IssuerProfile::shared_secret("test", vec![secret]) };
    TokenAuthentication::new(Arc::new(Verifier::new(vec![profile]).expect("a good profile")))
}

/// A token with these claims, signed by HS256.
pub fn token(claims: &Value) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, format!("{header}.{claims}").as_bytes());
    format!("{header}.{claims}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}
