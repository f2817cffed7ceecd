//! Messages: to send, edit and delete them. What is sent so is told to sockets as if a socket had sent it.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::{Method, StatusCode};
use roomkey_auth::Identity;
use roomkey_chat::{MessageView, NewMessage};
use roomkey_model::{ErrorCode, Failure, Limit, MessageId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    channels::channel_id,
    extract::{Authenticated, JsonBody, PathParts},
    routes::{Operation, Proof, Routes},
};

pub(super) fn routes() -> Routes {
    const WRITE: &[ErrorCode] =
        &[ErrorCode::ChannelArchived, ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const DELETE: &[ErrorCode] = &[ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    let operation =
        |method, path, summary| Operation::new(method, path, "messages", summary).needs(Proof::Token);
    Routes::new()
        .add(
            operation(Method::POST, "/api/channels/{id}/messages", "Send a message")
                .takes("NewMessage")
                .answers(201, "SentMessage")
                .refuses(WRITE),
            send,
        )
        .add(
            operation(Method::PATCH, "/api/messages/{id}", "Change what a message of one's own says")
                .takes("MessagePatch")
                .answers(200, "SentMessage")
                .refuses(WRITE),
            edit,
        )
        .add(
            operation(Method::DELETE, "/api/messages/{id}", "Delete a message: one's own, or as a moderator")
                .refuses(DELETE),
            delete,
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Content {
    content: String,
    client_id: Option<String>,
}

async fn send(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    JsonBody(Content { content, client_id }): JsonBody<Content>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    count(&api, &identity)?;
    let new = NewMessage { channel_id: channel_id(channel)?, content, client_id };
    let sent = api.chat.send(&identity, new)?.await?;
    Ok((StatusCode::CREATED, Json(json!({ "message": MessageView::from(&sent) }))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContent {
    content: String,
}

async fn edit(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(message): PathParts<String>,
    JsonBody(NewContent { content }): JsonBody<NewContent>,
) -> Result<Json<Value>, ApiError> {
    count(&api, &identity)?;
    let edited = api.chat.edit(&identity, message_id(message)?, content)?.await?;
    Ok(Json(json!({ "message": MessageView::from(&edited) })))
}

async fn delete(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(message): PathParts<String>,
) -> Result<StatusCode, ApiError> {
    count(&api, &identity)?;
    api.chat.delete(&identity, message_id(message)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An id that cannot be one is the id of a message that does not exist.
pub(super) fn message_id(text: String) -> Result<MessageId, Failure> {
    MessageId::try_from(text).map_err(|_| Failure::forbidden())
}

/// Counts an event of the user, whichever way it came.
pub(super) fn count(api: &Api, identity: &Identity) -> Result<(), Failure> {
    let share = api.server.context.rates.user_events.enter(&identity.user);
    share.take_now().map_err(|wait_ms| Failure::rate_limited(wait_ms).at(Limit::EventsPerUser))
}
