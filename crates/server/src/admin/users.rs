//! `/api/users`: accounts, and whoever else is there.

use std::sync::Arc;

use axum::{Json, extract::State};
use roomkey_model::{ErrorCode, Failure, UserId};
use roomkey_store::{Account, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AdminPage, connections,
    guard::{PathParts, Seeing},
    paging::{Asked, cursor, limit, non_empty, position, wrong_cursor},
    routes::Routes,
    selection::Filter,
};
use crate::rest::ApiError;

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/users", list).get("/api/users/{id}", one)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default, deserialize_with = "non_empty")]
    q: Option<String>,
}

async fn list(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    Asked(which): Asked<Which>,
) -> Result<Json<Value>, ApiError> {
    let limit = limit(which.limit, &page)?;
    let after = position(which.cursor.as_deref())?.map(|user| UserId::new(user).map_err(|_| wrong_cursor()));
    let (after, text) = (after.transpose()?, which.q.unwrap_or_default());
    let store = &page.api.store;
    // One after the other: the store has few readers, and clients wait for them.
    let mut found = store.find_accounts(&text, after.as_ref(), limit + 1).await.map_err(Failure::from)?;
    let total = store.count_accounts(&text).await.map_err(Failure::from)?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| cursor(last.user.as_str()));
    let users: Vec<_> = found.iter().map(|account| view(&page, &account.user, Some(account))).collect();
    Ok(Json(json!({ "users": users, "next": next, "total": total })))
}

async fn one(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    PathParts(id): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    let user = user(&id)?;
    let account = page.api.store.account(&user).await.map_err(Failure::from)?;
    let filter = Filter { user: Some(user.clone()), ..Filter::default() };
    let found = filter.page(page.context(), None, page.api.limits.admin_page_entries).await;
    let is_known = account.is_some()
        || found.total > 0
        || page.api.accounts.is_blocked(&user)
        || page.api.store.profile(&user).await.map_err(Failure::from)?.is_some();
    if !is_known {
        return Err(ErrorCode::NotFound.into());
    }
    let sessions = page.api.accounts.sessions(&user).await?;
    let connections: Vec<_> =
        found.sockets.iter().filter_map(|socket| connections::view(&page, socket)).collect();
    Ok(Json(json!({
        "user": view(&page, &user, account.as_ref()),
        "sessions": sessions.iter().map(session).collect::<Vec<_>>(),
        "connections": connections,
    })))
}

/// The user of this id; there may be none.
pub(super) fn user(id: &str) -> Result<UserId, Failure> {
    UserId::new(id).map_err(|_| ErrorCode::NotFound.into())
}

fn view(page: &AdminPage, user: &UserId, account: Option<&Account>) -> Value {
    json!({
        "id": user,
        "email": account.map(|account| &account.email),
        "username": account.and_then(|account| account.username.as_ref()),
        "created": account.map(|account| account.created.to_rfc3339()),
        "blocked": page.api.accounts.is_blocked(user),
        "online": page.context().live_tokens.sockets().of_user(user).len(),
    })
}

fn session(session: &Session) -> Value {
    json!({
        "id": session.session,
        "created": session.created.to_rfc3339(),
        "seen": session.seen.to_rfc3339(),
        "userAgent": session.user_agent,
        "address": session.address,
    })
}
