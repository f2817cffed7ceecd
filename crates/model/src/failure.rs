use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::Limit;

/// What a client should do about a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Trying again with the same input will fail again.
    Never,
    /// Get a fresh token, then try again.
    Refresh,
    /// Try again after this many milliseconds.
    AfterMs(u64),
}

macro_rules! error_codes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:literal, $retry:expr, $message:literal; )*) => {
        /// Every refusal a client can see: one stable code each, the same over Socket.IO, REST and in the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl ErrorCode {
            /// All codes, in the order of their names. The npm package lists them, too: `clients/js/src/wire/failure.ts`.
            pub const ALL: &[Self] = &[$( Self::$variant ),*];

            /// The code as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $code, )* }
            }

            /// The HTTP status that carries it over REST.
            pub fn http_status(self) -> u16 {
                match self { $( Self::$variant => $status, )* }
            }

            /// What the client should do, where the case does not say otherwise.
            pub fn retry(self) -> Retry {
                match self { $( Self::$variant => $retry, )* }
            }

            /// What a person is told, where the case does not say otherwise.
            pub fn message(self) -> &'static str {
                match self { $( Self::$variant => $message, )* }
            }

            /// When it is given, for the reference page.
            pub fn description(self) -> &'static str {
                match self { $( Self::$variant => concat!($( $doc ),+), )* }
            }
        }
    };
}

error_codes! {
    /// The API key of a backend is missing or wrong.
    ApiKeyInvalid = "API_KEY_INVALID", 401, Retry::Never, "The API key is missing or wrong";
    /// The client did not authenticate in time.
    AuthTimeout = "AUTH_TIMEOUT", 401, Retry::AfterMs(1000), "Authentication error: Timed out";
    /// The backend that handles the event cannot be reached, or its answer cannot be read. It may have done what was asked.
    BackendFailed = "BACKEND_FAILED", 502, Retry::AfterMs(1000), "The backend for this failed";
    /// The backend that handles the event said no; the message is its own.
    BackendRefused = "BACKEND_REFUSED", 422, Retry::Never, "The backend for this refused";
    /// The backend that handles the event did not answer in time. It may have done what was asked.
    BackendTimeout = "BACKEND_TIMEOUT", 504, Retry::AfterMs(1000), "The backend for this did not answer in time";
    /// A payload has the wrong shape; the message says which part.
    BadPayload = "BAD_PAYLOAD", 422, Retry::Never, "The payload is not valid";
    /// The channel is archived: it can be read, and nothing can be sent to it.
    ChannelArchived = "CHANNEL_ARCHIVED", 409, Retry::Never, "The channel is archived";
    /// It is about many clients: how many they are now is to be confirmed. The answer says it.
    ConfirmationRequired = "CONFIRMATION_REQUIRED", 422, Retry::Never, "Confirm how many sockets it is about";
    /// The name is taken.
    Conflict = "CONFLICT", 409, Retry::Never, "Already exists";
    /// Policy does not allow it, or it does not exist: the two look the same.
    Forbidden = "FORBIDDEN", 403, Retry::Never, "Not allowed";
    /// The API key is right, but is not for this.
    InsufficientScope = "INSUFFICIENT_SCOPE", 403, Retry::Never, "The API key does not have the scope for this";
    /// Our own fault; the log has the cause.
    Internal = "INTERNAL", 500, Retry::AfterMs(1000), "Internal error";
    /// The user name or the password is wrong.
    InvalidCredentials = "INVALID_CREDENTIALS", 401, Retry::Never, "Invalid credentials";
    /// The only owner of a channel cannot leave it or become less: another member has to be an owner first.
    LastOwner = "LAST_OWNER", 409, Retry::Never, "The last owner of a channel stays its owner";
    /// A named limit was reached; the message says which.
    LimitExceeded = "LIMIT_EXCEEDED", 429, Retry::Never, "A limit was reached";
    /// There is such a path, but not for this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", 405, Retry::Never, "There is nothing here for this method";
    /// There is no such thing.
    NotFound = "NOT_FOUND", 404, Retry::Never, "Not found";
    /// This origin is not in the list of allowed origins.
    OriginDenied = "ORIGIN_DENIED", 403, Retry::Never, "This origin is not allowed";
    /// A body is larger than it may be.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", 413, Retry::Never, "The body is too large";
    /// A token of another user was presented on a connection that already has one.
    PrincipalMismatch = "PRINCIPAL_MISMATCH", 403, Retry::Never, "The token belongs to somebody else";
    /// Too many attempts.
    RateLimited = "RATE_LIMITED", 429, Retry::AfterMs(1000), "Too many requests";
    /// An admin did not say why, for the audit log.
    ReasonRequired = "REASON_REQUIRED", 422, Retry::Never, "Say why, in 1 to 200 characters";
    /// A request did not arrive in time.
    RequestTimeout = "REQUEST_TIMEOUT", 408, Retry::AfterMs(1000), "The request did not arrive in time";
    /// Different tokens were given in more than one place.
    TokenAmbiguous = "TOKEN_AMBIGUOUS", 400, Retry::Never, "Authentication error: More than one token provided";
    /// The token's time is over.
    TokenExpired = "TOKEN_EXPIRED", 401, Retry::Refresh, "Authentication error: Token expired";
    /// The token is not valid here. Deliberately one code for every cause.
    TokenInvalid = "TOKEN_INVALID", 401, Retry::Never, "Authentication error: Invalid token";
    /// No token was given.
    TokenMissing = "TOKEN_MISSING", 401, Retry::Never, "Authentication error: No token provided";
    /// The token, its session or its user was revoked.
    TokenRevoked = "TOKEN_REVOKED", 401, Retry::Never, "Authentication error: Token revoked";
    /// The server cannot do it now: overloaded, draining, or a part it needs does not answer.
    Unavailable = "UNAVAILABLE", 503, Retry::AfterMs(1000), "Temporarily unavailable";
    /// The body is not JSON, or does not say that it is.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", 415, Retry::Never, "The body must be JSON: Content-Type: application/json";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A refusal: its code, what a person is told, and what the client should do.
///
/// Serialized it is the ack of a refused event: `{error, code, retry, retryAfterMs?}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: ErrorCode,
    /// For a person; never to be parsed.
    pub message: Cow<'static, str>,
    /// What the client should do.
    pub retry: Retry,
    /// The limit that was reached, if that is why: for the counters, clients do not see it.
    pub limit: Option<Limit>,
}

impl Failure {
    /// The failure with its usual message and advice.
    pub fn new(code: ErrorCode) -> Self {
        Self { code, message: Cow::Borrowed(code.message()), retry: code.retry(), limit: None }
    }

    /// The failure with a message of its own.
    pub fn with_message(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), ..Self::new(code) }
    }

    /// A [`ErrorCode::BadPayload`] that says what was wrong.
    pub fn bad_payload(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_message(ErrorCode::BadPayload, message)
    }

    /// A [`ErrorCode::RateLimited`] that says when to try again.
    pub fn rate_limited(retry_after_ms: u64) -> Self {
        Self { retry: Retry::AfterMs(retry_after_ms), ..Self::new(ErrorCode::RateLimited) }
    }

    /// The same, because this limit was reached.
    #[must_use]
    pub fn at(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// A [`ErrorCode::Forbidden`].
    pub fn forbidden() -> Self {
        Self::new(ErrorCode::Forbidden)
    }

    /// The `data` of a Socket.IO `connect_error`, and the body of a REST error beside its `message`.
    pub fn data(&self) -> FailureData {
        FailureData { code: self.code, retry: self.retry }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("error", &self.message)?;
        self.data().serialize_entries(&mut map)?;
        map.end()
    }
}

/// The part of a [`Failure`] for programs: `{code, retry, retryAfterMs?}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureData {
    /// The stable code.
    pub code: ErrorCode,
    /// What the client should do.
    pub retry: Retry,
}

impl FailureData {
    /// Writes `code`, `retry` and, where there is one, `retryAfterMs` into a map that has more entries.
    pub fn serialize_entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("code", &self.code)?;
        match self.retry {
            Retry::Never => map.serialize_entry("retry", "never"),
            Retry::Refresh => map.serialize_entry("retry", "refresh"),
            Retry::AfterMs(ms) => {
                map.serialize_entry("retry", "after")?;
                map.serialize_entry("retryAfterMs", &ms)
            }
        }
    }
}

impl Serialize for FailureData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_entries(&mut map)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).expect("plain data")
    }

    #[test]
    fn a_failure_is_an_ack() {
        assert_eq!(
            json(&Failure::forbidden()),
            r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#
        );
        assert_eq!(
            json(&Failure::new(ErrorCode::Unavailable)),
            r#"{"error":"Temporarily unavailable","code":"UNAVAILABLE","retry":"after","retryAfterMs":1000}"#
        );
    }

    #[test]
    fn an_expired_token_asks_for_a_refresh() {
        assert_eq!(
            json(&Failure::new(ErrorCode::TokenExpired).data()),
            r#"{"code":"TOKEN_EXPIRED","retry":"refresh"}"#
        );
    }

    #[test]
    fn codes_are_sorted_and_distinct() {
        let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }
}
