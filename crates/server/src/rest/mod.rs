//! The HTTP API: JSON in, JSON out, every refusal a [`Failure`].

mod accounts;
pub(crate) mod attempts;
mod authz;
mod backends;
mod channels;
mod cookies;
mod delivery;
mod denials;
mod emit;
mod extract;
mod invites;
mod messages;
mod on_behalf;
mod openapi;
mod operations;
mod routes;
mod same_site;
mod sessions;
#[cfg(test)]
mod tests;
mod tickets;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};
use roomkey_auth::BuiltinIssuer;
use roomkey_chat::Chat;
use roomkey_model::{Clock, ErrorCode, Failure, Limit, Limits, Retry};
use roomkey_store::Store;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{ServerHandle, TokenAuthentication, accounts::Accounts, api_keys::ApiKeys, revocation::Revoker};
use routes::Routes;

pub(crate) use cookies::ACCESS_COOKIE;
pub(crate) use extract::{PathParts, read_json};

/// What the handlers need.
pub(crate) struct Api {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) revoker: Arc<Revoker>,
    /// `None` where the built-in issuer is off.
    pub(crate) issuer: Option<Arc<BuiltinIssuer>>,
    pub(crate) registration: bool,
    /// Whether the tokens of a login are kept in cookies.
    pub(crate) session_cookies: bool,
    /// The cookie that a token may be in.
    pub(crate) token_cookie: Option<Box<str>>,
    pub(crate) api_keys: Arc<ApiKeys>,
    pub(crate) authentication: Arc<TokenAuthentication>,
    pub(crate) chat: Arc<Chat>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// Settings that make the server less safe than it could be.
    pub(crate) warnings: Vec<String>,
    pub(crate) server: ServerHandle,
    /// Says that there are webhooks to deliver.
    pub(crate) ring: Box<dyn Fn() + Send + Sync>,
}

/// All routes of the API.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let (router, operations) = routes().into_parts();
    let document: Arc<str> = openapi::document(&operations).to_string().into();
    let json = [(header::CONTENT_TYPE, "application/json")];
    router
        .route(OPENAPI_PATH, get(async move || (json, document.to_string())))
        .fallback(async || ApiError(Failure::new(ErrorCode::NotFound)))
        .method_not_allowed_fallback(async || ApiError(Failure::new(ErrorCode::MethodNotAllowed)))
        .layer(middleware::from_fn_with_state(api.clone(), same_site::check))
        .layer(middleware::from_fn_with_state(api.clone(), denials::record))
        .layer(middleware::from_fn(to_the_end))
        .layer(middleware::map_response_with_state(api.clone(), count_limits))
        .with_state(api)
}

const OPENAPI_PATH: &str = "/openapi.json";

fn routes() -> Routes {
    accounts::routes()
        .and(sessions::routes())
        .and(tickets::routes())
        .and(authz::routes())
        .and(backends::routes())
        .and(emit::routes())
        .and(webhooks::routes())
        .and(channels::routes())
        .and(invites::routes())
        .and(messages::routes())
        .and(delivery::routes())
        .and(operations::routes())
}

/// Makes a change to its end, also for a client that does not wait for the answer: what is done is recorded, too.
async fn to_the_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let response = tokio::spawn(next.run(request)).await;
    response.unwrap_or_else(|_| ApiError(ErrorCode::Internal.into()).into_response())
}

/// Counts the limit that a refusal speaks of.
async fn count_limits(State(api): State<Arc<Api>>, response: Response) -> Response {
    if let Some(limit) = response.extensions().get::<Limit>() {
        api.server.context.metrics.limit_reached(*limit);
    }
    response
}

/// A failure as the answer to a request: `{message, code, retry, retryAfterMs?}`.
pub(crate) struct ApiError(pub(crate) Failure);

impl<F: Into<Failure>> From<F> for ApiError {
    fn from(failure: F) -> Self {
        Self(failure.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http_status()).expect("the table has only statuses");
        let mut response = (status, axum::Json(Body(&self.0))).into_response();
        if let Some(limit) = self.0.limit {
            response.extensions_mut().insert(limit);
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Retry::AfterMs(ms) = self.0.retry {
            headers.insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
        }
        response
    }
}

impl ApiError {
    /// RFC 6750, section 3: no error code where no token was given.
    fn challenge(&self) -> Option<&'static str> {
        match self.0.code {
            ErrorCode::ApiKeyInvalid | ErrorCode::InvalidCredentials | ErrorCode::TokenMissing => {
                Some("Bearer")
            }
            ErrorCode::InsufficientScope => Some("Bearer error=\"insufficient_scope\""),
            ErrorCode::TokenAmbiguous => Some("Bearer error=\"invalid_request\""),
            code if code.http_status() == 401 => Some("Bearer error=\"invalid_token\""),
            _ => None,
        }
    }
}

struct Body<'a>(&'a Failure);

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.0.message)?;
        self.0.data().serialize_entries(&mut map)?;
        map.end()
    }
}
