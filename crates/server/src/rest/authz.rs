//! `/api/authz/explain`: who may do what here, and by which rule.

use std::sync::Arc;

use axum::{
    Json,
    extract::{FromRequestParts, Query, State, rejection::QueryRejection},
};
use http::request::Parts;
use roomkey_auth::Identity;
use roomkey_chat::{Asked, Explained};
use roomkey_model::{ErrorCode, Failure, UserId};
use serde::Deserialize;

use super::{
    Api, ApiError,
    backends::authorize,
    extract::{Authenticated, Client},
    routes::{Operation, Proof, Routes},
};
use crate::{api_keys::Scope, audit::Event};

pub(super) fn routes() -> Routes {
    Routes::new().add(
        Operation::get("/api/authz/explain", "authorization", "Who may do what here, and by which rule")
            .needs(Proof::Token)
            .query(&[
                (
                    "action",
                    "`create`, `delete`, `edit`, `join`, `leave`, `manage`, `read`, `send` or `update`",
                ),
                ("room", "A room as `joinRoom` takes it; for all actions but `create`"),
                ("author", "Whose message it is, for `delete` and `edit`; the user's own if it is not said"),
                ("user", "Somebody else: needs an API key of the scope `policy` in place of a token"),
            ])
            .answers(200, "Explanation")
            .refuses(&[ErrorCode::ApiKeyInvalid, ErrorCode::BadPayload, ErrorCode::InsufficientScope]),
        explain,
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainQuery {
    action: String,
    room: Option<String>,
    author: Option<String>,
    user: Option<String>,
}

impl ExplainQuery {
    fn asked(self) -> Asked {
        Asked { action: self.action, room: self.room, author: self.author }
    }
}

/// Users ask about themselves, by their token; backends about everybody.
struct About {
    identity: Arc<Identity>,
    is_shown: bool,
    asked: Asked,
}

impl FromRequestParts<Arc<Api>> for About {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let query: Result<Query<ExplainQuery>, QueryRejection> = Query::from_request_parts(parts, api).await;
        let wrong = |rejection: QueryRejection| Failure::bad_payload(rejection.body_text());
        let Some(user) = query.as_ref().ok().and_then(|Query(query)| query.user.clone()) else {
            let Authenticated(identity) = Authenticated::from_request_parts(parts, api).await?;
            return Ok(Self { identity, is_shown: true, asked: query.map_err(wrong)?.0.asked() });
        };
        let client = Client::from_request_parts(parts, api).await?;
        let key = authorize(api, &client, &parts.headers, Scope::Policy)?;
        let user = UserId::new(user).map_err(|error| Failure::bad_payload(format!("user: {error}")))?;
        client.record_key(api, Event::AdminAction, key, &format!("explain what user {user} may do"));
        let live = api.chat.access().live_identity(&user);
        let is_shown = live.is_some();
        let asked = query.map_err(wrong)?.0.asked();
        Ok(Self {
            identity: live.unwrap_or_else(|| Arc::new(Identity::without_token(user))),
            is_shown,
            asked,
        })
    }
}

async fn explain(State(api): State<Arc<Api>>, about: About) -> Result<Json<Explained>, ApiError> {
    let About { identity, is_shown, asked } = about;
    Ok(Json(api.chat.access().explain(&*api.store, &identity, is_shown, &asked).await?))
}
