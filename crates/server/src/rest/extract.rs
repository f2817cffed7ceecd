//! What handlers take from a request: a JSON body, and who sent it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use roomkey_auth::Identity;
use roomkey_model::{ErrorCode, Failure, Limit};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::{Api, ApiError};
use crate::{ClientAddress, Handshake, accounts::Device, rates::Penalty};

/// A JSON body of a known shape.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let is_json = content_type.and_then(|value| value.to_str().ok()).is_some_and(is_json);
        let is_packed =
            request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
        if !is_json || is_packed {
            return Err(Failure::from(ErrorCode::UnsupportedMediaType).into());
        }
        let body = read(request, api).await?;
        match serde_json::from_slice(&body) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(Failure::bad_payload(error.to_string()).into()),
        }
    }
}

/// JSON is UTF-8 (RFC 8259, section 8.1): any other charset is refused.
fn is_json(content_type: &str) -> bool {
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let charset = parameters.trim().to_ascii_lowercase();
    media_type.trim().eq_ignore_ascii_case("application/json")
        && matches!(charset.as_str(), "" | "charset=utf-8" | "charset=\"utf-8\"")
}

async fn read(request: Request, api: &Api) -> Result<Bytes, Failure> {
    let body = Limited::new(request.into_body(), api.limits.rest_body_bytes).collect();
    match timeout(std::time::Duration::from_millis(api.limits.http_body_ms), body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::new(ErrorCode::PayloadTooLarge).at(Limit::RestBody))
        }
        Ok(Err(_)) => Err(Failure::bad_payload("the body is incomplete")),
        Err(_) => Err(Failure::new(ErrorCode::RequestTimeout).at(Limit::HttpBody)),
    }
}

/// Who sent the request: the token in it is valid.
pub(super) struct Authenticated(pub(super) Arc<Identity>);

impl FromRequestParts<Arc<Api>> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let now = api.clock.now();
        let address = client_address(parts)?;
        let is_trusted_page = api.server.context.origins.trusts_page(&parts.headers);
        let query = parts.uri.query().unwrap_or("");
        let handshake = Handshake::new(address.0, now, query, &parts.headers, is_trusted_page);
        match api.authentication.authenticate(&api.server.context, &handshake, None).await {
            Ok(identity) => Ok(Self(identity)),
            Err(failure) => Err(refused_token(api, address.0, failure).await.into()),
        }
    }
}

/// What is said of a token that is no good: later, where many of them come from.
async fn refused_token(api: &Api, address: IpAddr, failure: Failure) -> Failure {
    match api.server.context.count_refusal(address, &failure) {
        Penalty::None => failure,
        Penalty::Wait(time, _place) => {
            sleep(time).await;
            failure
        }
        Penalty::TooMany(exceeded) => Failure { limit: None, ..exceeded.failure() },
    }
}

fn client_address(parts: &Parts) -> Result<ClientAddress, Failure> {
    parts.extensions.get::<ClientAddress>().copied().ok_or_else(|| ErrorCode::Internal.into())
}

/// The client that asks: where it is, what it calls itself, and which page it is.
pub(super) struct Client {
    pub(super) address: IpAddr,
    user_agent: Option<String>,
    /// The `Origin` header.
    #[allow(dead_code, reason = "the routes that record it follow")]
    pub(super) origin: Option<String>,
}

impl Client {
    /// What a user is shown in the list of sessions.
    pub(super) fn device(&self) -> Device<'_> {
        Device { address: self.address, user_agent: self.user_agent.as_deref() }
    }
}

impl FromRequestParts<Arc<Api>> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Api>) -> Result<Self, ApiError> {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self {
            address: client_address(parts)?.0,
            user_agent: text(header::USER_AGENT),
            origin: text(header::ORIGIN),
        })
    }
}
