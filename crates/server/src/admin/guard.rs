//! What a request must be before anything else is asked of it, and who sent it.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use roomkey_auth::credentials;
use roomkey_model::{AdminRole, ErrorCode, Failure};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::{AdminPage, sessions::Current};
pub(super) use crate::rest::PathParts;
use crate::{
    ClientAddress, Origin,
    audit::{Event, Record},
    http::has_unclear_end,
    rest::{ApiError, read_json},
};

/// What the page's own scripts send with every request that changes something, and no form or link of another page can.
const OWN_HEADER: &str = "x-roomkey-admin";

/// The cookie of a session. The prefix makes browsers insist on TLS and on this very host.
pub(super) const COOKIE: &str = "__Host-roomkey-admin";
/// Where the page is reached without TLS, on this machine: not every browser takes the other one there.
pub(super) const LOCAL_COOKIE: &str = "roomkey-admin";

/// Only what is served from here may run or be loaded; nobody may put the page into a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Refuses what is not of the page itself, and adds to every answer what browsers are to know.
pub(super) async fn check(State(page): State<Arc<AdminPage>>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&page, &request) {
        Some(response) => response,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let set = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    // Nobody is to come with a token.
    headers.remove(header::WWW_AUTHENTICATE);
    response
}

fn refusal(page: &AdminPage, request: &Request) -> Option<Response> {
    let headers = request.headers();
    if has_unclear_end(headers) {
        return Some((StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")]).into_response());
    }
    let record = |event, reason| {
        let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let record = Record { address, origin, reason: Some(reason), ..Record::new(event) };
        page.context().audit.record(&record);
    };
    if !knows_host(page, headers) {
        record(Event::OriginDenied, "admin page: unknown host");
        return Some(StatusCode::MISDIRECTED_REQUEST.into_response());
    }
    if headers.get_all(header::AUTHORIZATION).iter().any(|value| !is_basic(value)) {
        record(Event::AuthorizationFailed, "admin page: tokens do not count here");
        let failure = Failure::with_message(ErrorCode::Forbidden, "Tokens and API keys do not count here");
        return Some(ApiError(failure).into_response());
    }
    let is_own = match request.method().is_safe() {
        true => !request.uri().path().starts_with("/api/") || !is_of_another_page(page, headers),
        false => {
            headers.get(OWN_HEADER).is_some_and(|value| value == "1") && !is_of_another_page(page, headers)
        }
    };
    if !is_own {
        record(Event::OriginDenied, "admin page: a request of another page, or of none");
        return Some(ApiError(Failure::new(ErrorCode::OriginDenied)).into_response());
    }
    None
}

/// Whether it is a password that a proxy on the way asks for, which browsers send with every request: none of a user or a
/// backend.
fn is_basic(authorization: &HeaderValue) -> bool {
    let scheme = authorization.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"basic")
}

/// Whether the request is for this page: the proxy's host, or a name of this machine, at whatever port a tunnel has. One
/// that was re-bound to this address is told apart by that.
fn knows_host(page: &AdminPage, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next()) else {
        return false;
    };
    page.url.as_ref().is_some_and(|url| url.is_host(host)) || local_origin(page, host).is_some()
}

/// The origin of the page where the request was made to this machine by a name that only it has.
/// Such is the address that is listened on, too, where it is another one of the loopback.
fn local_origin(page: &AdminPage, host: &str) -> Option<Origin> {
    let listen = page.listen.ip();
    let is_local = |origin: &Origin| origin.is_loopback() || listen.is_loopback() && origin.is_at(listen);
    Origin::parse(&format!("http://{host}")).ok().filter(is_local)
}

/// Whether the browser says that another page, of this machine or not, makes it send this. Programs say nothing.
fn is_of_another_page(page: &AdminPage, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if sites.any(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => false,
        (Some(origin), None) => {
            let Some(Ok(origin)) = origin.to_str().ok().map(Origin::parse) else { return true };
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            page.url.as_ref() != Some(&origin) && local_origin(page, host).as_ref() != Some(&origin)
        }
        (Some(_), Some(_)) => true,
    }
}

/// Whether a browser reaches the page over TLS. It says so when it logs in.
pub(super) fn is_reached_securely(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.and_then(|origin| Origin::parse(origin).ok()).is_none_or(|origin| origin.is_secure())
}

/// An admin who is logged in, and sees.
pub(super) struct Seeing(pub(super) Current);

/// An admin who is logged in, and may do something.
pub(super) struct Acting(pub(super) Current);

impl FromRequestParts<Arc<AdminPage>> for Seeing {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<AdminPage>) -> Result<Self, ApiError> {
        let lines: Vec<_> =
            parts.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).collect();
        let cookie = |name| credentials::cookie(&lines, name).ok().flatten();
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let local = || local_origin(page, host).and_then(|_| cookie(LOCAL_COOKIE));
        let cookie = cookie(COOKIE).or_else(local).ok_or_else(not_logged_in)?;
        let session = page.admins.sessions.find(&SecretString::from(cookie), page.api.clock.now());
        session.map(Self).ok_or_else(|| not_logged_in().into())
    }
}

fn not_logged_in() -> Failure {
    Failure::with_message(ErrorCode::TokenMissing, "Log in first")
}

impl FromRequestParts<Arc<AdminPage>> for Acting {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<AdminPage>) -> Result<Self, ApiError> {
        let Seeing(current) = Seeing::from_request_parts(parts, page).await?;
        if current.role == AdminRole::Admin {
            return Ok(Self(current));
        }
        let reason = format!("admin {}: a viewer changes nothing", current.name);
        let target = format!("{} {}", parts.method, parts.uri.path());
        page.context().audit.record(&Record {
            address: Some(Sender::from_parts(parts)?.address),
            reason: Some(&reason),
            target: Some(&target),
            ..Record::new(Event::AuthorizationFailed)
        });
        Err(Failure::with_message(ErrorCode::Forbidden, "A viewer changes nothing").into())
    }
}

/// Where a request comes from.
pub(super) struct Sender {
    pub(super) address: std::net::IpAddr,
    pub(super) user_agent: Option<String>,
}

impl Sender {
    fn from_parts(parts: &Parts) -> Result<Self, Failure> {
        let address = parts.extensions.get::<ClientAddress>().ok_or(ErrorCode::Internal)?.0;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { address, user_agent: user_agent.map(str::to_owned) })
    }
}

impl FromRequestParts<Arc<AdminPage>> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<AdminPage>) -> Result<Self, ApiError> {
        Ok(Self::from_parts(parts)?)
    }
}

/// A JSON body of a known shape.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<AdminPage>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, page: &Arc<AdminPage>) -> Result<Self, ApiError> {
        read_json(request, &page.api.limits).await.map(Self)
    }
}
