use std::sync::Arc;

use roomkey_auth::Identity;
use roomkey_model::{Failure, Revocation, RevocationReason, RevocationTarget, SessionId, Timestamp, UserId};
use roomkey_store::Session;

use super::{Accounts, fault};
use crate::revocation::{Sweeping, Swept};

/// Sessions that a list of them has at most.
const LISTED_MAX: usize = 100;

impl Accounts {
    /// The sessions of a user, newest first.
    pub(crate) async fn sessions(&self, user: &UserId) -> Result<Vec<Session>, Failure> {
        let sessions = self.store.sessions_of(user, self.clock.now(), LISTED_MAX).await;
        sessions.map_err(|error| fault(&error))
    }

    /// Ends a session of this user, and the sockets that live by it. `None`: there is none that could be ended.
    pub(crate) async fn end_session(
        &self,
        user: &UserId,
        session: &SessionId,
        reason: RevocationReason,
    ) -> Result<Option<Swept>, Failure> {
        match self.begin_to_end_session(user, session, reason).await? {
            Some(sweeping) => Ok(Some(sweeping.done().await)),
            None => Ok(None),
        }
    }

    /// The same, without waiting for the sockets: what is given does.
    pub(crate) async fn begin_to_end_session(
        &self,
        user: &UserId,
        session: &SessionId,
        reason: RevocationReason,
    ) -> Result<Option<Sweeping>, Failure> {
        let target = self.session_target(session.clone())?;
        let revocation = self.revoker.revocation(target, None, reason);
        let write = || self.store.end_session(session, user, self.clock.now(), revocation.clone());
        let (ended, sweeping) = self.revoker.begin(std::slice::from_ref(&revocation), write).await?;
        Ok(ended.then_some(sweeping))
    }

    /// Ends a session, of ours or of another issuer, on behalf of a backend.
    pub(crate) async fn revoke_session(
        &self,
        issuer: Arc<str>,
        session: &SessionId,
    ) -> Result<Swept, Failure> {
        if self.is_ours(&issuer)
            && let Some(stored) = self.store.session(session).await.map_err(|error| fault(&error))?
        {
            let ended = self.end_session(&stored.user, session, RevocationReason::Revoked).await?;
            return Ok(ended.unwrap_or_default());
        }
        let target = RevocationTarget::Session { issuer, session: session.clone() };
        self.revoker.revoke(target, None, RevocationReason::Revoked).await
    }

    fn is_ours(&self, issuer: &str) -> bool {
        self.issuer.as_ref().is_some_and(|ours| ours.issuer() == issuer)
    }

    /// Ends what the bearer of this token wants to end: the session, or, where its issuer has none, the token. Once it
    /// is ended, there is nothing left to do.
    pub(crate) async fn log_out(&self, identity: &Identity) -> Result<(), Failure> {
        let is_ours = self.is_ours(&identity.issuer);
        if let Some(session) = identity.session.as_ref().filter(|_| is_ours)
            && self.store.session(session).await.map_err(|error| fault(&error))?.is_some()
        {
            return self.end_session(&identity.user, session, RevocationReason::LoggedOut).await.map(|_| ());
        }
        let issuer = identity.issuer.clone();
        let target = match identity.session.clone() {
            Some(session) => RevocationTarget::Session { issuer, session },
            None => RevocationTarget::Token { issuer, token: identity.token.clone() },
        };
        self.revoker.revoke(target, None, RevocationReason::LoggedOut).await.map(|_| ())
    }

    /// Ends the session that a refresh token continues, unless it is known to be somebody else's. Gives the session, if it
    /// was there.
    pub(crate) async fn log_out_by_refresh_token(
        &self,
        token: &str,
        user: Option<&UserId>,
    ) -> Result<Option<Session>, Failure> {
        let Some((token, _)) = self.issued(token).await? else { return Ok(None) };
        let session = self.store.session(&token.session()).await.map_err(|error| fault(&error))?;
        match session {
            Some(session) if user.is_none_or(|user| *user == session.user) => {
                self.end_session(&session.user, &session.session, RevocationReason::LoggedOut).await?;
                Ok(Some(session))
            }
            _ => Ok(None),
        }
    }

    /// Ends the sessions of a user that began by then, and refuses the tokens that were issued by then, whoever issued
    /// them; without a time, whatever there is and will be.
    pub(crate) async fn end_all_sessions(
        &self,
        user: &UserId,
        issued_before: Option<Timestamp>,
        reason: RevocationReason,
    ) -> Result<Swept, Failure> {
        Ok(self.begin_to_end_all_sessions(user, issued_before, reason).await?.done().await)
    }

    /// The same, without waiting for the sockets: what is given does.
    pub(crate) async fn begin_to_end_all_sessions(
        &self,
        user: &UserId,
        issued_before: Option<Timestamp>,
        reason: RevocationReason,
    ) -> Result<Sweeping, Failure> {
        let target = RevocationTarget::User(user.clone());
        let revocation = self.revoker.revocation(target, issued_before, reason);
        let write = || {
            let (now, user_wide, of_sessions) = (self.clock.now(), revocation.clone(), self.revoking(reason));
            // A session that has ended may have tokens that are newer than that, or are just being signed.
            let revoke =
                move |ended: &[SessionId]| [user_wide].into_iter().chain(of_sessions(ended)).collect();
            self.store.end_sessions_of(user, issued_before, now, Box::new(revoke))
        };
        let (_, sweeping) = self.revoker.begin(std::slice::from_ref(&revocation), write).await?;
        Ok(sweeping)
    }

    /// What revokes the tokens of our own sessions, for a write that ends them.
    pub(super) fn revoking(
        &self,
        reason: RevocationReason,
    ) -> impl Fn(&[SessionId]) -> Vec<Revocation> + Clone + Send + 'static {
        let issuer: Option<Arc<str>> = self.issuer.as_ref().map(|issuer| issuer.issuer().into());
        let revoker = self.revoker.clone();
        move |sessions| {
            let issuers = issuer.iter().cycle().cloned();
            let targets = issuers
                .zip(sessions.iter().cloned())
                .map(|(issuer, session)| RevocationTarget::Session { issuer, session });
            targets.map(|target| revoker.revocation(target, None, reason)).collect()
        }
    }
}
