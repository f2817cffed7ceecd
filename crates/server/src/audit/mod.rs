//! The record of every security decision, in the words of the OWASP logging vocabulary.
#![allow(dead_code, unused_imports, reason = "the routes that use all of it follow")]

use std::net::IpAddr;

use roomkey_model::{SessionId, UserId};

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// An account was logged in to, or a token was accepted for the first time.
    LoginSucceeded,
    /// A password or a token was refused.
    LoginFailed,
    /// A token was refused that may not be used any more, or something was revoked.
    TokenRevoked,
    /// A token was shown that belongs to somebody else than the connection.
    PrincipalMismatch,
    /// The token of a live socket was renewed.
    SessionRenewed,
    /// The token of a live socket came to its end.
    SessionExpired,
    /// A user may come back.
    UserUnblocked,
}

impl Event {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LoginSucceeded => "authn_login_success",
            Self::LoginFailed => "authn_login_fail",
            Self::TokenRevoked => "authn_token_revoked",
            Self::PrincipalMismatch => "authz_fail",
            Self::SessionRenewed => "session_renewed",
            Self::SessionExpired => "session_expired",
            Self::UserUnblocked => "authz_change",
        }
    }
}

/// One decision. Never holds a secret, nor text from a token that was not verified.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) event: Event,
    /// Who did it, or tried to, as far as that is proven.
    pub(crate) user: Option<&'a UserId>,
    pub(crate) session: Option<&'a SessionId>,
    pub(crate) address: Option<IpAddr>,
    /// The `Origin` of the request.
    pub(crate) origin: Option<&'a str>,
    /// The rule that decided.
    pub(crate) reason: Option<&'a str>,
    /// Whom or what it is about, where that is not who did it.
    pub(crate) target: Option<&'a str>,
}

impl Record<'_> {
    /// A decision of which nothing else is known.
    pub(crate) fn new(event: Event) -> Self {
        Self { event, user: None, session: None, address: None, origin: None, reason: None, target: None }
    }
}

/// Where records go.
#[derive(Debug, Default)]
pub(crate) struct Audit;

impl Audit {
    /// Takes a record. Never blocks.
    pub(crate) fn record(&self, record: &Record<'_>) {
        tracing::info!(
            event = record.event.as_str(),
            user = record.user.map(UserId::as_str),
            address = record.address.map(|address| address.to_string()),
            origin = record.origin,
            reason = record.reason,
            target = record.target,
            "security"
        );
    }
}
