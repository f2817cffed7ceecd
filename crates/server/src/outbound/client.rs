use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
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

use super::OutboundUrl;

const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Speaks to one URL, with a connection for each request. Follows no redirect, uses no proxy, and takes nothing that is
/// compressed.
#[derive(Clone)]
pub(crate) struct Client {
    url: OutboundUrl,
    tls: Option<Arc<ClientConfig>>,
    time_max: Duration,
    answer_bytes_max: usize,
}

/// How much of an answer is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    All,
    Head,
}

/// What came back, with any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
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
    #[error("no answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    #[error("cannot speak TLS: {0}")]
    Tls(io::Error),
    #[error("the answer is over {0} bytes")]
    TooLong(usize),
}

impl Client {
    /// A client of `url`, which needs `tls` if it is an `https:` one. A request may take `time_max`, from the name to the
    /// last byte.
    pub(crate) fn new(
        url: OutboundUrl,
        tls: Option<Arc<ClientConfig>>,
        time_max: Duration,
        answer_bytes_max: usize,
    ) -> Self {
        let tls = tls.filter(|_| url.is_https);
        Self { url, tls, time_max, answer_bytes_max }
    }

    /// Asks for what is there.
    pub(crate) async fn get(&self, headers: HeaderMap) -> Result<Answer, OutboundError> {
        self.send(Method::GET, headers, Bytes::new(), Part::All).await
    }

    /// Posts a body of JSON.
    pub(crate) async fn post_json(&self, headers: HeaderMap, json: Bytes) -> Result<Answer, OutboundError> {
        self.post(headers, json, Part::All).await
    }

    /// Posts a body of JSON, and reads no more of the answer than its head: whatever comes after that changes nothing.
    pub(crate) async fn tell_json(&self, headers: HeaderMap, json: Bytes) -> Result<Answer, OutboundError> {
        self.post(headers, json, Part::Head).await
    }

    async fn post(&self, mut headers: HeaderMap, json: Bytes, part: Part) -> Result<Answer, OutboundError> {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        self.send(Method::POST, headers, json, part).await
    }

    async fn send(
        &self,
        method: Method,
        headers: HeaderMap,
        body: Bytes,
        part: Part,
    ) -> Result<Answer, OutboundError> {
        let request = self.request(method, headers, body);
        timeout(self.time_max, self.ask(request, part))
            .await
            .map_err(|_| OutboundError::Timeout(self.time_max))?
    }

    async fn ask(&self, request: Request<Full<Bytes>>, part: Part) -> Result<Answer, OutboundError> {
        let stream = self.connect().await?;
        if !self.url.is_https {
            return self.exchange(stream, request, part).await;
        }
        let Some(tls) = &self.tls else {
            return Err(OutboundError::Tls(io::Error::other("TLS is not set up")));
        };
        let name = ServerName::try_from(self.url.host.to_string())
            .map_err(|error| OutboundError::Tls(io::Error::other(error)))?;
        let stream =
            TlsConnector::from(tls.clone()).connect(name, stream).await.map_err(OutboundError::Tls)?;
        self.exchange(stream, request, part).await
    }

    /// To an address that was looked at: the name is not asked again, so that it cannot mean another one then.
    async fn connect(&self) -> Result<TcpStream, OutboundError> {
        let found = lookup_host((&*self.url.host, self.url.port)).await.map_err(OutboundError::Name)?;
        let mut error = OutboundError::Address;
        for address in found.filter(|address| self.url.reach.allows(address.ip())) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(failed) => error = OutboundError::Connect(failed),
            }
        }
        Err(error)
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        request: Request<Full<Bytes>>,
        part: Part,
    ) -> Result<Answer, OutboundError> {
        let (mut sender, connection) =
            http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await?;
        // Ends with this function, however that ends.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        if part == Part::Head {
            return Ok(Answer { status: head.status, headers: head.headers, body: Vec::new() });
        }
        let encoding = head.headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            return Err(OutboundError::Encoding);
        }
        Ok(Answer { status: head.status, headers: head.headers, body: self.read(body).await? })
    }

    async fn read(&self, mut body: Incoming) -> Result<Vec<u8>, OutboundError> {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if bytes.len() + data.len() > self.answer_bytes_max {
                return Err(OutboundError::TooLong(self.answer_bytes_max));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }

    fn request(&self, method: Method, mut headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
        let host = HeaderValue::from_str(&self.url.authority).expect("an authority is fit for a header");
        headers.insert(header::HOST, host);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("roomkey/", env!("CARGO_PKG_VERSION"))),
        );
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = self.url.path.clone().into();
        *request.headers_mut() = headers;
        request
    }
}

#[cfg(test)]
mod tests {
    use roomkey_testkit::Endpoint;
    use tokio::runtime::Builder;

    use super::*;

    fn client(port: u16, time_max: Duration, answer_bytes_max: usize) -> Client {
        let url = OutboundUrl::on_loopback(&format!("http://127.0.0.1:{port}/hook?a=b")).expect("a URL");
        Client::new(url, None, time_max, answer_bytes_max)
    }

    fn post(client: &Client) -> Result<Answer, OutboundError> {
        let mut headers = HeaderMap::new();
        headers.insert("x-signed", HeaderValue::from_static("yes"));
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(client.post_json(headers, Bytes::from_static(br#"{"a":1}"#)))
    }

    #[test]
    fn a_post_has_headers_and_a_body_and_any_answer_is_one() {
        let endpoint = Endpoint::start(
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 2\r\n\r\nok".to_vec(),
        );
        let answer = post(&client(endpoint.port(), Duration::from_secs(30), 2)).expect("an answer");
        assert_eq!((answer.status, &*answer.body), (StatusCode::FOUND, &b"ok"[..]));
        let requests = endpoint.requests();
        let [request] = &*requests else { panic!("one request, no redirect followed: {requests:?}") };
        assert!(request.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{request}");
        for line in ["x-signed: yes", "content-type: application/json", "content-length: 7"] {
            assert!(request.contains(line), "{request}");
        }
    }

    #[test]
    fn an_answer_ends_in_bytes_and_in_time() {
        let endpoint = Endpoint::start(Endpoint::ok("", "too long"));
        assert!(matches!(
            post(&client(endpoint.port(), Duration::from_secs(30), 7)),
            Err(OutboundError::TooLong(7))
        ));
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = silent.local_addr().expect("an address").port();
        assert!(matches!(post(&client(port, Duration::from_millis(20), 7)), Err(OutboundError::Timeout(_))));
    }
}
