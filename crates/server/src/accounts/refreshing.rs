use roomkey_auth::RefreshToken;
use roomkey_model::{ErrorCode, Failure, Retry, RevocationReason, RevocationTarget, SessionId, Timestamp};
use roomkey_store::{Rotated, Rotation, Session};

use super::{Accounts, Device, LoggedIn, fault};

/// How long a client that did not get the answer may ask again with the token it had.
const GRACE_MS: u64 = 10_000;
/// How long the server may be away, so that an answer which it could not give is given once it is back.
const ABSENCE_MS: u64 = 60_000;

/// Why a session was not continued.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What the client is told.
    pub(crate) failure: Failure,
    /// The session that was ended since its token had been used before.
    pub(crate) reused: Option<Session>,
}

impl<F: Into<Failure>> From<F> for Refused {
    fn from(failure: F) -> Self {
        Self { failure: failure.into(), reused: None }
    }
}

impl Accounts {
    /// Continues a session: exchanges its refresh token for a new one, and signs an access token.
    ///
    /// Live sockets of the session stay. A token that was exchanged before ends the session with all that lives by it:
    /// somebody else has it, and nobody can tell who is who.
    pub(crate) async fn refresh(&self, token: &str, device: Device<'_>) -> Result<LoggedIn, Refused> {
        let issuer = self.issuer()?;
        let (presented, tag_key) = self.issued(token).await?.ok_or(ErrorCode::TokenInvalid)?;
        let now = self.clock.now();
        let salt = self.random_bytes();
        let successor = presented.successor(&salt, &tag_key);
        let rotation = Rotation {
            session: presented.session(),
            presented: presented.digest(),
            successor: (salt, successor.digest()),
            retry_since: self.retry_since(now),
            now,
            idle_ends: now.plus_ms(self.lifetimes.idle_ms),
            address: Some(device.address.to_string()),
            revocation: self.revoker.revocation(
                self.session_target(presented.session())?,
                None,
                RevocationReason::RefreshReused,
            ),
        };
        let (session, refresh) = match self.store.rotate(rotation).await.map_err(|error| fault(&error))? {
            Rotated::Exchanged(session) => (session, successor),
            Rotated::Retried(session, salt) => (session, presented.successor(&salt, &tag_key)),
            Rotated::Reused(session) => {
                return Err(Refused { failure: ErrorCode::TokenRevoked.into(), reused: Some(session) });
            }
            Rotated::Ended => return Err(ErrorCode::TokenRevoked.into()),
            Rotated::Expired => {
                // There is nothing that could be refreshed.
                let failure = Failure { retry: Retry::Never, ..ErrorCode::TokenExpired.into() };
                return Err(failure.into());
            }
            Rotated::Unknown => return Err(ErrorCode::TokenInvalid.into()),
        };
        let account = self.store.account(&session.user).await.map_err(|error| fault(&error))?;
        match account {
            Some(account) if !self.revoker.is_blocked(&account.user) => {
                Ok(self.logged_in(issuer, account, session, &refresh))
            }
            _ => Err(ErrorCode::TokenRevoked.into()),
        }
    }

    /// The refresh token, if it is one that was issued, and what its tag was made with.
    pub(super) async fn issued(&self, token: &str) -> Result<Option<(RefreshToken, [u8; 32])>, Failure> {
        let Some(token) = RefreshToken::parse(token) else { return Ok(None) };
        let tag_key = self.store.refresh_tag_key(&token.session()).await.map_err(|error| fault(&error))?;
        Ok(tag_key.filter(|tag_key| token.was_issued(tag_key)).map(|tag_key| (token, tag_key)))
    }

    /// All access tokens of one of our sessions.
    pub(super) fn session_target(&self, session: SessionId) -> Result<RevocationTarget, Failure> {
        Ok(RevocationTarget::Session { issuer: self.issuer()?.issuer().into(), session })
    }

    /// Since when a token must have been exchanged for its owner to ask again.
    fn retry_since(&self, now: Timestamp) -> Timestamp {
        let just_started = now.since_ms(self.started) < GRACE_MS;
        let (from, ms) = if just_started { (self.started, ABSENCE_MS) } else { (now, GRACE_MS) };
        Timestamp(from.0.saturating_sub(ms))
    }
}
