//! `/api/decisions`: the last security decisions.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AdminPage,
    guard::Seeing,
    paging::{Asked, cursor, limit, position, wrong_cursor},
    routes::Routes,
};
use crate::rest::ApiError;

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/decisions", list)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    kind: Kind,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    All,
    Failures,
}

async fn list(
    State(page): State<Arc<AdminPage>>,
    Seeing(_): Seeing,
    Asked(which): Asked<Which>,
) -> Result<Json<Value>, ApiError> {
    let limit = limit(which.limit, &page)?;
    let before = position(which.cursor.as_deref())?;
    let before = before.map(|id| id.parse().map_err(|_| wrong_cursor())).transpose()?;
    let recent = page.context().audit.recent();
    let mut decisions = recent.page(before, which.kind == Kind::Failures, limit + 1);
    let has_more = decisions.len() > limit;
    decisions.truncate(limit);
    let next = decisions.last().filter(|_| has_more).map(|last| cursor(&last.id.to_string()));
    Ok(Json(json!({ "decisions": decisions, "next": next })))
}
