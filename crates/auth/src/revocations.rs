//! Which tokens no longer count, though they were signed correctly and their time is not over.

use std::collections::{BTreeMap, HashMap};

use roomkey_model::{Revocation, RevocationReason, RevocationTarget, Timestamp, UserId};

use crate::Identity;

/// All revocations that still matter, in memory.
///
/// A token is named by its issuer and its `jti`, or by a digest of what was signed: never by its text or its
/// signature, which can be written in more than one way for the same token.
#[derive(Debug, Default)]
pub struct Revocations {
    terms: HashMap<RevocationTarget, Terms>,
    /// What may be over when a minute since 1970 has begun: forgetting costs as much as there is to forget.
    ends: BTreeMap<u64, Vec<RevocationTarget>>,
}

const MINUTE_MS: u64 = 60_000;

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
        let before = self.terms.insert(target.clone(), Terms { issued_before, until, reason });
        let bucket = |until: Option<Timestamp>| until.map(|until| until.0 / MINUTE_MS + 1);
        let known = before.and_then(|before| bucket(before.until));
        if let Some(minute) = bucket(until).filter(|minute| Some(*minute) != known) {
            self.ends.entry(minute).or_default().push(target);
        }
    }

    /// Why this identity's token does not count; `None` if it does.
    pub fn find(&self, identity: &Identity) -> Option<RevocationReason> {
        if self.terms.is_empty() {
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
        let terms = self.terms.get(&RevocationTarget::User(user.clone()));
        terms.is_some_and(|terms| terms.issued_before.is_none())
    }

    /// Forgets what is over, to the minute.
    pub fn purge(&mut self, now: Timestamp) {
        let later = self.ends.split_off(&(now.0 / MINUTE_MS + 1));
        for target in std::mem::replace(&mut self.ends, later).into_values().flatten() {
            // It may have been prolonged since.
            let is_over = |terms: &Terms| terms.until.is_some_and(|until| until <= now);
            if self.terms.get(&target).is_some_and(is_over) {
                self.terms.remove(&target);
            }
        }
        // What a flood has taken is given back.
        if self.terms.capacity() > 4 * self.terms.len() {
            self.terms.shrink_to(2 * self.terms.len());
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    fn find_target(&self, target: &RevocationTarget) -> Option<Revocation> {
        let Terms { issued_before, until, reason } = *self.terms.get(target)?;
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
