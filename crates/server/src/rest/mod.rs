//! The HTTP API: JSON in, JSON out, every refusal a [`Failure`].

mod accounts;
pub(crate) mod attempts;
mod channels;
mod extract;
mod operations;

use std::sync::Arc;

use axum::{Router, extract::State, middleware, response::Response};
use http::{HeaderValue, StatusCode, header};
use roomkey_auth::BuiltinIssuer;
use roomkey_chat::Chat;
use roomkey_model::{Clock, Failure, Limit, Limits, Retry};
use roomkey_store::Store;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{ServerHandle, TokenAuthentication, accounts::Accounts, revocation::Revoker};

/// What the handlers need.
pub(crate) struct Api {
    pub(crate) accounts: Arc<Accounts>,
    #[allow(dead_code, reason = "the routes that use it follow")]
    pub(crate) revoker: Arc<Revoker>,
    /// `None` where the built-in issuer is off.
    pub(crate) issuer: Option<Arc<BuiltinIssuer>>,
    pub(crate) registration: bool,
    pub(crate) authentication: Arc<TokenAuthentication>,
    pub(crate) chat: Arc<Chat>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// Settings that make the server less safe than it could be.
    pub(crate) warnings: Vec<String>,
    pub(crate) server: ServerHandle,
}

/// All routes of the API.
pub(crate) fn router(api: Arc<Api>) -> Router {
    Router::new()
        .merge(accounts::router(&api))
        .merge(channels::router())
        .merge(operations::router())
        .fallback(async || ApiError(Failure::new(roomkey_model::ErrorCode::NotFound)))
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .layer(middleware::map_response_with_state(api.clone(), count_limits))
        .with_state(api)
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

impl axum::response::IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.http_status()).expect("the table has only statuses");
        let mut response = (status, axum::Json(Body(&self.0))).into_response();
        if let Some(limit) = self.0.limit {
            response.extensions_mut().insert(limit);
        }
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge()));
        }
        if let Retry::AfterMs(ms) = self.0.retry {
            headers.insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
        }
        response
    }
}

impl ApiError {
    /// RFC 6750, section 3: no error code where no token was given.
    fn challenge(&self) -> &'static str {
        match self.0.code {
            roomkey_model::ErrorCode::TokenMissing | roomkey_model::ErrorCode::InvalidCredentials => "Bearer",
            _ => "Bearer error=\"invalid_token\"",
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
