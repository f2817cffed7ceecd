use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_rustls::rustls::ClientConfig;

use crate::outbound::{Client, OutboundError, OutboundUrl};

/// From the name to the last byte.
pub(super) const FETCH_TIME_MAX: Duration = Duration::from_secs(5);
const DOCUMENT_BYTES_MAX: usize = 512 * 1024;

/// What an issuer answered.
#[derive(Debug)]
pub(super) enum Fetched {
    /// A document that may be a key set.
    Document { bytes: Vec<u8>, etag: Option<HeaderValue>, max_age_ms: Option<u64> },
    /// The one from before is still good.
    NotModified { max_age_ms: Option<u64> },
}

/// Why there is no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the answer has status {0}")]
    Status(StatusCode),
}

/// Fetches one document.
pub(super) struct Fetcher(Client);

impl Fetcher {
    pub(super) fn new(url: OutboundUrl, tls: Option<Arc<ClientConfig>>) -> Self {
        Self(Client::new(url, tls, FETCH_TIME_MAX, DOCUMENT_BYTES_MAX))
    }

    /// Asks for the document; with an `etag`, only if it has changed since.
    pub(super) async fn fetch(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        let mut headers = HeaderMap::new();
        headers
            .insert(header::ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        if let Some(etag) = etag {
            headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        let answer = self.0.get(headers).await?;
        let max_age_ms = max_age_ms(&answer.headers);
        match answer.status {
            StatusCode::OK => Ok(Fetched::Document {
                bytes: answer.body,
                etag: answer.headers.get(header::ETAG).cloned(),
                max_age_ms,
            }),
            StatusCode::NOT_MODIFIED if etag.is_some() => Ok(Fetched::NotModified { max_age_ms }),
            status => Err(FetchError::Status(status)),
        }
    }
}

/// How long the answer is fresh (RFC 9111 section 5.2.2): `max-age`, and nothing where it may not be stored.
fn max_age_ms(headers: &HeaderMap) -> Option<u64> {
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    let mut max_age_ms = None;
    for directive in lines.flat_map(|line| line.split(',')).map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(0);
        }
        if name.eq_ignore_ascii_case("max-age") {
            max_age_ms =
                value.trim_matches('"').parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1000));
        }
    }
    max_age_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_an_answer_is_fresh() {
        let cases: [(&[&str], Option<u64>); 9] = [
            (&[], None),
            (&["public"], None),
            (&["max-age=600"], Some(600_000)),
            (&["public, Max-Age=\"600\", must-revalidate"], Some(600_000)),
            (&["public", "max-age=1"], Some(1000)),
            (&["max-age=x"], None),
            (&["max-age=18446744073709551615"], Some(u64::MAX)),
            (&["max-age=600, no-cache"], Some(0)),
            (&["no-store"], Some(0)),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CACHE_CONTROL, HeaderValue::from_static(line));
            }
            assert_eq!(max_age_ms(&headers), expected, "{lines:?}");
        }
    }
}
