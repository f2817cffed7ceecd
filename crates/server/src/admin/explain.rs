//! `/api/policy/explain`: who may do what, and by which rule.

use std::sync::Arc;

use axum::{Json, extract::State};
use roomkey_auth::Identity;
use roomkey_chat::{Asked, Explained};
use roomkey_model::UserId;
use serde::Deserialize;

use super::{
    AdminPage,
    guard::{Body, Seeing},
    routes::Routes,
};
use crate::rest::ApiError;

pub(super) fn routes() -> Routes {
    Routes::new().post("/api/policy/explain", explain)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    user: UserId,
    action: String,
    room: Option<String>,
    author: Option<String>,
    /// Those that the user's token would have; without them, those of the user's live token, if there is one.
    roles: Option<Vec<String>>,
}

async fn explain(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    Body(question): Body<Question>,
) -> Result<Json<Explained>, ApiError> {
    let Question { user, action, room, author, roles } = question;
    let access = page.api.chat.access();
    let live = access.live_identity(&user);
    let (identity, is_shown) = match (roles, live) {
        (None, Some(live)) => (live, true),
        (None, None) => (Arc::new(Identity::without_token(user)), false),
        (Some(roles), live) => {
            let identity = live.map_or_else(|| Identity::without_token(user), Arc::unwrap_or_clone);
            let roles = roles.into_iter().map(Into::into).collect();
            (Arc::new(Identity { roles, ..identity }), true)
        }
    };
    let asked = Asked { action, room, author };
    Ok(Json(access.explain(&*page.api.store, &identity, is_shown, &asked).await?))
}
