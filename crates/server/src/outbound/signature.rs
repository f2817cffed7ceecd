//! What proves to a backend that a request is ours: the headers of the Standard Webhooks specification.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use roomkey_model::Timestamp;

/// How a secret begins whose rest is bytes in base64. Any other is the bytes of its text.
const PREFIX: &str = "whsec_";

/// A secret that we share with a backend.
#[derive(Clone)]
pub(crate) struct SigningSecret(hmac::Key);

/// A secret that anybody could find by trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at least {} bytes long; `roomkey secret generate` makes one", SigningSecret::BYTES_MIN)]
pub(crate) struct WeakSecret;

impl SigningSecret {
    const BYTES_MIN: usize = 24;

    /// The secret in an operator's words: `whsec_` and base64, or any long text.
    pub(crate) fn new(text: &str) -> Result<Self, WeakSecret> {
        let decoded = text.strip_prefix(PREFIX).and_then(|rest| BASE64_STANDARD.decode(rest).ok());
        let bytes = decoded.as_deref().unwrap_or(text.as_bytes());
        if bytes.len() < Self::BYTES_MIN {
            return Err(WeakSecret);
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    /// The headers of one request: its id, when it was made, and a signature of both and of the body. Sent again, a request
    /// keeps its id, so that a backend can tell.
    pub(crate) fn headers(&self, id: &str, now: Timestamp, body: &[u8]) -> HeaderMap {
        let seconds = now.as_secs().to_string();
        let mut context = hmac::Context::with_key(&self.0);
        for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
            context.update(part);
        }
        let signature = format!("v1,{}", BASE64_STANDARD.encode(context.sign()));
        let header = |text: &str| HeaderValue::from_str(text).expect("letters, digits and marks");
        HeaderMap::from_iter([
            (HeaderName::from_static("webhook-id"), header(id)),
            (HeaderName::from_static("webhook-timestamp"), header(&seconds)),
            (HeaderName::from_static("webhook-signature"), header(&signature)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let secret = SigningSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("long enough");
        let body = br#"{"test": 2432232314}"#;
        let headers =
            secret.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", Timestamp::from_secs(1_614_265_330), body);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_short_secret_is_refused() {
        for short in ["", "secret", "whsec_", "whsec_MfKQ9r8GKYqrTwjUPD8I"] {
            assert!(SigningSecret::new(short).is_err(), "{short}");
        }
        assert!(SigningSecret::new("twenty-four bytes of text").is_ok());
    }
}
