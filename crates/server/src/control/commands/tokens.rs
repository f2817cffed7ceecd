use std::sync::Arc;

use roomkey_auth::{Identity, Inspection, TokenError, Verifier};
use roomkey_model::{ErrorCode, Failure, RevocationReason, RevocationTarget, SessionId, Timestamp, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    audit::{Event, session_tag},
    control::{Command, Named, Operator},
    key_ring::SIGNS,
    revocation::LiveTokens,
};

/// Looks at a token as the server would.
#[derive(Serialize, Deserialize)]
pub(crate) struct Inspect {
    pub(crate) token: String,
}

/// What there is to say about a token. What it claims is not verified unless it is accepted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Report {
    pub(crate) accepted: bool,
    /// What clients see of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// The rule that refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Whom it speaks for, where it is right but for its age or a revocation.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) speaker: Option<Speaker>,
    /// The profile that it was verified by.
    pub(crate) profile: Option<String>,
    pub(crate) header: Option<Value>,
    pub(crate) claims: Option<Value>,
}

/// Whom a token speaks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Speaker {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) user: String,
    pub(crate) session: Option<String>,
    pub(crate) token: String,
    pub(crate) key: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) issued_at: Option<String>,
    pub(crate) expires_at: Option<String>,
}

impl Report {
    /// What this verifier and these revocations make of a token.
    pub(crate) fn new(token: &str, verifier: &Verifier, live_tokens: &LiveTokens, now: Timestamp) -> Self {
        let Inspection { header, claims, profile, verdict } = verifier.inspect(token, now);
        let report = Self { profile, header, claims, ..Self::default() };
        match verdict {
            Err(error) => Self { reason: Some(error.to_string()), ..report.refused(&error) },
            Ok(identity) => match live_tokens.check(&identity) {
                Ok(()) => Self { accepted: true, speaker: Some(Speaker::new(&identity)), ..report },
                Err(reason) => Self {
                    reason: Some(in_words(reason).to_owned()),
                    speaker: Some(Speaker::new(&identity)),
                    ..report.refused(&TokenError::Revoked)
                },
            },
        }
    }

    fn refused(self, error: &TokenError) -> Self {
        Self { code: Some(error.code().as_str().to_owned()), ..self }
    }
}

fn in_words(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::Blocked => "its user is blocked",
        RevocationReason::KeyRevoked => "the key that signed it was revoked",
        RevocationReason::LoggedOut => "its session was logged out",
        RevocationReason::PasswordChanged => "its user has changed the password since",
        RevocationReason::RefreshReused => "a refresh token of its session was used twice",
        RevocationReason::Revoked => "it was revoked, or its session, or all that its user had at the time",
        RevocationReason::SessionLimit => "its user has logged in too many times since",
    }
}

impl Speaker {
    fn new(identity: &Identity) -> Self {
        Self {
            issuer: identity.issuer.to_string(),
            subject: identity.subject.to_string(),
            user: identity.user.to_string(),
            session: identity.session.as_ref().map(ToString::to_string),
            token: identity.token.to_string(),
            key: identity.key_id.as_deref().map(str::to_owned),
            name: identity.name.as_deref().map(str::to_owned),
            email: identity.email.as_deref().map(str::to_owned),
            roles: identity.roles.iter().map(ToString::to_string).collect(),
            issued_at: identity.issued_at.map(Timestamp::to_rfc3339),
            expires_at: identity.expires_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl Command for Inspect {
    type Answer = Report;

    const PATH: &'static str = "/tokens/inspect";

    async fn run(self, operator: Arc<Operator>) -> Result<Report, Failure> {
        let now = operator.clock.now();
        operator.authentication.fetch_keys(&self.token, now).await;
        let verifier = operator.authentication.verifier();
        Ok(Report::new(&self.token, &verifier, &operator.live_tokens, now))
    }
}

/// Refuses tokens from now on, and closes the sockets that live by them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Revoke {
    /// All that a key has signed.
    Key { issuer: Option<String>, kid: String },
    /// All of a login.
    Session { issuer: Option<String>, sid: String },
    /// This one.
    Token(String),
    /// The one with this id.
    TokenId { issuer: Option<String>, jti: String },
    /// All that a user has; those issued later are accepted.
    User { user: Named, issued_before: Option<Timestamp> },
}

/// What a revocation did.
#[derive(Serialize, Deserialize)]
pub(crate) struct Revoked {
    /// How many sockets were closed.
    pub(crate) sockets: usize,
}

impl Command for Revoke {
    type Answer = Revoked;

    const PATH: &'static str = "/tokens/revoke";

    async fn run(self, operator: Arc<Operator>) -> Result<Revoked, Failure> {
        let reason = RevocationReason::Revoked;
        let revoke = async |target: RevocationTarget, reason| {
            let named = in_audit_log(&target);
            let swept = operator.revoker.revoke(target, None, reason).await?;
            operator.record(Event::TokenRevoked, reason.as_str(), &named);
            Ok::<_, Failure>(swept)
        };
        let swept = match self {
            Self::Key { issuer, kid } => {
                let issuer = operator.issuer(issuer)?;
                let ours = operator.keys.as_ref().filter(|keys| *keys.issuer() == *issuer);
                if ours.is_some_and(|keys| keys.signs_with(&kid)) {
                    return Err(Failure::with_message(ErrorCode::Conflict, SIGNS));
                }
                let target = RevocationTarget::Key { issuer, key_id: kid.into() };
                revoke(target, RevocationReason::KeyRevoked).await?
            }
            Self::Session { issuer, sid } => {
                let issuer = operator.issuer(issuer)?;
                let session = SessionId::new(sid).map_err(|error| bad("the session", &error))?;
                let target = RevocationTarget::Session { issuer: issuer.clone(), session: session.clone() };
                let swept = operator.accounts.revoke_session(issuer, &session).await?;
                operator.record(Event::TokenRevoked, reason.as_str(), &in_audit_log(&target));
                swept
            }
            Self::TokenId { issuer, jti } => {
                let token = TokenId::new(jti).map_err(|error| bad("the token", &error))?;
                let target = RevocationTarget::Token { issuer: operator.issuer(issuer)?, token };
                revoke(target, reason).await?
            }
            Self::Token(token) => {
                let now = operator.clock.now();
                let identity = operator.authentication.verifier().verify_past(token.trim(), now);
                let identity = identity
                    .map_err(|error| Failure::bad_payload(format!("it is refused anyway: {error}")))?;
                let target = RevocationTarget::Token { issuer: identity.issuer, token: identity.token };
                revoke(target, reason).await?
            }
            Self::User { user, issued_before } => {
                let issued_before = issued_before.unwrap_or_else(|| operator.clock.now());
                let user = operator.user(&user).await?;
                let swept = operator.accounts.end_all_sessions(&user, Some(issued_before), reason).await?;
                operator.record(Event::TokenRevoked, reason.as_str(), user.as_str());
                swept
            }
        };
        Ok(Revoked { sockets: swept.sockets })
    }
}

/// Nothing that could be used to get in.
fn in_audit_log(target: &RevocationTarget) -> String {
    match target {
        RevocationTarget::Key { key_id, .. } => format!("key {key_id}"),
        RevocationTarget::Session { session, .. } => format!("session {}", session_tag(session)),
        RevocationTarget::Token { token, .. } => format!("token {token}"),
        RevocationTarget::User(user) => user.to_string(),
    }
}

fn bad(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::with_message(ErrorCode::BadPayload, format!("{what}: {error}"))
}
