//! One token, checked stage by stage; each stage is a file. Cheap checks come first, and nothing a token says is
//! believed before its signature: until then `iss`, `kid` and `alg` only select among what is configured.

mod audience;
mod claims;
mod compact;
mod header;
mod inspection;
mod key_choice;
mod lifetime;
mod past;
mod peek;
mod session;
mod subject;

use std::{collections::HashMap, sync::Arc};

use roomkey_model::{Timestamp, UserId};

use crate::{
    AuthJsProfile, ClaimPath, ConfigError, Identity, InvalidReason, IssuerProfile, RemoteKeys, TokenError,
    VerifyingKey,
    jwe::{SEALED_BYTES_MAX, Sealed},
    profile,
};
use claims::Claims;
use compact::Compact;
use header::Header;
use session::SessionProfile;

pub use inspection::Inspection;

pub(crate) use subject::SUBJECT_BYTES_MAX;

/// Turns tokens into identities, by the profiles it was made with.
///
/// Immutable, but for the keys that issuers publish ([`RemoteKeys`]). Verifying takes time (tens to hundreds of microseconds for
/// public keys), no lock that is held meanwhile, and no memory beyond the token's own size.
#[derive(Debug)]
pub struct Verifier {
    profiles: Vec<Arc<Profile>>,
    by_issuer: HashMap<String, Arc<Profile>>,
    without_issuer: Option<Arc<Profile>>,
    sessions: Vec<SessionProfile>,
    kept_claims: KeptPaths,
}

/// A checked profile and what follows from it.
#[derive(Debug)]
struct Profile {
    rules: IssuerProfile,
    issuer: Arc<str>,
    /// The user prefixes of other profiles that begin with this one's.
    foreign_prefixes: Vec<String>,
    kept_claims: KeptPaths,
}

/// The claims that identities keep, by their names and as where they are.
type KeptPaths = Arc<[(Arc<str>, ClaimPath)]>;

impl Verifier {
    /// Bytes a signed token may have.
    pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

    /// Bytes an encrypted token may have.
    pub const SESSION_BYTES_MAX: usize = SEALED_BYTES_MAX;

    /// Checks the profiles, each and against each other.
    pub fn new(profiles: Vec<IssuerProfile>) -> Result<Self, ConfigError> {
        Self::with_sessions(profiles, Vec::new())
    }

    /// The same with applications whose sessions are encrypted.
    pub fn with_sessions(
        profiles: Vec<IssuerProfile>,
        sessions: Vec<AuthJsProfile>,
    ) -> Result<Self, ConfigError> {
        Self::build(profiles, sessions, Arc::default())
    }

    fn build(
        profiles: Vec<IssuerProfile>,
        sessions: Vec<AuthJsProfile>,
        kept_claims: KeptPaths,
    ) -> Result<Self, ConfigError> {
        profile::check(&profiles, &sessions)?;
        let prefixes: Vec<String> = profiles
            .iter()
            .map(|profile| profile.user_prefix.clone())
            .chain(sessions.iter().map(|session| session.user_prefix.clone()))
            .collect();
        let sessions = sessions.into_iter().map(|auth_js| {
            let profile = Profile::new(auth_js.rules(), &prefixes, kept_claims.clone());
            SessionProfile { auth_js, profile }
        });
        let sessions = sessions.collect();
        let profiles: Vec<_> = profiles
            .into_iter()
            .map(|rules| Arc::new(Profile::new(rules, &prefixes, kept_claims.clone())))
            .collect();
        let with_issuer =
            profiles.iter().filter_map(|profile| Some((profile.rules.issuer.exact()?, profile)));
        Ok(Self {
            by_issuer: with_issuer.map(|(issuer, profile)| (issuer.to_owned(), profile.clone())).collect(),
            without_issuer: profiles.iter().find(|profile| profile.rules.issuer.takes_absent()).cloned(),
            profiles,
            sessions,
            kept_claims,
        })
    }

    /// The same rules with other keys for the profile of this name, as after a rotation.
    pub fn with_keys(&self, profile: &str, keys: &[VerifyingKey]) -> Result<Self, ConfigError> {
        let mut profiles: Vec<_> = self.profiles.iter().map(|profile| profile.rules.clone()).collect();
        for rules in profiles.iter_mut().filter(|rules| rules.name == profile) {
            rules.keys = keys.to_vec();
        }
        let sessions = self.sessions.iter().map(|session| session.auth_js.clone()).collect();
        Self::build(profiles, sessions, self.kept_claims.clone())
    }

    /// The same rules, and identities have these claims, which policy rules speak of. Each is written as a
    /// [`ClaimPath`] is.
    pub fn keeping(&self, claims: impl IntoIterator<Item = String>) -> Result<Self, ConfigError> {
        let profiles = self.profiles.iter().map(|profile| profile.rules.clone()).collect();
        let sessions = self.sessions.iter().map(|session| session.auth_js.clone()).collect();
        let paths = claims.into_iter().map(|claim| (claim.as_str().into(), ClaimPath::new(claim)));
        Self::build(profiles, sessions, paths.collect())
    }

    /// The identity that `token` proves at `now`.
    ///
    /// [`TokenError::Expired`] is the last check: it means that everything else about the token is right, so
    /// that fetching a new one helps. Whether the token was revoked is for the caller to ask.
    ///
    /// [`TokenError::KeysUnavailable`] and [`InvalidReason::KeyUnknown`] may change once the keys of
    /// [`Self::remote_keys`] are fetched again.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenError> {
        if Sealed::is_one(token) {
            let session = self.sessions.iter().find(|session| session.auth_js.accept_as_token);
            return session.ok_or(InvalidReason::Encrypted)?.verify(token, now);
        }
        let compact = Compact::split(token)?;
        let header = Header::parse(&compact.header()?)?;
        let payload = compact.payload()?;
        let profile = self.profile(peek::issuer(&payload)?.as_deref())?;
        header.require_type(profile.rules.token_type)?;
        let key_id = key_choice::verify(&profile.rules, &header, &compact, now)?;
        let claims = Claims::parse(&payload)?;
        audience::check(&profile.rules, &claims)?;
        profile.identity(&claims, compact.signing_input(), key_id, now)
    }

    /// The identity that the value of a session cookie proves, where an application has its sessions in `cookie`.
    ///
    /// Only its own profile is asked: a signed token, or what another application encrypted, is none here.
    pub fn verify_session(&self, cookie: &str, value: &str, now: Timestamp) -> Result<Identity, TokenError> {
        let session = self.sessions.iter().find(|session| session.auth_js.cookie() == cookie);
        session.ok_or(InvalidReason::IssuerUnknown)?.verify(value, now)
    }

    /// The cookies that sessions may be in.
    pub fn session_cookies(&self) -> impl Iterator<Item = &str> {
        self.sessions.iter().map(|session| session.auth_js.cookie())
    }

    /// The name and the published keys of the issuer that the token says it is of, if it has such keys.
    pub fn remote_keys(&self, token: &str) -> Option<(&str, &RemoteKeys)> {
        let payload = Compact::split(token).ok()?.payload().ok()?;
        let rules = &self.profile(peek::issuer(&payload).ok()?.as_deref()).ok()?.rules;
        Some((&rules.name, rules.remote_keys.as_ref()?))
    }

    /// The issuers whose tokens are accepted, by the names that identities have for them.
    pub fn issuers(&self) -> impl Iterator<Item = &Arc<str>> {
        let of_sessions = self.sessions.iter().map(|session| &session.profile.issuer);
        self.profiles.iter().map(|profile| &profile.issuer).chain(of_sessions)
    }

    /// The longest time for which a token of this issuer, or with `None` of any, can be valid from when it is issued;
    /// `None` if there is no limit to it, or no such issuer. A token that does not say when it was issued (see
    /// [`IssuerProfile::require_iat`]) may be older than that.
    pub fn lifetime_max_ms(&self, issuer: Option<&str>) -> Option<u64> {
        let all =
            self.profiles.iter().map(Arc::as_ref).chain(self.sessions.iter().map(|session| &session.profile));
        let of_issuer = all.filter(|profile| issuer.is_none_or(|name| *profile.issuer == *name));
        let lifetime = |profile: &Profile| {
            let rules = &profile.rules;
            // Tokens may begin as much as the leeway from now, and end as much later.
            Some(rules.lifetime_max_ms.filter(|_| rules.require_exp)?.saturating_add(2 * rules.leeway_ms))
        };
        let longest = |longest: Option<u64>, lifetime: Option<u64>| Some(lifetime?.max(longest.unwrap_or(0)));
        of_issuer.map(lifetime).try_fold(None, |so_far, lifetime| longest(so_far, lifetime).map(Some))?
    }

    /// What an operator should know when the server starts: every rule that is switched off.
    pub fn warnings(&self) -> Vec<String> {
        let of_sessions = self.sessions.iter().flat_map(|session| session.auth_js.warnings());
        self.profiles.iter().flat_map(|profile| profile.rules.warnings()).chain(of_sessions).collect()
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
    fn new(rules: IssuerProfile, prefixes: &[String], kept_claims: KeptPaths) -> Self {
        let own = &rules.user_prefix;
        let foreign_prefixes =
            prefixes.iter().filter(|other| *other != own && other.starts_with(own)).cloned().collect();
        let issuer = rules.issuer.exact().unwrap_or(&rules.name).into();
        Self { rules, issuer, foreign_prefixes, kept_claims }
    }

    /// What the claims of a token say whose origin is proven, and that its time is not over.
    fn identity(
        &self,
        claims: &Claims,
        signing_input: &[u8],
        key_id: Option<Arc<str>>,
        now: Timestamp,
    ) -> Result<Identity, TokenError> {
        let rules = &self.rules;
        let subject = subject::subject(rules, claims)?;
        let user = self.user(&subject)?;
        let life = lifetime::check(rules, claims, now)?;
        let identity = Identity {
            user,
            issuer: self.issuer.clone(),
            subject,
            session: claims.session()?,
            token: claims.token_id(signing_input)?,
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            deadline: life.deadline,
            name: claims.display_text(&rules.name_claims),
            email: claims.display_text(rules.email_claim.as_slice()),
            roles: claims.roles(rules.roles_claim.as_ref())?,
            scopes: claims.scopes()?,
            claims: claims.kept(&self.kept_claims)?,
            key_id,
        };
        if life.is_over(now) { Err(TokenError::Expired) } else { Ok(identity) }
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
