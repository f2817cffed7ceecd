//! What proves to a backend that a request is ours: the headers of the Standard Webhooks specification.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use roomkey_model::Timestamp;

/// How a secret begins whose rest is bytes in base64. Any other is the bytes of its text.
const PREFIX: &str = "whsec_";

/// The secrets that we share with a backend: one, and while it is exchanged for another both.
#[derive(Clone)]
pub(crate) struct SigningSecrets(Vec<hmac::Key>);

/// A secret that anybody could find by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at least {} bytes long; `roomkey secret generate` makes one", SigningSecrets::BYTES_MIN)]
pub(crate) struct WeakSecret;

impl SigningSecrets {
    const BYTES_MIN: usize = 24;

    /// No secret yet.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds a secret in an operator's words: `whsec_` and base64, or any long text.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), WeakSecret> {
        let decoded = text.strip_prefix(PREFIX).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
        let bytes = decoded.as_deref().unwrap_or(text.as_bytes());
        if bytes.len() < Self::BYTES_MIN {
            return Err(WeakSecret);
        }
        self.0.push(hmac::Key::new(hmac::HMAC_SHA256, bytes));
        Ok(())
    }

    /// The headers of one request: its id, when it was made, and a signature of both and of the body by each secret. Sent
    /// again, a request keeps its id, so that a backend can tell.
    pub(crate) fn headers(&self, id: &str, now: Timestamp, body: &[u8]) -> HeaderMap {
        let seconds = now.as_secs().to_string();
        let sign = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
                context.update(part);
            }
            format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
        };
        let signatures: Vec<_> = self.0.iter().map(sign).collect();
        let header = |text: &str| HeaderValue::from_str(text).expect("letters, digits and marks");
        HeaderMap::from_iter([
            (HeaderName::from_static("webhook-id"), header(id)),
            (HeaderName::from_static("webhook-timestamp"), header(&seconds)),
            (HeaderName::from_static("webhook-signature"), header(&signatures.join(" "))),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries; with another secret behind it, as while they are exchanged.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let mut secrets = SigningSecrets::none();
        secrets.add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("long enough");
        let body = br#"{"test": 2432232314}"#;
        let sign = |secrets: &SigningSecrets| {
            secrets.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp::from_secs(1_614_265_330), body)
        };
        let headers = sign(&secrets);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], SIGNATURE);
        let mut other = SigningSecrets::none();
        other.add("twenty-four bytes of text").expect("long enough");
        secrets.add("twenty-four bytes of text").expect("long enough");
        let others = sign(&other)["webhook-signature"].to_str().expect("text").to_owned();
        assert_ne!(others, SIGNATURE);
        assert_eq!(sign(&secrets)["webhook-signature"], format!("{SIGNATURE} {others}"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        for short in ["", "secret", "whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8I"] {
            assert!(SigningSecrets::none().add(short).is_err(), "{short}");
        }
        assert!(SigningSecrets::none().add("twenty-four bytes of text").is_ok());
    }
}
