//! Receipts and what waits: `/api/messages/{id}/...` and `/api/offline`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use roomkey_chat::{MarkedView, OfflinePage, OfflineRequest, StatusRequest, StatusView, WaitingPage};
use roomkey_model::{ErrorCode, UserId};
use roomkey_store::Receipt;
use serde::Deserialize;

use super::{
    Api, ApiError,
    channels::{channel_id, wrong_query},
    extract::{Authenticated, PathParts},
    messages::{count, message_id},
    routes::{Operation, Proof, Routes},
};

pub(super) fn routes() -> Routes {
    const DENIED: &[ErrorCode] =
        &[ErrorCode::BadPayload, ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const TAG: &str = "delivery";
    const LIMIT: (&str, &str) = ("limit", "How many at most");
    let get = |path, summary| Operation::get(path, TAG, summary).needs(Proof::Token);
    let post = |path, summary| {
        Operation::post(path, TAG, summary).needs(Proof::Token).answers(200, "Watermarks").refuses(&[
            ErrorCode::Forbidden,
            ErrorCode::RateLimited,
            ErrorCode::Unavailable,
        ])
    };
    Routes::new()
        .add(
            get("/api/offline", "What waits for the user, by channel and in all")
                .answers(200, "Waiting")
                .refuses(&[ErrorCode::RateLimited, ErrorCode::Unavailable]),
            waiting,
        )
        .add(
            get("/api/channels/{id}/offline", "The oldest messages that have not been delivered to the user")
                .query(&[LIMIT])
                .answers(200, "OfflineMessages")
                .refuses(DENIED),
            offline,
        )
        .add(
            get("/api/messages/{id}/status", "What has become of a message")
                .query(&[("after", "The id of the recipient before the page"), LIMIT])
                .answers(200, "MessageStatus")
                .refuses(DENIED),
            status,
        )
        .add(
            post("/api/messages/{id}/delivered", "Say that a message, and all before it, have arrived"),
            async |state: State<_>, user: Authenticated, id: PathParts<_>| {
                mark(state, user, id, Receipt::Delivered).await
            },
        )
        .add(
            post("/api/messages/{id}/seen", "Say that a message, and all before it, were read"),
            async |state: State<_>, user: Authenticated, id: PathParts<_>| {
                mark(state, user, id, Receipt::Seen).await
            },
        )
}

async fn waiting(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
) -> Result<Json<WaitingPage>, ApiError> {
    count(&api, &identity)?;
    Ok(Json(api.chat.waiting(&identity).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfflineQuery {
    limit: Option<usize>,
}

async fn offline(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    query: Result<Query<OfflineQuery>, QueryRejection>,
) -> Result<Json<OfflinePage>, ApiError> {
    count(&api, &identity)?;
    let Query(OfflineQuery { limit }) = query.map_err(wrong_query)?;
    let request = OfflineRequest { channel_id: channel_id(channel)?, limit };
    Ok(Json(api.chat.offline(&identity, request)?.await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    after: Option<UserId>,
    limit: Option<usize>,
}

async fn status(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(message): PathParts<String>,
    query: Result<Query<StatusQuery>, QueryRejection>,
) -> Result<Json<StatusView>, ApiError> {
    count(&api, &identity)?;
    let Query(StatusQuery { after, limit }) = query.map_err(wrong_query)?;
    let request = StatusRequest { message_id: message_id(message)?, after, limit };
    Ok(Json(api.chat.message_status(&identity, request)?.await?))
}

async fn mark(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(message): PathParts<String>,
    receipt: Receipt,
) -> Result<Json<MarkedView>, ApiError> {
    count(&api, &identity)?;
    Ok(Json(api.chat.mark(&identity, message_id(message)?, receipt).await?))
}
