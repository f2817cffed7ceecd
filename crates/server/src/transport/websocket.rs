//! A request to open a WebSocket: a session of its own, or the upgrade of one.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use roomkey_hub::Shard;
use roomkey_protocol::engine::payload::Format;
use roomkey_websocket::{
    deflate,
    handshake::{self, Request},
};
use tokio::net::TcpStream;

use super::admission;
use crate::{
    connection::{Connection, WebSocket},
    context::Context,
    newcomers::Newcomer,
    registry::{Entry, Sid},
    transport::{Letter, ProbeSocket},
};

/// A request that may be answered with 101.
pub(crate) struct Opening {
    /// The `Sec-WebSocket-Accept` of the answer.
    pub(crate) accept: String,
    /// The `Sec-WebSocket-Extensions` of the answer.
    pub(crate) extensions: Option<&'static str>,
    purpose: Purpose,
}

enum Purpose {
    /// A session of its own.
    Begin(Newcomer, Format),
    /// The upgrade of a session.
    Upgrade(Arc<Entry>),
}

/// Why a request does not open a WebSocket.
pub(crate) struct Refusal {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// Its text.
    pub(crate) message: Cow<'static, str>,
    /// What else it says.
    pub(crate) headers: Box<HeaderMap>,
}

/// Whether the headers ask for a WebSocket, rightly or wrongly.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    upgrade_request(&Method::GET, headers).is_upgrade()
}

fn upgrade_request<'a>(method: &'a Method, headers: &'a HeaderMap) -> Request<'a> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A list may come in several lines; the one word that counts is in one of them.
    let connection = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    Request {
        method: method.as_str(),
        connection: connection.rev().find(|value| value.to_ascii_lowercase().contains("upgrade")),
        upgrade: text(header::UPGRADE),
        version: text(header::SEC_WEBSOCKET_VERSION),
        key: text(header::SEC_WEBSOCKET_KEY),
    }
}

/// Checks a request in the reference server's order: transport, origin, session, version, and then the WebSocket.
pub(crate) fn check(context: &Context, request_head: &Parts, address: IpAddr) -> Result<Opening, Refusal> {
    let request = admission::check(context, request_head, address, true)?;
    let accept = upgrade_request(&request_head.method, &request_head.headers).accept().map_err(|error| {
        let status = StatusCode::from_u16(error.http_status()).expect("a status");
        Refusal::new(status, wrong_handshake(error))
    })?;
    let extensions = extensions(context, &request_head.headers)?;
    let purpose = match request.entry {
        Some(entry) => Purpose::Upgrade(entry),
        None => Purpose::Begin(context.admit(address).ok_or_else(Refusal::crowded)?, request.format),
    };
    Ok(Opening { accept, extensions, purpose })
}

/// The answer to the extensions that are offered. Nobody looks at the offers where none can be accepted.
fn extensions(context: &Context, headers: &HeaderMap) -> Result<Option<&'static str>, Refusal> {
    let malformed =
        || Refusal::new(StatusCode::BAD_REQUEST, "Invalid or unacceptable Sec-WebSocket-Extensions header");
    if context.deflate.is_none() {
        return Ok(None);
    }
    let values = headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter().map(HeaderValue::to_str);
    let values = values.collect::<Result<Vec<_>, _>>().map_err(|_| malformed())?;
    deflate::negotiate(values).map_err(|_| malformed())
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), headers: Box::default() }
    }

    fn crowded() -> Self {
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, "Too many connections");
        refusal.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        refusal
    }
}

impl From<admission::Refusal> for Refusal {
    fn from(refusal: admission::Refusal) -> Self {
        match refusal {
            admission::Refusal::Invalid(error) => {
                let status = StatusCode::from_u16(error.http_status()).expect("a status");
                Self::new(status, error.to_string())
            }
            admission::Refusal::TooMany(exceeded) => {
                let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
                exceeded.describe(&mut refusal.headers);
                refusal
            }
        }
    }
}

fn wrong_handshake(error: handshake::HandshakeError) -> &'static str {
    match error {
        handshake::HandshakeError::Key => "Missing or invalid Sec-WebSocket-Key header",
        handshake::HandshakeError::Method => "Invalid HTTP method",
        handshake::HandshakeError::NotAnUpgrade => "Invalid Upgrade header",
        handshake::HandshakeError::Version => "Missing or invalid Sec-WebSocket-Version header",
    }
}

/// A connection that asked for a WebSocket and may have it.
pub(crate) struct Arrival<'a> {
    pub(crate) request_head: &'a Parts,
    pub(crate) address: IpAddr,
    pub(crate) stream: TcpStream,
    /// What was read behind the request.
    pub(crate) unread: Vec<u8>,
    /// The 101, if it was not sent yet: it leaves together with what comes first.
    pub(crate) answer: Vec<u8>,
}

/// Takes a connection over: as a session of its own, or for the session it is to upgrade.
pub(crate) async fn begin(
    context: &Arc<Context>,
    shard: &Shard,
    opening: Opening,
    arrival: Arrival<'_>,
) -> std::io::Result<()> {
    let Arrival { request_head, address, stream, unread, mut answer } = arrival;
    let has_deflate = opening.extensions.is_some();
    let (newcomer, format) = match opening.purpose {
        Purpose::Begin(newcomer, format) => (newcomer, format),
        Purpose::Upgrade(entry) => {
            write_all(&stream, &answer).await?;
            let probe = ProbeSocket { stream: stream.into_std()?, unread, has_deflate };
            // A session that has just ended drops the WebSocket, which closes it.
            drop(entry.mailbox.post(Letter::Probe(probe)));
            return Ok(());
        }
    };
    let sid = Sid::generate(&*context.entropy);
    let open_packet = admission::open_packet(context, &sid, &[]);
    roomkey_websocket::encode(roomkey_websocket::Opcode::Text, open_packet.as_bytes(), &mut answer);
    write_all(&stream, &answer).await?;
    let handshake = admission::handshake(context, request_head, address, false);
    let websocket = WebSocket::new(stream, unread, &context.limits, has_deflate);
    tokio::spawn(Connection::open(context, shard, handshake, sid, newcomer, format, Some(websocket)).run());
    Ok(())
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
