//! What operators and their tools ask: is it alive, is it ready, what has it done.

use std::sync::Arc;

use axum::{Json, extract::State};
use http::{HeaderName, StatusCode, header};
use roomkey_model::{ErrorCode, SessionId};
use roomkey_store::StoreError;
use serde_json::{Value, json};

use super::{
    Api,
    routes::{Operation, Routes},
};

pub(super) fn routes() -> Routes {
    let operation = |path, summary| Operation::get(path, "operations", summary);
    Routes::new()
        .add(operation("/healthz", "Whether the process runs").answers(200, "Health"), health)
        .add(
            operation("/readyz", "Whether clients can be served")
                .answers(200, "Readiness")
                .refuses(&[ErrorCode::Unavailable]),
            ready,
        )
        .add(
            operation("/metrics", "Everything that is counted, in the OpenMetrics text format")
                .answers(200, "string")
                .with_type("application/openmetrics-text"),
            metrics,
        )
}

/// The process runs; settings that make it less safe are named.
async fn health(State(api): State<Arc<Api>>) -> Json<Value> {
    let audit = api.server.context.audit.warning();
    let warnings: Vec<&str> = api.warnings.iter().map(String::as_str).chain(audit).collect();
    Json(json!({ "status": "ok", "warnings": warnings }))
}

/// Clients can be served: the store writes, and has all the way to the disk to show for it.
async fn ready(State(api): State<Arc<Api>>) -> (StatusCode, Json<Value>) {
    let nobody = SessionId::new("readyz").expect("a short name");
    match api.store.touch_session(&nobody, api.clock.now()).await {
        Ok(()) | Err(StoreError::NotFound) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(error) => {
            tracing::warn!(%error, "the store does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(json!({ "status": "unavailable", "store": "does not answer" })),
            )
        }
    }
}

/// The OpenMetrics text format.
async fn metrics(State(api): State<Arc<Api>>) -> ([(HeaderName, &'static str); 1], String) {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, OPEN_METRICS)], api.server.metrics())
}
