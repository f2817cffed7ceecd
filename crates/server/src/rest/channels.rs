//! `/api/channels/...`: channels, their members and their history.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::{Method, StatusCode};
use roomkey_chat::{
    ChannelList, ChannelPatch, ChannelView, HistoryRequest, ListRequest, MemberPage, MessagePage, NewChannel,
};
use roomkey_model::Role;
use roomkey_model::{ChannelId, ErrorCode, Failure, Seq, UserId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    extract::{Authenticated, JsonBody, PathParts},
    messages::count,
    routes::{Operation, Proof, Routes},
};

pub(super) fn routes() -> Routes {
    const CREATE: &[ErrorCode] = &[ErrorCode::LimitExceeded, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const DENIED: &[ErrorCode] =
        &[ErrorCode::BadPayload, ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const ADD: &[ErrorCode] = &[
        ErrorCode::Forbidden,
        ErrorCode::LastOwner,
        ErrorCode::LimitExceeded,
        ErrorCode::NotFound,
        ErrorCode::RateLimited,
        ErrorCode::Unavailable,
    ];
    const UPDATE: &[ErrorCode] = &[ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const JOIN: &[ErrorCode] =
        &[ErrorCode::Forbidden, ErrorCode::LimitExceeded, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const LEAVE: &[ErrorCode] =
        &[ErrorCode::Forbidden, ErrorCode::LastOwner, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const LIMIT: (&str, &str) = ("limit", "How many at most");
    let operation =
        |method, path, summary| Operation::new(method, path, "channels", summary).needs(Proof::Token);
    Routes::new()
        .add(
            operation(Method::GET, "/api/channels", "Channels of the user, and public ones")
                .query(&[
                    ("scope", "`mine` or `public`; without it, the first page of both"),
                    ("after", "The id of the channel before the page"),
                    LIMIT,
                ])
                .answers(200, "Channels")
                .refuses(&[ErrorCode::BadPayload, ErrorCode::RateLimited, ErrorCode::Unavailable]),
            list,
        )
        .add(
            operation(Method::POST, "/api/channels", "Create a channel, and own it")
                .takes("NewChannel")
                .answers(201, "CreatedChannel")
                .refuses(CREATE),
            create,
        )
        .add(
            operation(Method::PATCH, "/api/channels/{id}", "Change a channel, or archive it")
                .takes("ChannelPatch")
                .answers(200, "CreatedChannel")
                .refuses(UPDATE),
            update,
        )
        .add(
            operation(Method::POST, "/api/channels/{id}/join", "Become a member of a public channel")
                .answers(200, "CreatedChannel")
                .refuses(JOIN),
            join,
        )
        .add(operation(Method::POST, "/api/channels/{id}/leave", "Stop being a member").refuses(LEAVE), leave)
        .add(
            operation(Method::GET, "/api/channels/{id}/members", "The members of a channel")
                .query(&[("after", "The id of the user before the page"), LIMIT])
                .answers(200, "Members")
                .refuses(DENIED),
            members,
        )
        .add(
            operation(
                Method::POST,
                "/api/channels/{id}/members",
                "Make a user a member, or give a member a role",
            )
            .takes("NewMember")
            .answers(201, "AddedMember")
            .refuses(ADD),
            add_member,
        )
        .add(
            operation(Method::DELETE, "/api/channels/{id}/members/{userId}", "Remove a member")
                .refuses(LEAVE),
            remove_member,
        )
        .add(
            operation(Method::GET, "/api/channels/{id}/messages", "A stretch of the history, oldest first")
                .query(&[
                    ("before", "The newest before this number"),
                    ("after", "The oldest after this number"),
                    LIMIT,
                ])
                .answers(200, "Messages")
                .refuses(DENIED),
            history,
        )
}

/// One scope with its cursor; or, without a scope, the first page of both, each channel once.
async fn list(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    query: Result<Query<ListRequest>, QueryRejection>,
) -> Result<Json<ChannelList>, ApiError> {
    count(&api, &identity)?;
    let Query(request) = query.map_err(wrong_query)?;
    Ok(Json(api.chat.list_channels(&identity, &request).await?))
}

async fn create(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    JsonBody(new): JsonBody<NewChannel>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    count(&api, &identity)?;
    let joined = api.chat.create_channel(&identity, new).await?;
    Ok((StatusCode::CREATED, Json(json!({ "channel": ChannelView::from(&joined) }))))
}

async fn update(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    JsonBody(patch): JsonBody<ChannelPatch>,
) -> Result<Json<Value>, ApiError> {
    count(&api, &identity)?;
    let channel = api.chat.update_channel(&identity, &channel_id(channel)?, patch).await?;
    Ok(Json(json!({ "channel": ChannelView::new(&channel, None) })))
}

async fn join(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    count(&api, &identity)?;
    let joined = api.chat.join_channel(&identity, &channel_id(channel)?).await?;
    Ok(Json(json!({ "channel": ChannelView::from(&joined) })))
}

async fn leave(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
) -> Result<StatusCode, ApiError> {
    count(&api, &identity)?;
    api.chat.remove_member(&identity, &channel_id(channel)?, &identity.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MembersQuery {
    after: Option<UserId>,
    limit: Option<usize>,
}

async fn members(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    query: Result<Query<MembersQuery>, QueryRejection>,
) -> Result<Json<MemberPage>, ApiError> {
    count(&api, &identity)?;
    let Query(query) = query.map_err(wrong_query)?;
    let channel = channel_id(channel)?;
    Ok(Json(api.chat.members(&identity, &channel, query.after.as_ref(), query.limit).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewMember {
    user_id: Option<UserId>,
    username: Option<String>,
    #[serde(default = "member")]
    role: Role,
}

fn member() -> Role {
    Role::Member
}

async fn add_member(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    JsonBody(new): JsonBody<NewMember>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    count(&api, &identity)?;
    let channel = channel_id(channel)?;
    let user = match (new.user_id, new.username) {
        (Some(user), None) => user,
        (None, Some(username)) => {
            // First: which names there are is for those who may add them.
            api.chat.may_manage_members(&identity, &channel).await?;
            let account = api.store.account_by_username(&username).await.map_err(Failure::from)?;
            account
                .map(|account| account.user)
                .ok_or_else(|| Failure::with_message(ErrorCode::NotFound, "There is no such user"))?
        }
        _ => return Err(Failure::bad_payload("exactly one of userId and username must be given").into()),
    };
    api.chat.add_member(&identity, &channel, &user, new.role).await?;
    Ok((StatusCode::CREATED, Json(json!({ "member": { "userId": user, "role": new.role } }))))
}

async fn remove_member(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts((channel, user)): PathParts<(String, String)>,
) -> Result<StatusCode, ApiError> {
    count(&api, &identity)?;
    let user = UserId::new(user).map_err(|_| Failure::forbidden())?;
    api.chat.remove_member(&identity, &channel_id(channel)?, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryCursor {
    before: Option<Seq>,
    after: Option<Seq>,
    limit: Option<usize>,
}

async fn history(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
    PathParts(channel): PathParts<String>,
    query: Result<Query<HistoryCursor>, QueryRejection>,
) -> Result<Json<MessagePage>, ApiError> {
    count(&api, &identity)?;
    let Query(HistoryCursor { before, after, limit }) = query.map_err(wrong_query)?;
    let request = HistoryRequest { channel_id: channel_id(channel)?, before, after, limit };
    Ok(Json(api.chat.history(&identity, request).await?))
}

/// An id that cannot be one is the id of a channel that does not exist.
pub(super) fn channel_id(text: String) -> Result<ChannelId, Failure> {
    ChannelId::new(text).map_err(|_| Failure::forbidden())
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err passes it")]
pub(super) fn wrong_query(rejection: QueryRejection) -> Failure {
    Failure::bad_payload(rejection.body_text())
}
