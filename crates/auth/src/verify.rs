//! One token, checked stage by stage; each stage is a file. Cheap checks come first, and nothing a token says is
//! believed before its signature: until then `iss`, `kid` and `alg` only select among what is configured.

mod audience;
mod claims;
mod compact;
mod header;
mod inspection;
mod key_choice;
mod lifetime;
mod peek;
mod subject;

use std::{collections::HashMap, sync::Arc};

use roomkey_model::{Timestamp, UserId};

use crate::{ConfigError, Identity, InvalidReason, IssuerProfile, TokenError, VerifyingKey, profile};
use claims::Claims;
use compact::Compact;
use header::Header;

pub use inspection::Inspection;

pub(crate) use subject::SUBJECT_BYTES_MAX;

/// Turns tokens into identities, by the profiles it was made with.
///
/// Immutable: when keys change, make a new one. Verifying takes time (tens to hundreds of microseconds for
/// public keys), no lock and no memory beyond the token's own size.
#[derive(Debug)]
pub struct Verifier {
    profiles: Vec<Arc<Profile>>,
    by_issuer: HashMap<String, Arc<Profile>>,
    without_issuer: Option<Arc<Profile>>,
}

/// A checked profile and what follows from it.
#[derive(Debug)]
struct Profile {
    rules: IssuerProfile,
    issuer: Arc<str>,
    /// The user prefixes of other profiles that begin with this one's.
    foreign_prefixes: Vec<String>,
}

impl Verifier {
    /// Bytes a token may have.
    pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

    /// Checks the profiles, each and against each other.
    pub fn new(profiles: Vec<IssuerProfile>) -> Result<Self, ConfigError> {
        profile::check(&profiles)?;
        let prefixes: Vec<String> = profiles.iter().map(|profile| profile.user_prefix.clone()).collect();
        let profiles: Vec<_> =
            profiles.into_iter().map(|rules| Arc::new(Profile::new(rules, &prefixes))).collect();
        let with_issuer =
            profiles.iter().filter_map(|profile| Some((profile.rules.issuer.exact()?, profile)));
        Ok(Self {
            by_issuer: with_issuer.map(|(issuer, profile)| (issuer.to_owned(), profile.clone())).collect(),
            without_issuer: profiles.iter().find(|profile| profile.rules.issuer.takes_absent()).cloned(),
            profiles,
        })
    }

    /// The same rules with other keys for the profile of this name, as after a rotation.
    pub fn with_keys(&self, profile: &str, keys: &[VerifyingKey]) -> Result<Self, ConfigError> {
        let mut profiles: Vec<_> = self.profiles.iter().map(|profile| profile.rules.clone()).collect();
        for rules in profiles.iter_mut().filter(|rules| rules.name == profile) {
            rules.keys = keys.to_vec();
        }
        Self::new(profiles)
    }

    /// The identity that `token` proves at `now`.
    ///
    /// [`TokenError::Expired`] is the last check: it means that everything else about the token is right, so
    /// that fetching a new one helps. Whether the token was revoked is for the caller to ask.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        let compact = Compact::split(token)?;
        let header = Header::parse(&compact.header()?)?;
        let payload = compact.payload()?;
        let profile = self.profile(peek::issuer(&payload)?.as_deref())?;
        let rules = &profile.rules;
        header.require_type(rules.token_type)?;
        let key = key_choice::verify(rules, &header, &compact)?;

        let claims = Claims::parse(&payload)?;
        audience::check(rules, &claims)?;
        let subject = subject::subject(rules, &claims)?;
        let user = profile.user(&subject)?;
        let life = lifetime::check(rules, &claims, now)?;
        let identity = Identity {
            user,
            issuer: profile.issuer.clone(),
            subject,
            session: claims.session()?,
            token: claims.token_id(compact.signing_input())?,
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            deadline: life.deadline,
            name: claims.display_text(&rules.name_claims),
            email: claims.display_text(rules.email_claim.as_slice()),
            roles: claims.roles(rules.roles_claim.as_ref())?,
            key_id: key.name(),
        };
        if life.is_over(now) { Err(TokenError::Expired) } else { Ok(identity) }
    }

    /// The longest time for which a token of this issuer, or with `None` of any, can be valid from when it is issued;
    /// `None` if there is no limit to it.
    pub fn lifetime_max_ms(&self, issuer: Option<&str>) -> Option<u64> {
        let of_issuer =
            self.profiles.iter().filter(|profile| issuer.is_none_or(|name| *profile.issuer == *name));
        let lifetime = |profile: &Arc<Profile>| {
            let rules = &profile.rules;
            // Tokens may begin as much as the leeway from now, and end as much later.
            Some(rules.lifetime_max_ms.filter(|_| rules.require_exp)?.saturating_add(2 * rules.leeway_ms))
        };
        of_issuer.map(lifetime).try_fold(0, |longest, lifetime| Some(lifetime?.max(longest)))
    }

    /// What an operator should know when the server starts: every rule that is switched off.
    pub fn warnings(&self) -> Vec<String> {
        self.profiles.iter().flat_map(|profile| profile.rules.warnings()).collect()
    }

    /// The one profile for this `iss`. There is no fallback: an unknown issuer has no profile.
    fn profile(&self, issuer: Option<&str>) -> Result<&Profile, InvalidReason> {
        let profile = match issuer {
            Some(issuer) => self.by_issuer.get(issuer),
            None => self.without_issuer.as_ref(),
        };
        profile.map(Arc::as_ref).ok_or(InvalidReason::IssuerUnknown)
    }
}

impl Profile {
    fn new(rules: IssuerProfile, prefixes: &[String]) -> Self {
        let own = &rules.user_prefix;
        let foreign_prefixes =
            prefixes.iter().filter(|other| *other != own && other.starts_with(own)).cloned().collect();
        let issuer = rules.issuer.exact().unwrap_or(&rules.name).into();
        Self { rules, issuer, foreign_prefixes }
    }

    /// The user id of this subject, unless it would read as a user of another issuer.
    fn user(&self, subject: &str) -> Result<UserId, InvalidReason> {
        let id = format!("{}{subject}", self.rules.user_prefix);
        if self.foreign_prefixes.iter().any(|prefix| id.starts_with(prefix)) {
            return Err(InvalidReason::SubjectForeign);
        }
        UserId::new(id).map_err(|_| InvalidReason::SubjectMalformed)
    }
}
