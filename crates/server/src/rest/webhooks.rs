//! `/api/webhooks/...`: what could not be told to backends.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::{HeaderMap, StatusCode};
use roomkey_model::{ErrorCode, Failure};
use roomkey_store::{Backlog, DeadLetter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError, backends,
    extract::{Client, PathParts},
    routes::{Operation, Proof, Routes},
};
use crate::{api_keys::Scope, audit::Event};

pub(super) fn routes() -> Routes {
    Routes::new()
        .add(
            Operation::get("/api/webhooks", "backends", "How much there is to tell to each endpoint")
                .needs(Proof::ApiKey)
                .answers(200, "Webhooks")
                .refuses(&[ErrorCode::Unavailable]),
            backlogs,
        )
        .add(
            Operation::get(
                "/api/webhooks/dead-letters",
                "backends",
                "Webhooks that were given up, newest first",
            )
            .needs(Proof::ApiKey)
            .query(&[("before", "The number behind the page"), ("limit", "How many at most")])
            .answers(200, "DeadLetters")
            .refuses(&[ErrorCode::BadPayload, ErrorCode::Unavailable]),
            list,
        )
        .add(
            Operation::post(
                "/api/webhooks/dead-letters/{number}/retry",
                "backends",
                "Send a webhook again that was given up, behind those that wait",
            )
            .needs(Proof::ApiKey)
            .refuses(&[ErrorCode::NotFound, ErrorCode::Unavailable]),
            retry,
        )
}

async fn backlogs(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    backends::authorize(&api, &client, &headers, Scope::Webhooks)?;
    let backlogs = api.store.backlogs().await.map_err(Failure::from)?;
    let view = |backlog: &Backlog| {
        let Backlog { endpoint, waiting, dropped, dead } = backlog;
        json!({ "endpoint": endpoint, "waiting": waiting, "dropped": dropped, "deadLetters": dead })
    };
    Ok(Json(json!({ "webhooks": backlogs.iter().map(view).collect::<Vec<_>>() })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    before: Option<u64>,
    limit: Option<usize>,
}

async fn list(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    query: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    backends::authorize(&api, &client, &headers, Scope::Webhooks)?;
    let Query(page) = query.map_err(|rejection| Failure::bad_payload(rejection.body_text()))?;
    let most = api.limits.page_entries;
    let limit = page.limit.unwrap_or(most);
    if limit == 0 || limit > most {
        return Err(Failure::bad_payload(format!("limit: must be 1 to {most}")).into());
    }
    let letters = api.store.dead_letters(page.before, limit).await.map_err(Failure::from)?;
    Ok(Json(json!({ "deadLetters": letters.iter().map(view).collect::<Vec<_>>() })))
}

fn view(letter: &DeadLetter) -> Value {
    json!({
        "number": letter.number,
        "endpoint": letter.endpoint,
        "id": letter.id,
        "body": letter.body,
        "createdAt": letter.created.to_rfc3339(),
        "diedAt": letter.died.to_rfc3339(),
        "attempts": letter.attempts,
        "reason": letter.reason,
    })
}

async fn retry(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    PathParts(number): PathParts<u64>,
) -> Result<StatusCode, ApiError> {
    let key = backends::authorize(&api, &client, &headers, Scope::Webhooks)?;
    let revived = api.store.revive(number, api.clock.now()).await.map_err(Failure::from)?;
    if !revived {
        return Err(ErrorCode::NotFound.into());
    }
    (api.ring)();
    client.record_key(&api, Event::AdminAction, key, &format!("send webhook {number} again"));
    Ok(StatusCode::NO_CONTENT)
}
