//! `/api/auth/ticket`: to connect without showing a token.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use roomkey_model::{ErrorCode, Failure};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, ApiError,
    accounts::NO_STORE,
    extract::{Authenticated, Client, OptionalJsonBody},
    routes::{Operation, Proof, Routes},
};
use crate::{Origin, audit::Event, tickets::LIFETIME_MS};

pub(super) fn routes() -> Routes {
    Routes::new().add(
        Operation::post("/api/auth/ticket", "auth", "A ticket to connect with once, within 30 seconds")
            .needs(Proof::Token)
            .may_take("TicketRequest")
            .answers(201, "Ticket")
            .refuses(&[ErrorCode::OriginDenied, ErrorCode::Unavailable]),
        issue,
    )
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketRequest {
    /// For a page of this origin. A page gets tickets for itself only.
    origin: Option<String>,
}

async fn issue(
    State(api): State<Arc<Api>>,
    client: Client,
    Authenticated(identity): Authenticated,
    OptionalJsonBody(request): OptionalJsonBody<TicketRequest>,
) -> Result<Response, ApiError> {
    let asked = match &request.origin {
        None => None,
        Some(origin) => {
            let parsed = Origin::parse(origin);
            let parsed = parsed.map_err(|problem| Failure::bad_payload(format!("origin: {problem}")))?;
            Some(parsed.to_string())
        }
    };
    let origin = match (client.origin.as_deref(), asked.as_deref()) {
        (Some(page), Some(asked)) if page != asked => return Err(ErrorCode::OriginDenied.into()),
        (page, asked) => page.or(asked),
    };
    let context = &api.server.context;
    let ticket = context.tickets.issue(identity.clone(), origin, api.clock.now(), &*context.entropy)?;
    client.record(
        &api,
        Event::TokenCreated,
        Some((&identity.user, identity.session.as_ref())),
        Some("ticket"),
    );
    let body = json!({ "ticket": ticket.expose_secret(), "expiresIn": LIFETIME_MS / 1000 });
    Ok((StatusCode::CREATED, NO_STORE, Json(body)).into_response())
}
