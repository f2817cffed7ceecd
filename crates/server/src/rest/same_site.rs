//! Against forged requests of other sites (CSRF): a request that changes something counts with its cookies only if one
//! of our own pages sent it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header};
use roomkey_model::ErrorCode;

use super::{Api, ApiError, cookies, extract::Client};
use crate::audit::Event;

/// Refuses what another site makes a browser send.
///
/// A page of an origin that is not allowed is refused before this, by its `Origin`. What is left is a request without
/// one: a program, which brings no cookies and says nothing of sites, or a browser that leaves the header out.
pub(super) async fn check(
    State(api): State<Arc<Api>>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let is_forged = !request.method().is_safe()
        && !api.server.context.origins.trusts_page(headers)
        && (is_of_another_site(headers) || brings_cookie(&api, headers));
    if is_forged {
        client.record(&api, Event::OriginDenied, None, Some("a page of another site, or of none"));
        return ApiError::from(ErrorCode::OriginDenied).into_response();
    }
    next.run(request).await
}

/// As the browser says. An allowed origin of another site is trusted by its `Origin`.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
        && !headers.contains_key(header::ORIGIN)
}

/// Whether it would count as somebody's by a cookie alone. Twice the same cookie is one, too.
fn brings_cookie(api: &Api, headers: &HeaderMap) -> bool {
    let ours = [api.token_cookie.as_deref(), api.session_cookies.then_some(cookies::REFRESH_COOKIE)];
    !headers.contains_key(header::AUTHORIZATION)
        && ours.into_iter().flatten().any(|name| !matches!(cookies::find(headers, name), Ok(None)))
}
