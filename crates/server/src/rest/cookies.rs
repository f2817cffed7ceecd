//! The tokens of a login in cookies that a page's scripts cannot read.

use http::{HeaderMap, HeaderValue, header};
use roomkey_auth::{TokenError, credentials};
use roomkey_model::Timestamp;
use secrecy::ExposeSecret;

use crate::accounts::LoggedIn;

/// Where the access token is. The prefix makes browsers insist on what is set below, and on this very host.
pub(crate) const ACCESS_COOKIE: &str = "__Host-roomkey";

/// Where the refresh token is: sent to nothing but the one route that exchanges it, which also rules out the prefix
/// `__Host-`. Logging out does not need it: the access token says which session it is, also when its time is over, and
/// for that its cookie lives as long as the session.
pub(super) const REFRESH_COOKIE: &str = "__Secure-roomkey-refresh";
const REFRESH_PATH: &str = "/api/auth/refresh";

/// Sets both, for as long as the session lasts.
pub(super) fn set(headers: &mut HeaderMap, logged_in: &LoggedIn, now: Timestamp) {
    let session = &logged_in.session;
    let max_age_s = session.ends.min(session.idle_ends).since_ms(now) / 1000;
    append(headers, ACCESS_COOKIE, logged_in.token.expose_secret(), "/", max_age_s);
    append(headers, REFRESH_COOKIE, logged_in.refresh_token.expose_secret(), REFRESH_PATH, max_age_s);
}

/// Makes the browser forget both.
pub(super) fn clear(headers: &mut HeaderMap) {
    append(headers, ACCESS_COOKIE, "", "/", 0);
    append(headers, REFRESH_COOKIE, "", REFRESH_PATH, 0);
}

/// The value of one of them. Twice the same name is an error, as one of the two is somebody else's.
pub(super) fn find(headers: &HeaderMap, name: &str) -> Result<Option<String>, TokenError> {
    let lines: Vec<_> =
        headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok()).collect();
    let value = credentials::cookie(&lines, name)?;
    Ok(value.filter(|value| !value.is_empty()).map(str::to_owned))
}

fn append(headers: &mut HeaderMap, name: &str, value: &str, path: &str, max_age_s: u64) {
    let cookie = format!("{name}={value}; Path={path}; Max-Age={max_age_s}; Secure; HttpOnly; SameSite=Lax");
    let mut cookie = HeaderValue::try_from(cookie).expect("tokens are base64url and dots");
    cookie.set_sensitive(true);
    headers.append(header::SET_COOKIE, cookie);
}
