//! Invites to channels.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::{Method, StatusCode};
use roomkey_chat::{ChannelView, IssuedInvite, NewInvite};
use roomkey_model::ErrorCode;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    channels::channel_id,
    extract::{Authenticated, OptionalJsonBody, PathParts},
    messages::count,
    routes::{Operation, Proof, Routes},
};

pub(super) fn routes() -> Routes {
    const REFUSALS: &[ErrorCode] =
        &[ErrorCode::Forbidden, ErrorCode::LimitExceeded, ErrorCode::RateLimited, ErrorCode::Unavailable];
    let operation = |path, summary| {
        Operation::new(Method::POST, path, "channels", summary).needs(Proof::Token).refuses(REFUSALS)
    };
    Routes::new()
        .add(
            operation("/api/channels/{id}/invites", "Make an invite to a channel; its text is told once")
                .may_take("NewInvite")
                .answers(201, "IssuedInvite"),
            create,
        )
        .add(
            operation("/api/invites/{invite}", "Become a member by an invite").answers(200, "CreatedChannel"),
            accept,
        )
}

async fn create(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    OptionalJsonBody(new): OptionalJsonBody<NewInvite>,
) -> Result<(StatusCode, Json<IssuedInvite>), ApiError> {
    count(&api, &identity)?;
    let invite = api.chat.invite(&identity, &channel_id(channel)?, new).await?;
    Ok((StatusCode::CREATED, Json(invite)))
}

async fn accept(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(invite): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    count(&api, &identity)?;
    let joined = api.chat.use_invite(&identity, &invite).await?;
    Ok(Json(json!({ "channel": ChannelView::from(&joined) })))
}
