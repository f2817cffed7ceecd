//! The requests of long-polling. Any shard serves any of them; the session's own task has the answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{body::Body, response::IntoResponse};
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use roomkey_hub::Shard;
use roomkey_model::Limit;
use roomkey_protocol::engine::{
    Handshake as OpenPacket, Revision, jsonp,
    payload::{self, Format},
    query::HandshakeError,
};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use super::admission::{self, Refusal, Request};
use crate::{
    connection::Connection,
    context::Context,
    newcomers::Newcomer,
    rates::Exceeded,
    registry::{Entry, Sid},
    transport::{Letter, PollAnswer, PostAnswer, Unsent},
};

/// How long the end of a request may be on its way, when the client's next one came to another thread: a request that
/// was given up is none beside it.
pub(crate) const SETTLING: Duration = Duration::from_millis(5);

/// Answers a request on the Engine.IO path that does not ask for a WebSocket.
pub(crate) async fn respond<B>(
    context: &Arc<Context>,
    shard: &Shard,
    request_head: &Parts,
    body: B,
    address: IpAddr,
) -> Response<Body>
where
    B: http_body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    match admission::check(context, request_head, address, false) {
        Err(Refusal::Invalid(error)) => refuse(error),
        Err(Refusal::TooMany(exceeded)) => too_many(&exceeded),
        Ok(Request { entry: None, format, jsonp }) => match context.admit(address) {
            Some(newcomer) => handshake(context, shard, request_head, address, newcomer, format, jsonp),
            None => empty(StatusCode::SERVICE_UNAVAILABLE),
        },
        Ok(Request { entry: Some(entry), jsonp, .. }) => match request_head.method {
            Method::GET => poll(&entry, jsonp, request_head.extensions.get()).await,
            Method::POST => post(context, &entry, request_head, body, jsonp.is_some()).await,
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        },
    }
}

fn handshake(
    context: &Arc<Context>,
    shard: &Shard,
    request_head: &Parts,
    address: IpAddr,
    newcomer: Newcomer,
    format: Format,
    jsonp: Option<u32>,
) -> Response<Body> {
    let sid = Sid::generate(&*context.entropy);
    let upgrades = if context.transports.websocket { OpenPacket::TO_WEBSOCKET } else { &[] };
    let open_packet = admission::open_packet(context, &sid, upgrades);
    let answer = packets(format.encode_one(&open_packet), jsonp);
    let handshake = admission::handshake(context, request_head, address, jsonp.is_some());
    tokio::spawn(Connection::open(context, shard, handshake, sid, newcomer, format, None).run());
    answer
}

async fn poll(entry: &Arc<Entry>, jsonp: Option<u32>, unsent: Option<&Unsent>) -> Response<Body> {
    let (answer, answered) = oneshot::channel();
    let Ok(abandoned) = hand_in(entry, Letter::Poll(answer)) else {
        return refuse(HandshakeError::SessionIdUnknown);
    };
    let answer = answered.await;
    abandoned.disarm();
    match answer {
        Ok(PollAnswer::Payload(payload)) => {
            if let Some(unsent) = unsent {
                unsent.begin(entry);
            }
            packets(payload, jsonp)
        }
        Ok(PollAnswer::Overlap) => empty(StatusCode::BAD_REQUEST),
        Err(_) => refuse(HandshakeError::SessionIdUnknown),
    }
}

async fn post<B>(
    context: &Context,
    entry: &Arc<Entry>,
    request_head: &Parts,
    body: B,
    is_form: bool,
) -> Response<Body>
where
    B: http_body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    if !entry.begin_post() {
        sleep(SETTLING).await;
        return match entry.mailbox.post(Letter::Overlap) {
            Ok(()) => empty(StatusCode::BAD_REQUEST),
            Err(_) => refuse(HandshakeError::SessionIdUnknown),
        };
    }
    let abandoned = Abandoned { entry: entry.clone(), is_armed: true };
    let is_binary = is_binary(request_head);
    if is_binary && entry.format().revision() == Revision::V4 {
        return empty(StatusCode::BAD_REQUEST);
    }
    if request_head.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let deadline = Duration::from_millis(context.limits.http_body_ms);
    let limits = &context.limits;
    let (limit, bytes_max) = if entry.is_authenticated() {
        (Limit::MessageBytes, limits.message_bytes)
    } else {
        (Limit::PreAuthBytes, limits.pre_auth_bytes)
    };
    let body = match timeout(deadline, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            context.metrics.limit_reached(limit);
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        }
        Ok(Err(_)) => return empty(StatusCode::BAD_REQUEST),
        Err(_) => {
            context.metrics.limit_reached(Limit::HttpBody);
            return empty(StatusCode::REQUEST_TIMEOUT);
        }
    };
    let Some(body) = payload(body.into(), is_binary, is_form) else { return empty(StatusCode::BAD_REQUEST) };
    let (answer, answered) = oneshot::channel();
    if entry.mailbox.post(Letter::Post { body, answer }).is_err() {
        return refuse(HandshakeError::SessionIdUnknown);
    }
    let answer = answered.await;
    abandoned.disarm();
    entry.end_post();
    match answer {
        Ok(PostAnswer::Taken) => text("text/html", "ok".to_owned()),
        Ok(PostAnswer::Refused) => empty(StatusCode::BAD_REQUEST),
        Err(_) => refuse(HandshakeError::SessionIdUnknown),
    }
}

/// Whether the body is of a kind that only older clients send; the session of another ends with it.
fn is_binary(request_head: &Parts) -> bool {
    let content_type = request_head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.eq_ignore_ascii_case(b"application/octet-stream"))
}

/// The body as packets are read from it; `None` if it cannot hold any.
fn payload(body: Vec<u8>, is_binary: bool, is_form: bool) -> Option<payload::Body> {
    if is_binary {
        return Some(payload::Body::Binary(body));
    }
    let text = String::from_utf8(body).ok()?;
    Some(payload::Body::Text(if is_form { jsonp::decode(&text).ok()? } else { text }))
}

/// Ends the session if the request it belongs to is given up, or goes wrong, before it is answered.
struct Abandoned {
    entry: Arc<Entry>,
    is_armed: bool,
}

fn hand_in(entry: &Arc<Entry>, letter: Letter) -> Result<Abandoned, Letter> {
    entry.mailbox.post(letter)?;
    Ok(Abandoned { entry: entry.clone(), is_armed: true })
}

impl Abandoned {
    fn disarm(mut self) {
        self.is_armed = false;
    }
}

impl Drop for Abandoned {
    fn drop(&mut self) {
        if self.is_armed {
            drop(self.entry.mailbox.post(Letter::Aborted));
        }
    }
}

pub(crate) fn refuse(error: HandshakeError) -> Response<Body> {
    let mut response = text("application/json", error.body());
    *response.status_mut() = StatusCode::from_u16(error.http_status()).expect("a status");
    response
}

/// The numbers of Engine.IO's errors are for what is wrong with a request: this has the code it has everywhere.
fn too_many(exceeded: &Exceeded) -> Response<Body> {
    let mut response = exceeded.into_response();
    // Whoever goes on has to connect anew each time.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Packets for the client.
fn packets(payload: payload::Body, jsonp: Option<u32>) -> Response<Body> {
    match (payload, jsonp) {
        (payload::Body::Binary(bytes), _) => respond_with("application/octet-stream", bytes.into()),
        (payload::Body::Text(payload), None) => text("text/plain; charset=UTF-8", payload),
        (payload::Body::Text(payload), Some(index)) => {
            text("text/javascript; charset=UTF-8", jsonp::encode(index, &payload))
        }
    }
}

fn text(content_type: &'static str, body: String) -> Response<Body> {
    respond_with(content_type, body.into())
}

fn respond_with(content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
