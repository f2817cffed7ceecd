use roomkey_auth::Identity;
use roomkey_model::{Revocation, RevocationTarget, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// Whose a socket is: only they can recover it. Nobody's in an open namespace, where the private id alone counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    user: Option<UserId>,
    session: Option<SessionId>,
}

impl Owner {
    pub(crate) fn new(identity: Option<&Identity>) -> Self {
        Self {
            user: identity.map(|identity| identity.user.clone()),
            session: identity.and_then(|identity| identity.session.clone()),
        }
    }

    /// The user, where one was asked for.
    pub(crate) fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// The login, where the token told.
    pub(super) fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// Whether a revocation is about all that this owner may have: of which issuer a session is was not kept.
    pub(super) fn is_revoked_by(&self, revocation: &Revocation) -> bool {
        match &revocation.target {
            RevocationTarget::Session { session, .. } => self.session.as_ref() == Some(session),
            RevocationTarget::User(user) => self.user.as_ref() == Some(user),
            RevocationTarget::Key { .. } | RevocationTarget::Token { .. } => false,
        }
    }
}
