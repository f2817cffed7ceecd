//! Where a request goes that hyper has read: Engine.IO, or the router of everything else.

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use roomkey_hub::Shard;
use tower::ServiceExt;

use super::{Verdict, head::has_unclear_end, origin::expose, rewind::Rewind};
use crate::{
    context::Context,
    transport::{
        polling,
        websocket::{self, Arrival},
    },
};

/// Where the client is that sent a request, as an extension for the router's handlers.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Answers one request, and says whether it is the last on its connection.
pub(super) async fn respond(
    context: Arc<Context>,
    shard: usize,
    router: Router,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    // If there was a length beside the chunks, hyper has left it out: nothing behind such a request is read. Nor is
    // what may be meant for another protocol.
    let ambiguous = [header::TRANSFER_ENCODING, header::UPGRADE];
    let is_last = ambiguous.iter().any(|name| request.headers().contains_key(name));
    let response = answer(context, shard, router, peer, request).await?;
    Ok(match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => response,
        // The rest of the body is not read, so that no other request is found behind it.
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => last(response),
        _ if is_last => last(response),
        _ => response,
    })
}

async fn answer(
    context: Arc<Context>,
    shard: usize,
    router: Router,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    let address = context.trusted_proxies.client_address(peer, &head.headers);
    if !is_for_us(&context, &head) {
        context.refuse_origin(address, &head.headers, "unknown host");
        return Ok(status(StatusCode::MISDIRECTED_REQUEST));
    }
    if let Some(preflight) = context.origins.preflight(&head.method, &head.headers) {
        return Ok(preflight);
    }
    if has_unclear_end(&head.headers) {
        return Ok(last(status(StatusCode::BAD_REQUEST)));
    }
    let mut cors = HeaderMap::new();
    context.origins.add_cors(&head.headers, &mut cors);
    let mut response = if is_engine_path(&context, &head) {
        let shard = &context.node.hub().shards()[shard];
        if websocket::is_upgrade(&head.headers) {
            upgrade(&context, shard, head, address)
        } else {
            polling::respond(&context, shard, &head, body, address).await
        }
    } else if context.origins.check(&head.headers) == Verdict::Denied && !head.method.is_safe() {
        context.refuse_origin(address, &head.headers, "origin not allowed");
        status(StatusCode::FORBIDDEN)
    } else {
        head.extensions.insert(ClientAddress(address));
        let request = Request::from_parts(head, Body::new(body));
        router.oneshot(request).await?
    };
    for (name, value) in &cors {
        // The router may have its own reasons for the answer to vary.
        response.headers_mut().append(name, value.clone());
    }
    expose(response.headers_mut());
    Ok(response)
}

/// The last response on its connection.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Whether the request names us: a page of another name that points to this machine must not get through.
pub(super) fn is_for_us(context: &Context, head: &Parts) -> bool {
    !context.check_host || context.origins.knows_host(head.headers.get(header::HOST))
}

pub(super) fn is_engine_path(context: &Context, head: &Parts) -> bool {
    head.uri.path().starts_with(&*context.path)
}

/// Answers with 101 and takes the connection over once hyper has let go of it.
fn upgrade(context: &Arc<Context>, shard: &Shard, mut head: Parts, address: IpAddr) -> Response<Body> {
    let opening = match websocket::check(context, &head, address) {
        Ok(opening) => opening,
        Err(refusal) => {
            let mut response = Response::new(Body::from(refusal.message));
            *response.status_mut() = refusal.status;
            let headers = response.headers_mut();
            *headers = *refusal.headers;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            return last(response);
        }
    };
    let Some(on_upgrade) = head.extensions.remove::<hyper::upgrade::OnUpgrade>() else {
        return status(StatusCode::BAD_REQUEST);
    };
    let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, opening.accept.parse().expect("base64"));
    if let Some(extensions) = opening.extensions {
        headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(extensions));
    }
    let (context, shard) = (context.clone(), shard.index());
    tokio::spawn(async move {
        let Ok(upgraded) = on_upgrade.await else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Rewind>>() else { return };
        let (read_before, stream) = parts.io.into_inner().into_parts();
        let unread = [&parts.read_buf[..], &read_before].concat();
        let shard = &context.node.hub().shards()[shard];
        let arrival = Arrival { request_head: &head, address, stream, unread, answer: Vec::new() };
        if let Err(error) = websocket::begin(&context, shard, opening, arrival).await {
            tracing::debug!(%error, "a client went away while its WebSocket was opened");
        }
    });
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
