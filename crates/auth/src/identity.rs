use std::{fmt, sync::Arc};

use roomkey_model::{SessionId, Timestamp, TokenId, UserId};

use crate::{KeptClaims, Scopes};

/// Who a verified token speaks for, and until when.
///
/// Only [`Verifier::verify`](crate::Verifier::verify) makes one from outside. Equality of users is equality of
/// [`user`](Self::user): names and e-mail addresses are for display and never authorize.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The issuer's user prefix and the subject; what rooms and the store know the user by.
    pub user: UserId,
    /// The `iss` of the issuer's profile; the profile's name where its tokens have none.
    pub issuer: Arc<str>,
    /// The subject at the issuer, as signed.
    pub subject: Arc<str>,
    /// `sid`, `session_id` or `session_state`: the login this token belongs to.
    pub session: Option<SessionId>,
    /// What revokes exactly this token, together with [`issuer`](Self::issuer).
    pub token: TokenId,
    /// `iat`, to the millisecond where the issuer tells (`iat_ms`).
    pub issued_at: Option<Timestamp>,
    /// `exp`; `None` only where the profile allows tokens without.
    pub expires_at: Option<Timestamp>,
    /// When a live connection of this token ends: `expires_at` and the same leeway that verification allows.
    pub deadline: Option<Timestamp>,
    /// For display.
    pub name: Option<Arc<str>>,
    /// For display.
    pub email: Option<Arc<str>>,
    /// Roles at the issuer, from the one claim that the profile names.
    pub roles: Arc<[Arc<str>]>,
    /// What the token is good for.
    pub scopes: Scopes,
    /// The claims that policy rules speak of.
    pub claims: KeptClaims,
    /// The key that signed: its configured `kid`, or the thumbprint of a public key without one.
    pub key_id: Option<Arc<str>>,
}

impl Identity {
    /// Of a user whose token is not known: with no roles and no claims, and all scopes.
    pub fn without_token(user: UserId) -> Self {
        Self {
            issuer: Arc::default(),
            subject: user.as_str().into(),
            session: None,
            token: TokenId::new("none").expect("a good id"),
            issued_at: None,
            expires_at: None,
            deadline: None,
            name: None,
            email: None,
            roles: Arc::default(),
            scopes: Scopes::ALL,
            claims: KeptClaims::default(),
            key_id: None,
            user,
        }
    }

    /// Whether the two have the same rights, as far as a token says: roles, scopes and claims.
    pub fn has_rights_of(&self, other: &Self) -> bool {
        self.roles == other.roles && self.scopes == other.scopes && self.claims == other.claims
    }
}

/// Leaves out the name and the e-mail address: personal data does not belong in logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("user", &self.user)
            .field("issuer", &self.issuer)
            .field("session", &self.session)
            .field("token", &self.token)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .field("roles", &self.roles)
            .field("scopes", &self.scopes)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
