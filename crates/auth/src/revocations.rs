//! Which tokens no longer count, though they were signed correctly and their time is not over.

use std::collections::HashMap;

use roomkey_model::{Revocation, RevocationReason, RevocationTarget, Timestamp, UserId};

use crate::Identity;

/// All revocations that still matter, in memory.
///
/// A token is named by its issuer and its `jti`, or by a digest of what was signed: never by its text or its
/// signature, which can be written in more than one way for the same token.
#[derive(Debug, Default)]
pub struct Revocations(HashMap<RevocationTarget, Terms>);

/// What a [`Revocation`] says about its target, in as few bytes as there can be many of them.
#[derive(Clone, Copy, Debug)]
struct Terms {
    issued_before: Option<Timestamp>,
    until: Option<Timestamp>,
    reason: RevocationReason,
}

impl Revocations {
    /// Adds one. What was revoked before stays revoked.
    pub fn apply(&mut self, revocation: &Revocation) {
        let before = self.find_target(&revocation.target);
        let revocation = before.map_or_else(|| revocation.clone(), |before| revocation.clone().and(&before));
        self.replace(revocation);
    }

    /// Puts one in the place of what was decided before about its target, which may be less than was revoked then.
    pub fn replace(&mut self, revocation: Revocation) {
        let Revocation { target, issued_before, until, reason, revoked_at: _ } = revocation;
        self.0.insert(target, Terms { issued_before, until, reason });
    }

    /// Why this identity's token does not count; `None` if it does.
    pub fn find(&self, identity: &Identity) -> Option<RevocationReason> {
        if self.0.is_empty() {
            return None;
        }
        let issuer = || identity.issuer.clone();
        let session = identity.session.clone();
        let key = identity.key_id.clone();
        [
            Some(RevocationTarget::User(identity.user.clone())),
            session.map(|session| RevocationTarget::Session { issuer: issuer(), session }),
            Some(RevocationTarget::Token { issuer: issuer(), token: identity.token.clone() }),
            key.map(|key_id| RevocationTarget::Key { issuer: issuer(), key_id }),
        ]
        .into_iter()
        .flatten()
        .filter_map(|target| self.find_target(&target))
        .find(|revocation| revocation.covers(identity.issued_at))
        .map(|revocation| revocation.reason)
    }

    /// Whether a user is kept out whatever token they have.
    pub fn is_blocked(&self, user: &UserId) -> bool {
        let terms = self.0.get(&RevocationTarget::User(user.clone()));
        terms.is_some_and(|terms| terms.issued_before.is_none())
    }

    /// Forgets what is over.
    pub fn purge(&mut self, now: Timestamp) {
        self.0.retain(|_, terms| terms.until.is_none_or(|until| until > now));
        // What a flood has taken is given back.
        if self.0.capacity() > 4 * self.0.len() {
            self.0.shrink_to(2 * self.0.len());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find_target(&self, target: &RevocationTarget) -> Option<Revocation> {
        let Terms { issued_before, until, reason } = *self.0.get(target)?;
        Some(Revocation { target: target.clone(), issued_before, revoked_at: Timestamp(0), until, reason })
    }
}

impl Identity {
    /// Whether a revocation is about this identity's token.
    pub fn is_revoked_by(&self, revocation: &Revocation) -> bool {
        let is_target = match &revocation.target {
            RevocationTarget::Key { issuer, key_id } => {
                self.issuer == *issuer && self.key_id.as_ref() == Some(key_id)
            }
            RevocationTarget::Session { issuer, session } => {
                self.issuer == *issuer && self.session.as_ref() == Some(session)
            }
            RevocationTarget::Token { issuer, token } => self.issuer == *issuer && self.token == *token,
            RevocationTarget::User(user) => self.user == *user,
        };
        is_target && revocation.covers(self.issued_at)
    }
}
