//! What handlers take from a request: a JSON body, and who sent it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
};
use http::{header, request::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use roomkey_auth::{
    Identity, TokenError,
    credentials::{self, Credentials},
};
use roomkey_model::{ErrorCode, Failure, Limit, Limits, SessionId, UserId};
use roomkey_store::Session;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::{Api, ApiError, cookies, denials, on_behalf};
use crate::{
    ClientAddress, Handshake,
    accounts::Device,
    audit::{Event, Record},
    rates::Penalty,
};

/// A JSON body of a known shape.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        read_json(request, &api.limits).await.map(Self)
    }
}

/// The JSON body of a request.
pub(crate) async fn read_json<T: DeserializeOwned>(request: Request, limits: &Limits) -> Result<T, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_json = content_type.and_then(|value| value.to_str().ok()).is_some_and(is_json);
    let is_packed =
        request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if !is_json || is_packed {
        return Err(Failure::from(ErrorCode::UnsupportedMediaType).into());
    }
    let body = read(request, limits).await?;
    serde_json::from_slice(&body).map_err(|error| Failure::bad_payload(error.to_string()).into())
}

/// The same, or nothing at all, which is the default.
pub(super) struct OptionalJsonBody<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest<Arc<Api>> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, ApiError> {
        let has_type = request.headers().contains_key(header::CONTENT_TYPE);
        if !has_type && request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        JsonBody::from_request(request, api).await.map(|JsonBody(body)| Self(body))
    }
}

/// The parts of a path that stand for something. What cannot be text names nothing.
pub(crate) struct PathParts<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathParts<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(path)) => Ok(Self(path)),
            Err(_) => Err(ErrorCode::NotFound.into()),
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

async fn read(request: Request, limits: &Limits) -> Result<Bytes, Failure> {
    let body = Limited::new(request.into_body(), limits.rest_body_bytes).collect();
    match timeout(std::time::Duration::from_millis(limits.http_body_ms), body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Failure::new(ErrorCode::PayloadTooLarge).at(Limit::RestBody))
        }
        Ok(Err(_)) => Err(Failure::bad_payload("the body is incomplete")),
        Err(_) => Err(Failure::new(ErrorCode::RequestTimeout).at(Limit::HttpBody)),
    }
}

/// Who sent the request: the token in it is valid. Or for whom: the API key in it is, and may act for users.
pub(super) struct Authenticated(pub(super) Arc<Identity>);

impl FromRequestParts<Arc<Api>> for Authenticated {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if let Some(identity) = on_behalf::identity(parts, api).await? {
            denials::remember(parts, &identity);
            return Ok(Self(identity));
        }
        let now = api.clock.now();
        let address = client_address(parts)?;
        let is_trusted_page = api.server.context.origins.trusts_page(&parts.headers);
        let query = parts.uri.query().unwrap_or("");
        let handshake = Handshake::new(address.0, now, query, &parts.headers, is_trusted_page);
        match api.authentication.authenticate(&api.server.context, &handshake, None).await {
            Ok(identity) => {
                denials::remember(parts, &identity);
                Ok(Self(identity))
            }
            Err(failure) => Err(refused_token(api, address.0, failure).await.into()),
        }
    }
}

/// What is said of a token that is no good: later, where many of them come from.
pub(super) async fn refused_token(api: &Api, address: IpAddr, failure: Failure) -> Failure {
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
    pub(super) origin: Option<String>,
    /// Whether it is a page whose cookies count.
    pub(super) is_trusted_page: bool,
}

impl Client {
    /// What a user is shown in the list of sessions.
    pub(super) fn device(&self) -> Device<'_> {
        Device { address: self.address, user_agent: self.user_agent.as_deref() }
    }

    /// Records a decision about this client.
    pub(super) fn record(
        &self,
        api: &Api,
        event: Event,
        who: Option<(&UserId, Option<&SessionId>)>,
        reason: Option<&str>,
    ) {
        let (user, session) = who.map_or((None, None), |(user, session)| (Some(user), session));
        let address = Some(self.address);
        let origin = self.origin.as_deref();
        api.server.context.audit.record(&Record {
            user,
            session,
            address,
            origin,
            reason,
            ..Record::new(event)
        });
    }

    /// Records a decision about a session of this client.
    pub(super) fn record_session(&self, api: &Api, event: Event, session: &Session, reason: Option<&str>) {
        self.record(api, event, Some((&session.user, Some(&session.session))), reason);
    }

    /// Records what a backend did, or tried to do, with the key of this name.
    pub(super) fn record_key(&self, api: &Api, event: Event, key: &str, target: &str) {
        api.server.context.audit.record(&Record {
            address: Some(self.address),
            origin: self.origin.as_deref(),
            reason: Some(&format!("API key {key}")),
            target: Some(target),
            ..Record::new(event)
        });
    }
}

impl FromRequestParts<Arc<Api>> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self {
            address: client_address(parts)?.0,
            user_agent: text(header::USER_AGENT),
            origin: text(header::ORIGIN),
            is_trusted_page: api.server.context.origins.trusts_page(&parts.headers),
        })
    }
}

/// Who wants to log out: the token may be expired or revoked. `None`: no token, or none that says who it is.
pub(super) struct Leaving(pub(super) Option<Identity>);

impl FromRequestParts<Arc<Api>> for Leaving {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        let authorization: Vec<_> = parts
            .headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .collect();
        let is_trusted_page = api.server.context.origins.trusts_page(&parts.headers);
        let cookie = match &api.token_cookie {
            Some(name) if is_trusted_page => cookies::find(&parts.headers, name)?,
            _ => None,
        };
        let given = Credentials {
            authorization: &authorization,
            cookie: cookie.as_deref(),
            ..Credentials::default()
        };
        let token = match credentials::pick(&given) {
            Ok(token) => token,
            Err(TokenError::Ambiguous) => return Err(ErrorCode::TokenAmbiguous.into()),
            Err(_) => return Ok(Self(None)),
        };
        Ok(Self(api.authentication.verifier().verify_past(&token, api.clock.now()).ok()))
    }
}
