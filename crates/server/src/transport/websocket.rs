//! A request to open a WebSocket: a session of its own, or the upgrade of one.

use std::{net::IpAddr, sync::Arc};

use http::{HeaderMap, Method, StatusCode, header, request::Parts};
use roomkey_hub::Shard;
use roomkey_protocol::engine::{
    Handshake as OpenPacket,
    query::{HandshakeError, Query, Transport},
};
use roomkey_websocket::handshake::{self, Request};
use tokio::net::TcpStream;

use crate::{
    Handshake,
    connection::{Connection, WebSocket},
    context::Context,
    http::Verdict,
    newcomers::Newcomer,
    registry::{Entry, Sid},
    transport::{Letter, ProbeSocket},
};

/// A request that may be answered with 101.
pub(crate) struct Opening {
    /// The `Sec-WebSocket-Accept` of the answer.
    pub(crate) accept: String,
    purpose: Purpose,
}

enum Purpose {
    /// A session of its own.
    Begin(Newcomer),
    /// The upgrade of a session.
    Upgrade(Arc<Entry>),
}

/// Why a request does not open a WebSocket: the status and the text of the answer.
pub(crate) type Refusal = (StatusCode, &'static str);

/// Whether the headers ask for a WebSocket, rightly or wrongly.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    request(&Method::GET, headers).is_upgrade()
}

fn request<'a>(method: &'a Method, headers: &'a HeaderMap) -> Request<'a> {
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
    let query = Query::parse(request_head.uri.query().unwrap_or("")).map_err(refusal)?;
    if query.transport == Transport::Websocket && !context.transports.websocket {
        return Err(refusal(HandshakeError::TransportUnknown));
    }
    match context.origins.check(&request_head.headers) {
        Verdict::Allowed | Verdict::NoOrigin => {}
        Verdict::Denied => {
            context.metrics.origins_refused.increment();
            return Err(refusal(HandshakeError::Forbidden));
        }
        Verdict::Malformed => return Err(refusal(HandshakeError::BadRequest)),
    }
    let upgraded = match &query.sid {
        Some(sid) => {
            let entry = context.registry.find(sid).ok_or(refusal(HandshakeError::SessionIdUnknown))?;
            let origin = request_head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
            if !entry.allows_origin(origin) {
                return Err(refusal(HandshakeError::SessionIdUnknown));
            }
            query.check_follow_up(true).map_err(refusal)?;
            if entry.transport() == Transport::Websocket {
                return Err(refusal(HandshakeError::BadRequest));
            }
            Some(entry)
        }
        None => {
            query.check_handshake(request_head.method.as_str(), true).map_err(refusal)?;
            query.check_version().map_err(refusal)?;
            None
        }
    };
    let accept = request(&request_head.method, &request_head.headers).accept().map_err(|error| {
        let status = StatusCode::from_u16(error.http_status()).expect("a status");
        (status, wrong_handshake(error))
    })?;
    let purpose = match upgraded {
        Some(entry) => Purpose::Upgrade(entry),
        None => Purpose::Begin(context.admit(address).ok_or(CROWDED)?),
    };
    Ok(Opening { accept, purpose })
}

const CROWDED: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "Too many connections");

fn refusal(error: HandshakeError) -> Refusal {
    let text = match error {
        HandshakeError::TransportUnknown => "Transport unknown",
        HandshakeError::SessionIdUnknown => "Session ID unknown",
        HandshakeError::BadHandshakeMethod => "Bad handshake method",
        HandshakeError::BadRequest => "Bad request",
        HandshakeError::Forbidden => "Forbidden",
        HandshakeError::UnsupportedProtocolVersion => "Unsupported protocol version",
    };
    (StatusCode::from_u16(error.http_status()).expect("a status"), text)
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
    let newcomer = match opening.purpose {
        Purpose::Begin(newcomer) => newcomer,
        Purpose::Upgrade(entry) => {
            write_all(&stream, &answer).await?;
            let probe = ProbeSocket { stream: stream.into_std()?, unread };
            // A session that has just ended drops the WebSocket, which closes it.
            drop(entry.mailbox.post(Letter::Probe(probe)));
            return Ok(());
        }
    };
    let sid = Sid::generate(&*context.entropy);
    let open = OpenPacket {
        sid: sid.as_str().into(),
        upgrades: [].as_slice().into(),
        ping_interval_ms: context.session.ping_interval_ms,
        ping_timeout_ms: context.session.ping_timeout_ms,
        max_payload: context.limits.message_bytes,
    };
    roomkey_websocket::encode(roomkey_websocket::Opcode::Text, open.encode().as_bytes(), &mut answer);
    write_all(&stream, &answer).await?;
    let query = request_head.uri.query().unwrap_or("");
    let headers = &request_head.headers;
    let is_trusted_page = context.origins.trusts_page(headers);
    let handshake = Handshake::new(address, context.clock.now(), query, headers, is_trusted_page);
    let websocket = WebSocket::new(stream, unread, &context.limits);
    tokio::spawn(Connection::open(context, shard, handshake, sid, newcomer, Some(websocket)).run());
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
