//! `[[auth.issuers]]`: an issuer in an operator's words, and the profile its tokens are verified by.

mod preset;
mod session;

use std::{collections::BTreeMap, fs, path::PathBuf};

use roomkey_auth::{
    Algorithm, AuthJsProfile, ClaimPath, IssuerProfile, IssuerRule, PublicKey, RemoteKeys, RequiredClaim,
    SecretStrength, TokenType, VerifyingKey,
};
use serde::Deserialize;

use super::{
    error::{ConfigError, quoted},
    place::Places,
    secrets,
    values::{Secret, TokenKind},
};
use crate::{KeySet, OutboundUrl};

pub(crate) use preset::Preset;

/// One issuer. What is not set has the strict default; for an issuer with secrets, that of a backend's tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// For messages and logs; unique.
    pub(crate) name: String,
    /// A provider whose tokens are known: `auth0`, `authjs`, `clerk`, `cognito`, `firebase`, `keycloak`, `nextauth` or
    /// `supabase`. It knows what most of the other keys must be, and says which ones it needs.
    preset: Option<Preset>,
    /// For `firebase` and `supabase`: the id of the project.
    project: Option<String>,
    /// For `cognito`: the id of the user pool.
    pool: Option<String>,
    /// For `authjs` and `nextauth`: the cookie of the session. By default the one of an application with HTTPS:
    /// `__Secure-authjs.session-token`, `__Secure-next-auth.session-token`.
    cookie: Option<String>,
    /// For `authjs` and `nextauth`: whether the session may be where tokens are, too, such as in `auth.token`.
    #[serde(default)]
    accept_as_token: bool,
    /// The `iss` of its tokens. Without it: tokens that have no `iss`.
    #[serde(default)]
    issuer: Option<String>,
    /// The algorithms of its tokens: `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `ES256`, `ES384`,
    /// `EdDSA`. By default, those of its keys (RS256 for RSA), HS256 for secrets, and all others for keys that it
    /// publishes.
    #[serde(default)]
    algorithms: Vec<String>,
    /// Secrets that it signs with, the current and retiring ones.
    #[serde(default)]
    pub(super) secrets: Vec<Secret>,
    /// Public keys that check its signatures, as PEM text.
    #[serde(default)]
    public_keys: Vec<String>,
    /// Files with a public key in PEM form, or with a JWK Set.
    #[serde(default)]
    public_key_files: Vec<PathBuf>,
    /// Where it publishes its keys (JWKS), by `https:`. They are fetched ahead of need, and again when it has new ones.
    jwks_url: Option<String>,
    /// Whether `jwks_url` may be on this machine or in a private network.
    #[serde(default)]
    jwks_allow_private: bool,
    /// Whether `jwks_url` may begin with `http:`, on this machine only. For development.
    #[serde(default)]
    jwks_allow_http: bool,
    /// How long its keys are used when they cannot be fetched. Then its tokens are answered with "try again".
    jwks_max_stale_s: Option<u64>,
    /// The `kid` that tokens name the key by, where there is only one.
    #[serde(default)]
    kid: Option<String>,
    /// One of these must be in `aud`.
    #[serde(default)]
    audiences: Vec<String>,
    /// `azp` and `client_id` must be in this list.
    #[serde(default)]
    authorized_parties: Vec<String>,
    /// Claims that must be there with exactly this text.
    #[serde(default)]
    required_claims: BTreeMap<String, String>,
    /// Claims that must have exactly this text if they are there.
    #[serde(default)]
    expected_claims: BTreeMap<String, String>,
    /// Whether a token must say when its user logged in (`auth_time`).
    #[serde(default)]
    require_auth_time: bool,
    /// What the header's `typ` must be: `access-token`, `jwt` or `access-token-or-jwt`.
    token_type: Option<TokenKind>,
    /// Where the user's id is: the first of these that is there. A claim's name, or a JSON pointer.
    subject_claims: Option<Vec<String>>,
    /// Where the display name is: the first of these that is there.
    name_claims: Option<Vec<String>>,
    /// Where the e-mail address is.
    email_claim: Option<String>,
    /// Where the roles are.
    roles_claim: Option<String>,
    /// How far its clock may be off, at most 60.
    leeway_s: Option<u64>,
    /// The longest time from `iat` to `exp`; 0 is any.
    lifetime_max_s: Option<u64>,
    /// Whether a token without `exp` is refused.
    require_exp: Option<bool>,
    /// What the ids of its users begin with; unique. By default the name and a colon.
    user_prefix: Option<String>,
}

/// What an issuer comes to.
pub(super) enum Profile {
    /// Its tokens are signed; perhaps with keys that are to be fetched.
    Signed(Box<IssuerProfile>, Option<KeySet>),
    /// Its tokens are encrypted sessions.
    Session(Box<AuthJsProfile>),
}

/// How long published keys are used without being confirmed.
const MAX_STALE_S: u64 = 24 * 3600;

impl Issuer {
    /// The profile of the issuer at `path`. Reads the key files.
    pub(super) fn profile(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
    ) -> Result<Profile, ConfigError> {
        let mut issuer = self.clone();
        let filled = match self.preset {
            Some(preset) => preset.fill(&mut issuer),
            None => issuer.refuse_preset_keys(),
        };
        filled
            .map_err(|(key, problem)| ConfigError::new(format!("{}.{key}", places.setting(path)), problem))?;
        if self.preset.is_some_and(Preset::is_session) {
            return Ok(Profile::Session(Box::new(issuer.session(path, places, strength)?)));
        }
        let key_set = issuer.key_set(path, places)?;
        let profile = issuer.signed(path, places, strength, key_set.as_ref())?;
        Ok(Profile::Signed(Box::new(profile), key_set))
    }

    /// What an operator should know about where its keys come from.
    pub(super) fn warning(&self) -> Option<String> {
        let is_open = self.jwks_url.as_ref().is_some_and(|url| url.starts_with("http:"));
        is_open.then(|| format!("issuer {}: its keys are fetched without TLS", self.name))
    }

    fn refuse_preset_keys(&self) -> Result<(), preset::Problem> {
        for (is_there, key) in [(self.project.is_some(), "project"), (self.pool.is_some(), "pool")] {
            if is_there {
                return Err((key, "needs a `preset`".to_owned()));
            }
        }
        self.refuse_session_keys()
    }

    /// Where its keys are published, and where they are put.
    fn key_set(&self, path: &str, places: &Places) -> Result<Option<KeySet>, ConfigError> {
        let Some(url) = &self.jwks_url else { return Ok(None) };
        let refuse =
            |problem: String| Err(ConfigError::new(format!("{}.jwks_url", places.setting(path)), problem));
        let is_local = self.jwks_allow_http && url.starts_with("http:");
        let parsed = if is_local {
            OutboundUrl::on_loopback(url)
        } else {
            OutboundUrl::new(url, self.jwks_allow_private)
        };
        let url = match parsed {
            Ok(url) => url,
            Err(problem) => return refuse(problem.to_string()),
        };
        let keys = RemoteKeys::new(to_ms(self.jwks_max_stale_s.unwrap_or(MAX_STALE_S)));
        Ok(Some(KeySet { name: self.name.clone(), url, keys }))
    }

    fn signed(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
        key_set: Option<&KeySet>,
    ) -> Result<IssuerProfile, ConfigError> {
        let keys = self.keys(path, places, strength)?;
        let rule = self.issuer.clone().map_or(IssuerRule::Absent, IssuerRule::Exact);
        let secret = |key: &VerifyingKey| match key {
            VerifyingKey::Hmac(secret) => Some(secret.clone()),
            VerifyingKey::Public(_) => None,
        };
        let is_backend = self.preset.is_none() && key_set.is_none();
        let mut defaults = match keys.iter().map(secret).collect() {
            Some(secrets) if is_backend => IssuerProfile::shared_secret(&self.name, secrets),
            _ => IssuerProfile::new(&self.name, rule.clone(), keys),
        };
        if key_set.is_some() {
            let published = Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric());
            defaults.algorithms.extend(published);
        }
        let algorithms = self.algorithms(path, places)?;
        Ok(IssuerProfile {
            issuer: rule,
            algorithms: if algorithms.is_empty() { defaults.algorithms } else { algorithms },
            remote_keys: key_set.map(|set| set.keys.clone()),
            audiences: self.audiences.clone(),
            authorized_parties: self.authorized_parties.clone(),
            required_claims: claims(&self.required_claims),
            expected_claims: claims(&self.expected_claims),
            require_auth_time: self.require_auth_time,
            token_type: self.token_type.map_or(defaults.token_type, |kind| match kind {
                TokenKind::AccessToken => TokenType::AccessToken,
                TokenKind::AccessTokenOrJwt => TokenType::AccessTokenOrJwt,
                TokenKind::Jwt => TokenType::Jwt,
            }),
            subject_claims: paths(self.subject_claims.as_deref()).unwrap_or(defaults.subject_claims),
            name_claims: paths(self.name_claims.as_deref()).unwrap_or(defaults.name_claims),
            email_claim: self.email_claim.as_ref().map(ClaimPath::new).or(defaults.email_claim),
            roles_claim: self.roles_claim.as_ref().map(ClaimPath::new),
            leeway_ms: self.leeway_s.map_or(defaults.leeway_ms, to_ms),
            lifetime_max_ms: self.lifetime_max_ms(defaults.lifetime_max_ms),
            require_exp: self.require_exp.unwrap_or(defaults.require_exp),
            user_prefix: self.user_prefix(),
            ..defaults
        })
    }

    fn lifetime_max_ms(&self, default: Option<u64>) -> Option<u64> {
        match self.lifetime_max_s {
            None => default,
            Some(0) => None,
            Some(seconds) => Some(to_ms(seconds)),
        }
    }

    fn user_prefix(&self) -> String {
        self.user_prefix.clone().unwrap_or_else(|| format!("{}:", self.name))
    }

    fn keys(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
    ) -> Result<Vec<VerifyingKey>, ConfigError> {
        let mut keys: Vec<VerifyingKey> = Vec::new();
        let algorithms = self.algorithms(path, places)?;
        for (index, secret) in self.secrets.iter().enumerate() {
            let setting = places.setting(&format!("{path}.secrets[{index}]"));
            let algorithm = self.secret_algorithm(path, places)?;
            keys.push(secrets::read(&setting, algorithm, secret, strength)?.into());
        }
        for (index, text) in self.public_keys.iter().enumerate() {
            let setting = places.setting(&format!("{path}.public_keys[{index}]"));
            keys.push(fitted(PublicKey::from_pem(&setting, text)?, &algorithms).into());
        }
        for (index, file) in self.public_key_files.iter().enumerate() {
            let setting = places.setting(&format!("{path}.public_key_files[{index}]"));
            let text = fs::read_to_string(file).map_err(|error| {
                ConfigError::new(&setting, format!("cannot read {}: {error}", file.display()))
            })?;
            if text.trim_start().starts_with('{') {
                let set = PublicKey::from_jwk_set(&setting, text.as_bytes())?;
                keys.extend(set.into_iter().map(VerifyingKey::from));
            } else {
                keys.push(fitted(PublicKey::from_pem(&setting, &text)?, &algorithms).into());
            }
        }
        self.name_key(keys).ok_or_else(|| {
            ConfigError::new(places.setting(&format!("{path}.kid")), "names one key, but there are others")
        })
    }

    /// Gives the only key its `kid`; `None` if it is not the only one.
    fn name_key(&self, mut keys: Vec<VerifyingKey>) -> Option<Vec<VerifyingKey>> {
        let Some(kid) = self.kid.as_deref() else { return Some(keys) };
        match (keys.pop()?, keys.is_empty()) {
            (VerifyingKey::Hmac(secret), true) => Some(vec![secret.with_key_id(kid).into()]),
            (VerifyingKey::Public(key), true) => Some(vec![key.with_key_id(kid).into()]),
            _ => None,
        }
    }

    /// The one algorithm that the secrets are for.
    fn secret_algorithm(&self, path: &str, places: &Places) -> Result<Algorithm, ConfigError> {
        let mut symmetric: Vec<_> =
            self.algorithms(path, places)?.into_iter().filter(|algorithm| algorithm.is_symmetric()).collect();
        match (symmetric.pop(), symmetric.is_empty()) {
            (None, _) if self.algorithms.is_empty() => Ok(Algorithm::Hs256),
            (Some(algorithm), true) => Ok(algorithm),
            _ => Err(ConfigError::new(
                places.setting(&format!("{path}.algorithms")),
                "secrets need exactly one of `HS256`, `HS384` and `HS512`",
            )),
        }
    }

    fn algorithms(&self, path: &str, places: &Places) -> Result<Vec<Algorithm>, ConfigError> {
        let algorithm = |(index, name): (usize, &String)| {
            Algorithm::from_name(name).ok_or_else(|| {
                let names = quoted(Algorithm::ALL.iter().map(|algorithm| algorithm.name()));
                let setting = places.setting(&format!("{path}.algorithms[{index}]"));
                ConfigError::new(setting, format!("must be one of {names}"))
            })
        };
        self.algorithms.iter().enumerate().map(algorithm).collect()
    }
}

/// A key for the algorithm that is listed. One in PEM form does not say which of RSA's it is for.
fn fitted(key: PublicKey, algorithms: &[Algorithm]) -> PublicKey {
    if algorithms.contains(&key.algorithm()) {
        return key;
    }
    let other = algorithms.iter().find_map(|algorithm| key.clone().with_algorithm(*algorithm));
    other.unwrap_or(key)
}

fn claims(claims: &BTreeMap<String, String>) -> Vec<RequiredClaim> {
    let claim = |(claim, value): (&String, &String)| RequiredClaim {
        path: ClaimPath::new(claim),
        value: value.clone(),
    };
    claims.iter().map(claim).collect()
}

fn paths(claims: Option<&[String]>) -> Option<Vec<ClaimPath>> {
    claims.map(|claims| claims.iter().map(ClaimPath::new).collect())
}

fn to_ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}
