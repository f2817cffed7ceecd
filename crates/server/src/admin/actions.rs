//! What admins do to the server. Each says why, and is in the audit log.

use std::sync::Arc;

use axum::{Json, extract::State};
use roomkey_model::{ErrorCode, Failure, RevocationReason, RoomName, SessionId, Timestamp, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AdminPage, connections,
    guard::{Acting, Body, PathParts, Sender},
    routes::Routes,
    selection::Filter,
    sessions::Current,
    users,
};
use crate::{
    audit::{Event, Record},
    rest::ApiError,
    serve::NAMESPACE,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/api/connections/{socket}/disconnect", disconnect)
        .post("/api/users/{id}/revoke", revoke)
        .post("/api/users/{id}/block", block)
        .post("/api/users/{id}/unblock", unblock)
        .post("/api/users/{id}/sessions/{sid}/end", end_session)
        .post("/api/rooms/{name}/kick", kick)
        .post("/api/notify", notify)
}

const REASON_CHARACTERS_MAX: usize = 200;

/// Why something is done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    #[serde(default)]
    reason: Option<String>,
}

/// The reason, which is a line of text.
pub(super) fn reason(given: Option<&str>) -> Result<&str, Failure> {
    let reason = given.unwrap_or_default().trim();
    match reason.is_empty() || reason.chars().count() > REASON_CHARACTERS_MAX {
        true => Err(ErrorCode::ReasonRequired.into()),
        false => Ok(reason),
    }
}

/// Somebody who is about to do something, for a reason.
pub(super) struct Actor<'a> {
    pub(super) page: &'a AdminPage,
    pub(super) sender: &'a Sender,
    pub(super) admin: &'a Current,
    pub(super) reason: &'a str,
}

impl Actor<'_> {
    /// Records what is done, which comes before waiting for what comes of it: whoever asked may be gone by then, and the
    /// server.
    pub(super) fn record(&self, what: &str) {
        let reason = format!("admin {}: {}", self.admin.name, self.reason);
        self.page.context().audit.record(&Record {
            address: Some(self.sender.address),
            reason: Some(&reason),
            target: Some(what),
            ..Record::new(Event::AdminAction)
        });
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    reason: Option<String>,
    /// Whether the connection ends, and not only its socket in this namespace.
    #[serde(default = "yes")]
    close: bool,
}

pub(super) fn yes() -> bool {
    true
}

async fn disconnect(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts(id): PathParts<String>,
    Body(body): Body<Disconnect>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let socket = connections::find(&page, &id).await?;
    let who = socket.user().map_or_else(String::new, |user| format!(" of user {user}"));
    socket.disconnect(body.close);
    let actor = Actor { page: &page, sender: &sender, admin: &admin, reason };
    actor.record(&format!("disconnect socket {id}{who}"));
    let meant = socket.id();
    page.context().live_tokens.wait_until_closed(vec![socket]).await;
    // Its client may just have gone.
    Filter::default().forget_parked(page.context(), |parked| parked.id == meant).await;
    Ok(Json(json!({ "socketsClosed": 1 })))
}

async fn revoke(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts(id): PathParts<String>,
    Body(body): Body<Because>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let (user, now) = (users::user(&id)?, page.api.clock.now());
    let (accounts, why) = (&page.api.accounts, RevocationReason::Revoked);
    let sweeping = accounts.begin_to_end_all_sessions(&user, Some(now), why).await?;
    Actor { page: &page, sender: &sender, admin: &admin, reason }.record(&format!("revoke user {user}"));
    let swept = sweeping.done().await;
    Ok(Json(json!({ "revoked": true, "socketsClosed": swept.sockets })))
}

async fn block(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts(id): PathParts<String>,
    Body(body): Body<Because>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let user = users::user(&id)?;
    let sweeping = page.api.accounts.begin_to_block(&user).await?;
    Actor { page: &page, sender: &sender, admin: &admin, reason }.record(&format!("block user {user}"));
    let swept = sweeping.done().await;
    Ok(Json(json!({ "socketsClosed": swept.sockets })))
}

async fn unblock(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts(id): PathParts<String>,
    Body(body): Body<Because>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let user = users::user(&id)?;
    let unblocked = page.api.accounts.unblock(&user).await?;
    Actor { page: &page, sender: &sender, admin: &admin, reason }.record(&format!("unblock user {user}"));
    Ok(Json(json!({ "unblocked": unblocked })))
}

async fn end_session(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts((id, sid)): PathParts<(String, String)>,
    Body(body): Body<Because>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let user = users::user(&id)?;
    let session = SessionId::new(sid).map_err(|_| ErrorCode::NotFound)?;
    let (accounts, why) = (&page.api.accounts, RevocationReason::Revoked);
    let sweeping = accounts.begin_to_end_session(&user, &session, why).await?.ok_or(ErrorCode::NotFound)?;
    let what = format!("end session {} of user {user}", crate::audit::session_tag(&session));
    Actor { page: &page, sender: &sender, admin: &admin, reason }.record(&what);
    Ok(Json(json!({ "socketsClosed": sweeping.done().await.sockets })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kick {
    reason: Option<String>,
    namespace: Option<String>,
    socket: Option<String>,
    user: Option<UserId>,
}

/// Takes sockets out of a room, and tells them so. Who may join may come back: that is for the policy and the channel.
async fn kick(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    PathParts(name): PathParts<String>,
    Body(body): Body<Kick>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let room = connections::room(&name)?;
    if page.api.chat.is_personal_room(&room) {
        let text = "Nobody is taken out of the room of their own: disconnect them, or revoke their tokens";
        return Err(Failure::with_message(ErrorCode::Forbidden, text).into());
    }
    let (user, whose) = match (body.user, &body.socket) {
        (Some(user), None) => (Some(user.clone()), format!("user {user}")),
        (None, Some(socket)) => (None, format!("socket {socket}")),
        _ => return Err(Failure::bad_payload("exactly one of socket and user must be given").into()),
    };
    let namespace = Some(body.namespace.unwrap_or_else(|| NAMESPACE.to_owned()));
    let filter = Filter { user, room: Some(room.clone()), namespace, ..Filter::default() };
    let is_meant = |id: &str| body.socket.as_deref().is_none_or(|socket| socket == id);
    let sockets = filter.collect(page.context(), |socket| is_meant(socket.id().as_str())).await;
    let away = filter.forget_parked(page.context(), |parked| is_meant(parked.id.as_str())).await;
    if sockets.len() + away == 0 {
        return Err(Failure::with_message(ErrorCode::NotFound, "Nobody who is meant is in this room").into());
    }
    for socket in &sockets {
        socket.leave(&room);
        if let Err(error) = socket.emit("room:evicted", &(json!({ "room": room }),)) {
            tracing::error!(%error, "an eviction cannot be told");
        }
    }
    let actor = Actor { page: &page, sender: &sender, admin: &admin, reason };
    actor.record(&format!("kick {whose} from room {room}"));
    Ok(Json(json!({ "sockets": sockets.len() + away })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notify {
    reason: Option<String>,
    to: To,
    notification: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum To {
    User(UserId),
    Room(RoomName),
    Everyone(bool),
}

async fn notify(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    Body(body): Body<Notify>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    if body.notification.is_null() {
        return Err(Failure::bad_payload("notification: must say something").into());
    }
    let everyone = page.api.server.everyone(NAMESPACE);
    let (broadcast, whom) = match &body.to {
        To::User(user) => {
            let room = roomkey_chat::personal_room(user)
                .map_err(|problem| Failure::bad_payload(format!("to: {problem}")))?;
            (everyone.to(&room), format!("user {user}"))
        }
        To::Room(room) => (everyone.to(room), format!("room {room}")),
        To::Everyone(true) => (everyone, "everyone".to_owned()),
        To::Everyone(false) => return Err(Failure::bad_payload("to: everyone must be true").into()),
    };
    let sent = broadcast.emit("notification", &(&body.notification,));
    sent.map_err(|_| Failure::from(ErrorCode::Internal))?;
    Actor { page: &page, sender: &sender, admin: &admin, reason }.record(&format!("notify {whom}"));
    Ok(Json(json!({ "at": Timestamp::to_rfc3339(page.api.clock.now()) })))
}
