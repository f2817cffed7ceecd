//! `/api/connections`: who is connected, from where, with which session and token.

use std::sync::Arc;

use axum::{Json, extract::State};
use roomkey_auth::{Identity, Scopes};
use roomkey_model::{ErrorCode, Failure, RoomName, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AdminPage,
    guard::{PathParts, Seeing},
    paging::{Asked, cursor, limit, non_empty, position, wrong_cursor},
    routes::Routes,
    selection::Filter,
};
use crate::{
    Socket,
    audit::{session_tag, tag},
    rest::ApiError,
};

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/connections", list).get("/api/connections/{socket}", one)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    q: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    user: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    room: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    namespace: Option<String>,
}

async fn list(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    Asked(which): Asked<Which>,
) -> Result<Json<Value>, ApiError> {
    let limit = limit(which.limit, &page)?;
    let before = position(which.cursor.as_deref())?;
    let before = before.map(|serial| serial.parse().map_err(|_| wrong_cursor())).transpose()?;
    let user = which.user.map(UserId::new).transpose();
    let user = user.map_err(|problem| Failure::bad_payload(format!("user: {problem}")))?;
    let room = which.room.map(|room| self::room(&room)).transpose()?;
    let filter = Filter { text: which.q, user, room, namespace: which.namespace, address: None };
    let found = filter.page(page.context(), before, limit).await;
    let next = found.next.map(|serial| cursor(&serial.to_string()));
    let connections: Vec<_> = found.sockets.iter().filter_map(|socket| view(&page, socket)).collect();
    Ok(Json(json!({ "connections": connections, "next": next, "total": found.total })))
}

async fn one(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    PathParts(id): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    let socket = find(&page, &id).await?;
    let mut body = view(&page, &socket).ok_or(ErrorCode::NotFound)?;
    let hub = page.context().node.hub();
    let mut rooms = hub.shard_of(socket.key().connection()).rooms_seen(socket.key());
    rooms.sort();
    body["roomNames"] = json!(rooms);
    Ok(Json(body))
}

/// The socket of this public id.
pub(super) async fn find(page: &AdminPage, id: &str) -> Result<Socket, Failure> {
    let found = Filter::default().collect(page.context(), |socket| socket.id().as_str() == id).await;
    found.into_iter().next().ok_or_else(|| ErrorCode::NotFound.into())
}

pub(super) fn room(name: &str) -> Result<RoomName, Failure> {
    RoomName::new(name).map_err(|problem| Failure::bad_payload(format!("room: {problem}")))
}

/// What is shown of a socket; nothing of one that has ended. Of its token and session no more than tells them apart.
pub(super) fn view(page: &AdminPage, socket: &Socket) -> Option<Value> {
    let identity = socket.identity()?;
    let hub = page.context().node.hub();
    let seen = hub.shard_of(socket.key().connection()).look_at(socket.key())?;
    let handshake = socket.handshake();
    Some(json!({
        "socket": socket.id().as_str(),
        "namespace": &**socket.namespace(),
        "user": { "id": identity.user, "name": identity.name.as_deref() },
        "address": handshake.address,
        "userAgent": handshake.header("user-agent"),
        "origin": handshake.header("origin"),
        "transport": if seen.is_polling { "polling" } else { "websocket" },
        "connectedAt": handshake.issued.to_rfc3339(),
        "recovered": socket.recovered(),
        "rooms": seen.rooms,
        "session": identity.session.as_ref().map(|session| {
            // That of another issuer cannot be ended here, and may be worth something there.
            json!({ "tag": session_tag(session), "id": is_ours(page, &identity).then_some(session) })
        }),
        "token": token(&identity),
    }))
}

fn is_ours(page: &AdminPage, identity: &Identity) -> bool {
    page.api.issuer.as_ref().is_some_and(|issuer| *issuer.issuer() == *identity.issuer)
}

fn token(identity: &Identity) -> Value {
    let roles: Vec<&str> = identity.roles.iter().map(AsRef::as_ref).collect();
    json!({
        "issuer": &*identity.issuer,
        "keyId": identity.key_id.as_deref(),
        "tag": tag(identity.token.as_str()),
        "issuedAt": identity.issued_at.map(roomkey_model::Timestamp::to_rfc3339),
        "expiresAt": identity.expires_at.map(roomkey_model::Timestamp::to_rfc3339),
        "roles": roles,
        "scopes": (identity.scopes != Scopes::ALL).then(|| identity.scopes.names()),
    })
}
