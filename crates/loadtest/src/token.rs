use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL};
use roomkey_model::Timestamp;
use serde_json::json;

const LIFETIME_S: u64 = 3600;

/// A token for `subject`, issued now, good for an hour.
pub(crate) fn mint(secret: &str, subject: &str, now: Timestamp) -> String {
    mint_until(secret, subject, now, now.as_secs() + LIFETIME_S)
}

/// A token for `subject`, issued now, good until `exp` (RFC 7519, HS256).
pub(crate) fn mint_until(secret: &str, subject: &str, now: Timestamp, exp: u64) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let claims = json!({"sub": subject, "iat": now.as_secs(), "exp": exp});
    let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(signature))
}

/// A token each for `count` users.
pub(crate) fn mint_many(secret: &str, count: usize, now: Timestamp) -> Vec<String> {
    (0..count).map(|index| mint(secret, &format!("load-{index}"), now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_over_header_and_claims() {
        let token = mint("a secret", "ada", Timestamp::from_secs(1_000));
        let (input, signature) = token.rsplit_once('.').unwrap();
        let (_, claims) = input.split_once('.').unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"a secret");
        hmac::verify(&key, input.as_bytes(), &BASE64URL.decode(signature).unwrap()).unwrap();
        assert_eq!(BASE64URL.decode(claims).unwrap(), br#"{"exp":4600,"iat":1000,"sub":"ada"}"#);
    }
}
