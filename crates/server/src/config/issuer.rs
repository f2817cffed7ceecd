//! `[[auth.issuers]]`: an issuer in an operator's words, and the profile its tokens are verified by.

use std::{collections::BTreeMap, fs, path::PathBuf};

use roomkey_auth::{
    Algorithm, ClaimPath, IssuerProfile, IssuerRule, PublicKey, RequiredClaim, SecretStrength, TokenType,
    VerifyingKey,
};
use serde::Deserialize;

use super::{
    error::{ConfigError, quoted},
    place::Places,
    secrets,
    values::{Secret, TokenKind},
};

/// One issuer. What is not set has the strict default; for an issuer with secrets, that of a backend's tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    /// For messages and logs; unique.
    pub(crate) name: String,
    /// The `iss` of its tokens. Without it: tokens that have no `iss`.
    #[serde(default)]
    issuer: Option<String>,
    /// The algorithms of its tokens: `HS256`, `HS384`, `HS512`, `RS256`, `ES256`, `EdDSA`. By default, those of its
    /// keys, and HS256 for secrets.
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

impl Issuer {
    /// The profile of the issuer at `path`. Reads the key files.
    pub(super) fn profile(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
    ) -> Result<IssuerProfile, ConfigError> {
        let keys = self.keys(path, places, strength)?;
        let rule = self.issuer.clone().map_or(IssuerRule::Absent, IssuerRule::Exact);
        let secret = |key: &VerifyingKey| match key {
            VerifyingKey::Hmac(secret) => Some(secret.clone()),
            VerifyingKey::Public(_) => None,
        };
        let defaults = match keys.iter().map(secret).collect() {
            Some(secrets) => IssuerProfile::shared_secret(&self.name, secrets),
            None => IssuerProfile::new(&self.name, rule.clone(), keys),
        };
        let algorithms = self.algorithms(path, places)?;
        let required_claims = self.required_claims.iter();
        Ok(IssuerProfile {
            issuer: rule,
            algorithms: if algorithms.is_empty() { defaults.algorithms } else { algorithms },
            audiences: self.audiences.clone(),
            authorized_parties: self.authorized_parties.clone(),
            required_claims: required_claims
                .map(|(claim, value)| RequiredClaim { path: ClaimPath::new(claim), value: value.clone() })
                .collect(),
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
            lifetime_max_ms: match self.lifetime_max_s {
                None => defaults.lifetime_max_ms,
                Some(0) => None,
                Some(seconds) => Some(to_ms(seconds)),
            },
            require_exp: self.require_exp.unwrap_or(defaults.require_exp),
            user_prefix: self.user_prefix.clone().unwrap_or_else(|| format!("{}:", self.name)),
            ..defaults
        })
    }

    fn keys(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
    ) -> Result<Vec<VerifyingKey>, ConfigError> {
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for (index, secret) in self.secrets.iter().enumerate() {
            let setting = places.setting(&format!("{path}.secrets[{index}]"));
            let algorithm = self.secret_algorithm(path, places)?;
            keys.push(secrets::read(&setting, algorithm, secret, strength)?.into());
        }
        for (index, text) in self.public_keys.iter().enumerate() {
            let setting = places.setting(&format!("{path}.public_keys[{index}]"));
            keys.push(PublicKey::from_pem(&setting, text)?.into());
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
                keys.push(PublicKey::from_pem(&setting, &text)?.into());
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

fn paths(claims: Option<&[String]>) -> Option<Vec<ClaimPath>> {
    claims.map(|claims| claims.iter().map(ClaimPath::new).collect())
}

fn to_ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1000)
}
