use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::KeySetUrl;

/// From the name to the last byte.
pub(super) const FETCH_TIME_MAX: Duration = Duration::from_secs(5);
const DOCUMENT_BYTES_MAX: usize = 512 * 1024;
const HEAD_BYTES_MAX: usize = 64 * 1024;

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
    #[error("none of the addresses of the host may be connected to")]
    Address,
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("the answer is compressed")]
    Encoding,
    #[error("the exchange failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("cannot find the host: {0}")]
    Name(io::Error),
    #[error("the answer has status {0}")]
    Status(StatusCode),
    #[error("no answer within {} seconds", FETCH_TIME_MAX.as_secs())]
    Timeout,
    #[error("cannot speak TLS: {0}")]
    Tls(io::Error),
    #[error("the answer is over 512 KiB")]
    TooLong,
}

/// Fetches one document. Follows no redirect, uses no proxy, and takes nothing that is compressed.
pub(super) struct Fetcher {
    pub(super) url: KeySetUrl,
    /// For `https:`.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Fetcher {
    /// Asks for the document; with an `etag`, only if it has changed since.
    pub(super) async fn fetch(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        timeout(FETCH_TIME_MAX, self.ask(etag)).await.map_err(|_| FetchError::Timeout)?
    }

    async fn ask(&self, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        let stream = self.connect().await?;
        match &self.tls {
            Some(tls) => {
                let name = ServerName::try_from(self.url.host.to_string())
                    .map_err(|error| FetchError::Tls(io::Error::other(error)))?;
                let stream =
                    TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(FetchError::Tls)?;
                self.exchange(stream, etag).await
            }
            None => self.exchange(stream, etag).await,
        }
    }

    /// To an address that was looked at: the name is not asked again, so that it cannot mean another one then.
    async fn connect(&self) -> Result<TcpStream, FetchError> {
        let found = lookup_host((&*self.url.host, self.url.port)).await.map_err(FetchError::Name)?;
        let mut error = FetchError::Address;
        for address in found.filter(|address| self.url.reach.allows(address.ip())) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(failed) => error = FetchError::Connect(failed),
            }
        }
        Err(error)
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        etag: Option<&HeaderValue>,
    ) -> Result<Fetched, FetchError> {
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await?;
        // Ends with this function, however that ends.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let response = sender.send_request(self.request(etag)).await?;
        let (head, mut body) = response.into_parts();
        let max_age_ms = max_age_ms(&head.headers);
        match head.status {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::NotModified { max_age_ms }),
            status => return Err(FetchError::Status(status)),
        }
        let encoding = head.headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(FetchError::Encoding);
        }
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if bytes.len() + data.len() > DOCUMENT_BYTES_MAX {
                return Err(FetchError::TooLong);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Fetched::Document { bytes, etag: head.headers.get(header::ETAG).cloned(), max_age_ms })
    }

    fn request(&self, etag: Option<&HeaderValue>) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.url.path.clone().into();
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&self.url.authority).expect("an authority is fit for a header");
        headers.insert(header::HOST, host);
        headers
            .insert(header::ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("roomkey/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if let Some(etag) = etag {
            headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        request
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
