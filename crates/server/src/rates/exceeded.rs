use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use roomkey_model::{Failure, Limit};

use super::Rate;
use crate::rest::ApiError;

/// A rate that clients can see: how much there is, and how much is left.
///
/// The headers are those of the draft `ietf-httpapi-ratelimit-headers` (structured fields): a policy with its quota and
/// window, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// What it is called in the headers.
    pub(crate) name: &'static str,
    /// The limit that is reached when it is used up.
    pub(crate) limit: Limit,
    /// The rate itself.
    pub(crate) rate: Rate,
}

impl Policy {
    /// Adds `RateLimit-Policy` and `RateLimit`. `restored_ms` is when there is more than what remains now.
    pub(crate) fn describe(&self, remaining: u32, restored_ms: u64, headers: &mut HeaderMap) {
        let Self { name, rate, .. } = self;
        let (quota, window) = (rate.burst(), seconds(rate.window_ms()));
        let text = |text: String| HeaderValue::try_from(text).expect("a name and numbers");
        headers.insert(RATE_LIMIT_POLICY, text(format!("\"{name}\";q={quota};w={window}")));
        headers.insert(RATE_LIMIT, text(format!("\"{name}\";r={remaining};t={}", seconds(restored_ms))));
    }
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// It was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// What was too much.
    pub(crate) policy: Policy,
    /// When there is room for one more.
    pub(crate) wait_ms: u64,
    /// Beyond that, when to come back: not everybody at the same moment.
    pub(crate) spread_ms: u64,
}

impl Exceeded {
    /// Adds what a client is told: when to come back, and the rate.
    pub(crate) fn describe(&self, headers: &mut HeaderMap) {
        headers.insert(header::RETRY_AFTER, seconds(self.wait_ms.saturating_add(self.spread_ms)).into());
        self.policy.describe(0, self.wait_ms, headers);
    }

    /// The refusal with its code.
    pub(crate) fn failure(&self) -> Failure {
        Failure::rate_limited(self.wait_ms.saturating_add(self.spread_ms)).at(self.policy.limit)
    }
}

impl IntoResponse for &Exceeded {
    fn into_response(self) -> Response {
        let mut response = ApiError(self.failure()).into_response();
        self.describe(response.headers_mut());
        response
    }
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use roomkey_model::{ErrorCode, Retry};

    use super::*;

    fn headers(describe: impl FnOnce(&mut HeaderMap)) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        describe(&mut headers);
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_what_the_rate_is() {
        let rate = Rate::per_second(20, 200);
        let policy = Policy { name: "handshake", limit: Limit::HandshakesPerAddress, rate };
        let exceeded = Exceeded { policy, wait_ms: 50, spread_ms: 2000 };
        let expected = [
            ("ratelimit", r#""handshake";r=0;t=1"#),
            ("ratelimit-policy", r#""handshake";q=200;w=10"#),
            ("retry-after", "3"),
        ];
        assert_eq!(headers(|to| exceeded.describe(to)), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let failure = exceeded.failure();
        assert_eq!((failure.code, failure.retry), (ErrorCode::RateLimited, Retry::AfterMs(2050)));
        assert_eq!(failure.limit, Some(Limit::HandshakesPerAddress));
    }
}
