//! Finds the one token in a request, wherever the client put it.

mod auth_payload;
mod cookie;
mod session_cookie;

use std::borrow::Cow;

use crate::TokenError;

pub use cookie::find as cookie;
pub use session_cookie::find as session_cookie;

/// The places where a token may be. `None` and empty: not there, or not allowed there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// The auth payload of the Socket.IO CONNECT packet: JSON text.
    pub auth_payload: Option<&'a str>,
    /// The values of the `Authorization` header lines.
    pub authorization: &'a [&'a str],
    /// The value of the cookie with the token, from [`cookie`] or [`session_cookie`].
    pub cookie: Option<&'a str>,
    /// The decoded `token` parameter of the URL's query, only where the operator allows it.
    pub query: Option<&'a str>,
}

/// The one token that was given. The same token in two places is fine, two different ones are not.
///
/// The token may still be anything: only [`Verifier::verify`](crate::Verifier::verify) says whether it is one.
pub fn pick<'a>(credentials: &Credentials<'a>) -> Result<Cow<'a, str>, TokenError> {
    let payload = credentials.auth_payload.map(auth_payload::token).transpose()?.flatten();
    let headers = credentials.authorization.iter().copied().filter_map(bearer);
    let others =
        [credentials.cookie, credentials.query].into_iter().flatten().filter(|token| !token.is_empty());
    let mut tokens = payload.map(strip_bearer).into_iter().chain(headers.chain(others).map(Cow::Borrowed));
    let token = tokens.next().ok_or(TokenError::Missing)?;
    if tokens.all(|other| other == token) { Ok(token) } else { Err(TokenError::Ambiguous) }
}

/// The token of an `Authorization` header (RFC 6750 section 2.1); `None` if it is of another scheme.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("Bearer").then_some(token)
}

/// The token without one leading `Bearer ` and exactly one space: clients often put it where only the token
/// belongs.
fn strip_bearer(token: Cow<'_, str>) -> Cow<'_, str> {
    match token {
        Cow::Borrowed(token) => Cow::Borrowed(bearer(token).unwrap_or(token)),
        Cow::Owned(token) => match bearer(&token) {
            Some(stripped) => Cow::Owned(stripped.to_owned()),
            None => Cow::Owned(token),
        },
    }
}
