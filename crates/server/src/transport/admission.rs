//! What both transports ask of a request, and tell a client that begins: one door for all.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use http::{header, request::Parts};
use roomkey_protocol::engine::{
    Handshake as OpenPacket,
    query::{HandshakeError, Query, Transport},
};

use crate::{
    Handshake,
    context::Context,
    http::Verdict,
    registry::{Entry, Sid},
};

/// Checks a request in the reference server's order (transport, origin, session, version) and finds its session;
/// `None` is a handshake.
pub(super) fn check(
    context: &Context,
    request_head: &Parts,
    is_upgrade: bool,
) -> Result<Option<Arc<Entry>>, HandshakeError> {
    let query = Query::parse(request_head.uri.query().unwrap_or(""))?;
    let is_offered = match query.transport {
        Transport::Polling => context.transports.polling,
        Transport::Websocket => context.transports.websocket,
    };
    if !is_offered {
        return Err(HandshakeError::TransportUnknown);
    }
    match context.origins.check(&request_head.headers) {
        Verdict::Allowed | Verdict::NoOrigin => {}
        Verdict::Denied => {
            context.metrics.origins_refused.increment();
            return Err(HandshakeError::Forbidden);
        }
        Verdict::Malformed => return Err(HandshakeError::BadRequest),
    }
    let Some(sid) = &query.sid else {
        query.check_handshake(request_head.method.as_str(), is_upgrade)?;
        query.check_version()?;
        return Ok(None);
    };
    let entry = context.registry.find(sid).ok_or(HandshakeError::SessionIdUnknown)?;
    let origin = request_head.headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if !entry.allows_origin(origin) {
        return Err(HandshakeError::SessionIdUnknown);
    }
    query.check_follow_up(is_upgrade)?;
    // A session that is on a WebSocket has no more requests.
    match entry.transport() {
        Transport::Polling => Ok(Some(entry)),
        Transport::Websocket => Err(HandshakeError::BadRequest),
    }
}

/// What is kept of the request that begins a session.
pub(super) fn handshake(context: &Context, request_head: &Parts, address: IpAddr) -> Handshake {
    let headers = &request_head.headers;
    let query = request_head.uri.query().unwrap_or("");
    Handshake::new(address, context.clock.now(), query, headers, context.origins.trusts_page(headers))
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
