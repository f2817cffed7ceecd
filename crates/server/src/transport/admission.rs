//! What both transports ask of a request, and tell a client that begins: one door for all.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::{header, request::Parts};
use roomkey_protocol::engine::{
    Handshake as OpenPacket, Revision,
    payload::Format,
    query::{HandshakeError, Query, Transport},
};

use crate::{
    Handshake,
    audit::Event,
    context::Context,
    http::Verdict,
    rates::Exceeded,
    registry::{Entry, Sid},
};

/// A request that may go on.
pub(super) struct Request {
    /// Its session; `None` is a handshake.
    pub(super) entry: Option<Arc<Entry>>,
    /// How the bodies of the session's requests are written.
    pub(super) format: Format,
    /// The request of a script element, which is answered with a script.
    pub(super) jsonp: Option<u32>,
}

/// Why a request does not go on.
pub(super) enum Refusal {
    /// It is no request that could be answered.
    Invalid(HandshakeError),
    /// There were too many from its address.
    TooMany(Exceeded),
}

impl From<HandshakeError> for Refusal {
    fn from(error: HandshakeError) -> Self {
        Self::Invalid(error)
    }
}

/// Checks a request in the reference server's order (transport, origin, session, version) and finds its session.
///
/// What is wrong with a request is told before that there are too many of its kind, so that only those count which
/// open a session, or guess at one.
pub(super) fn check(
    context: &Context,
    request_head: &Parts,
    address: IpAddr,
    is_upgrade: bool,
) -> Result<Request, Refusal> {
    let query = Query::parse(request_head.uri.query().unwrap_or(""))?;
    let is_offered = match query.transport {
        Transport::Polling => context.transports.polling,
        Transport::Websocket => context.transports.websocket,
    };
    if !is_offered {
        return Err(HandshakeError::TransportUnknown.into());
    }
    match context.origins.check(&request_head.headers) {
        Verdict::Allowed | Verdict::NoOrigin => {}
        Verdict::Denied => {
            context.refuse_origin(address, &request_head.headers, "origin not allowed");
            return Err(HandshakeError::Forbidden.into());
        }
        Verdict::Malformed => return Err(HandshakeError::BadRequest.into()),
    }
    let Some(sid) = &query.sid else {
        query.check_handshake(request_head.method.as_str(), is_upgrade)?;
        let format = match query.check_version(context.allow_eio3)? {
            Revision::V3 => Format::V3 { base64: query.base64 || query.jsonp.is_some() },
            Revision::V4 => Format::V4,
        };
        context.count_handshake(address).map_err(|exceeded| {
            context.trusted_proxies.suspect(&request_head.headers);
            Refusal::TooMany(exceeded)
        })?;
        return Ok(Request { entry: None, format, jsonp: jsonp(&query, format) });
    };
    let Some(entry) = context.registry.find(sid) else {
        return Err(match context.count_unknown_session(address) {
            Ok(()) => HandshakeError::SessionIdUnknown.into(),
            Err(exceeded) => Refusal::TooMany(exceeded),
        });
    };
    let origin = request_head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if !entry.allows_origin(origin) {
        let event = Event::ForeignSession;
        context.record_request(event, address, &request_head.headers, "session of another page");
        return Err(HandshakeError::SessionIdUnknown.into());
    }
    let format = entry.format();
    query.check_follow_up(format.revision(), is_upgrade)?;
    // A session that is on a WebSocket has no more requests.
    match entry.transport() {
        Transport::Polling => Ok(Request { entry: Some(entry), format, jsonp: jsonp(&query, format) }),
        Transport::Websocket => Err(HandshakeError::BadRequest.into()),
    }
}

/// Only revision 3 knows of scripts.
fn jsonp(query: &Query<'_>, format: Format) -> Option<u32> {
    query.jsonp.filter(|_| format.revision() == Revision::V3)
}

/// What is kept of the request that begins a session. Any page can have a script element, so what its browser adds
/// to the request of one counts for nothing.
pub(super) fn handshake(
    context: &Context,
    request_head: &Parts,
    address: IpAddr,
    is_script: bool,
) -> Handshake {
    let headers = &request_head.headers;
    let query = request_head.uri.query().unwrap_or("");
    let is_trusted_page = !is_script && context.origins.trusts_page(headers);
    Handshake::new(address, context.clock.now(), query, headers, is_trusted_page)
}

/// The first packet of a session.
pub(super) fn open_packet(context: &Context, sid: &Sid, upgrades: &[Cow<'_, str>]) -> String {
    let packet = OpenPacket {
        sid: sid.as_str().into(),
        upgrades: upgrades.into(),
        ping_interval_ms: context.session.ping_interval_ms,
        ping_timeout_ms: context.session.ping_timeout_ms,
        max_payload: context.limits.message_bytes,
    };
    packet.encode()
}
