use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{SessionId, Timestamp, TokenId, UserId};

/// What no longer counts: one token, a login, everything of a user, or everything a key has signed.
///
/// Ids of tokens, sessions and keys mean something only together with their issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RevocationTarget {
    /// All tokens that this key of the issuer signed, by its `kid` or thumbprint.
    Key {
        /// Whose key it is: the identity's issuer.
        issuer: Arc<str>,
        /// The identity's key id.
        key_id: Arc<str>,
    },
    /// All tokens of one login.
    Session {
        /// Whose session it is: the identity's issuer.
        issuer: Arc<str>,
        /// The identity's session.
        session: SessionId,
    },
    /// One token.
    Token {
        /// Whose token it is: the identity's issuer.
        issuer: Arc<str>,
        /// The identity's token.
        token: TokenId,
    },
    /// All tokens of a user.
    User(UserId),
}

/// Something that is revoked, from when on, and for how long that has to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What.
    pub target: RevocationTarget,
    /// Only tokens that were issued then or before; `None`: whenever they were issued. A token that does not say when
    /// it was issued was issued before.
    pub issued_before: Option<Timestamp>,
    /// When it was decided.
    pub revoked_at: Timestamp,
    /// By then all tokens that it is about have expired; `None`: it is never forgotten.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: RevocationReason,
}

impl Revocation {
    /// This and what was decided before about the same target: what either revokes stays revoked. The reason is this
    /// one's.
    #[must_use]
    pub fn and(mut self, before: &Self) -> Self {
        debug_assert_eq!(self.target, before.target);
        self.issued_before = later(self.issued_before, before.issued_before);
        self.until = later(self.until, before.until);
        self
    }

    /// Whether it is about tokens that were issued at `issued_at`.
    pub fn covers(&self, issued_at: Option<Timestamp>) -> bool {
        match (self.issued_before, issued_at) {
            (Some(issued_before), Some(issued_at)) => issued_at <= issued_before,
            (None, _) | (_, None) => true,
        }
    }

    /// Whether it can be forgotten.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// `None` is the end of time.
fn later(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.zip(other).map(|(one, other)| one.max(other))
}

macro_rules! reasons {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal; )*) => {
        /// Why something was revoked. Clients see it in `auth:revoked`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum RevocationReason {
            $( $(#[doc = $doc])+ #[serde(rename = $name)] $variant, )*
        }

        impl RevocationReason {
            /// All reasons.
            pub const ALL: &[Self] = &[$( Self::$variant ),*];

            /// The reason as clients, the log and the store have it.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }
        }
    };
}

reasons! {
    /// The user was blocked by an operator.
    Blocked = "blocked";
    /// The key is not to be trusted any more.
    KeyRevoked = "key_revoked";
    /// The user logged out.
    LoggedOut = "logged_out";
    /// The user changed the password on another device.
    PasswordChanged = "password_changed";
    /// A refresh token was used twice: it may have been stolen.
    RefreshReused = "refresh_reused";
    /// An operator or a backend revoked it.
    Revoked = "revoked";
    /// The user has more sessions or sockets than allowed, and this was the oldest.
    SessionLimit = "session_limit";
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not the name of a [`RevocationReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownReason;

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a reason for a revocation")
    }
}

impl std::error::Error for UnknownReason {}

impl FromStr for RevocationReason {
    type Err = UnknownReason;

    fn from_str(name: &str) -> Result<Self, UnknownReason> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == name).ok_or(UnknownReason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(issued_before: Option<u64>, until: Option<u64>) -> Revocation {
        Revocation {
            target: RevocationTarget::User(UserId::new("ada").expect("a good name")),
            issued_before: issued_before.map(Timestamp),
            revoked_at: Timestamp(100),
            until: until.map(Timestamp),
            reason: RevocationReason::Revoked,
        }
    }

    #[test]
    fn a_cut_off_covers_what_was_issued_at_it_or_before() {
        let cut_off = revocation(Some(100), None);
        for (issued_at, covered) in
            [(Some(99), true), (Some(100), true), (Some(101), false), (None, true), (Some(0), true)]
        {
            assert_eq!(cut_off.covers(issued_at.map(Timestamp)), covered, "{issued_at:?}");
        }
        assert!(revocation(None, None).covers(Some(Timestamp(u64::MAX))));
    }

    #[test]
    fn what_either_revokes_stays_revoked() {
        let cases = [
            ((Some(1), Some(5)), (Some(2), Some(4)), (Some(2), Some(5))),
            ((None, Some(5)), (Some(2), None), (None, None)),
            ((Some(3), None), (None, Some(4)), (None, None)),
        ];
        for ((issued, until), (issued_before, until_before), (expected, expected_until)) in cases {
            let both = revocation(issued, until).and(&revocation(issued_before, until_before));
            assert_eq!(both, revocation(expected, expected_until));
        }
    }

    #[test]
    fn reasons_have_names() {
        for reason in RevocationReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        assert_eq!("Blocked".parse::<RevocationReason>(), Err(UnknownReason));
    }
}
