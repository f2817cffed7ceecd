//! From the configuration to what verifies and signs tokens.

use std::sync::Arc;

use anyhow::Context as _;
use roomkey_auth::{
    Algorithm, BuiltinConfig, BuiltinIssuer, ConfigError as AuthError, Ed25519Key, HmacSecret, IssuerKeys,
    IssuerProfile, SecretStrength, SigningKey, Verifier, VerifyingKey,
};
use roomkey_model::{Clock, Entropy, Timestamp};
use secrecy::ExposeSecret;

use super::{
    BackendsSetup, Config, ConfigError, Origins, RevalidationSetup,
    api_key::ApiKeySection,
    issuer::{Issuer, Profile},
    private_file, secrets,
};
use crate::api_keys::ApiKeys;
use crate::{
    KeySet, SystemClock, SystemEntropy, TokenAuthentication,
    key_ring::{KeyRing, LiveKeys},
};

/// Everything about tokens, ready to use.
pub(crate) struct AuthSetup {
    /// Signs the tokens of Roomkey's own accounts, where there are such.
    pub(crate) issuer: Option<Arc<BuiltinIssuer>>,
    /// Verifies tokens.
    pub(crate) verifier: Arc<Verifier>,
    /// Finds tokens in requests.
    pub(crate) authentication: Arc<TokenAuthentication>,
    /// The keys of the issuer, where it has keys of its own and not a secret.
    pub(crate) keys: Option<Arc<LiveKeys>>,
    /// What is to be fetched before tokens of some issuers can be verified.
    pub(crate) key_sets: Vec<KeySet>,
    /// Who is asked about users, where somebody is.
    pub(crate) revalidation: Option<RevalidationSetup>,
    /// Who is told what happened, and who answers events of clients.
    pub(crate) backends: BackendsSetup,
    /// The keys of backends.
    pub(crate) api_keys: Arc<ApiKeys>,
    /// What makes the server less safe than it could be: to be said loudly at every start.
    pub(crate) warnings: Vec<String>,
}

/// What to do where the built-in issuer has no signing key yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingKey {
    /// Make one and store it.
    Create,
    /// Make one and forget it, for looking at what a start would do.
    Pretend,
    /// It is an error: a key made now would not be the server's.
    Refuse,
}

impl AuthSetup {
    /// Reads the keys.
    pub(crate) fn new(config: &Config, missing: MissingKey) -> anyhow::Result<Self> {
        let auth = &config.auth;
        let mut warnings = config.exposed.clone();
        let (secret, previous) = config.secrets()?;
        let mut profiles = Vec::new();
        let mut ring = None;
        let issuer = if auth.builtin {
            let previous = previous.into_iter().map(VerifyingKey::from).collect();
            let keys = match secret {
                Some(secret) => IssuerKeys { active: SigningKey::Hmac(secret), retired: previous },
                None => {
                    let (own, keys) =
                        config.key_ring(previous, missing, SystemClock.now(), &SystemEntropy)?;
                    warnings.extend(own.private_files().filter_map(|file| private_file::exposure(&file)));
                    ring = Some(own);
                    keys
                }
            };
            let issuer = BuiltinIssuer::new(config.builtin_config(), keys.active, keys.retired)?;
            profiles.push(issuer.profile());
            Some(Arc::new(issuer))
        } else {
            let secrets: Vec<_> = secret.into_iter().chain(previous).collect();
            if !secrets.is_empty() {
                profiles.push(IssuerProfile::shared_secret("jwt_secret", secrets));
            }
            None
        };
        let (mut sessions, mut key_sets) = (Vec::new(), Vec::new());
        for profile in config.issuer_profiles()? {
            match profile {
                Profile::Session(session) => sessions.push(*session),
                Profile::Signed(profile, key_set) => {
                    profiles.push(*profile);
                    key_sets.extend(key_set);
                }
            }
        }
        let verifier = Verifier::with_sessions(profiles, sessions).map_err(|error| config.locate(error))?;
        let verifier = verifier.keeping(config.policy.policy().claims())?;
        let verifier = Arc::new(verifier);
        warnings.extend(verifier.warnings());
        warnings.extend(config.warnings());
        let authentication = Arc::new(config.authentication(verifier.clone()));
        let api_keys = Arc::new(config.api_keys(&mut warnings)?);
        let revalidation = auth
            .revalidation
            .as_ref()
            .map(|section| section.read(&config.places, &mut warnings))
            .transpose()?;
        let (webhooks, handlers) = (&config.webhooks, &config.handlers);
        let backends = BackendsSetup::read(webhooks, handlers, &config.places, &mut warnings)?;
        let keys = issuer.as_ref().zip(ring).map(|(issuer, ring)| {
            let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
            Arc::new(LiveKeys::new(ring, issuer.clone(), authentication.clone(), clock, entropy))
        });
        Ok(Self {
            issuer,
            verifier,
            authentication,
            keys,
            key_sets,
            revalidation,
            backends,
            api_keys,
            warnings,
        })
    }
}

impl Config {
    fn strength(&self) -> SecretStrength {
        if self.auth.allow_weak_secret { SecretStrength::AllowWeak } else { SecretStrength::Required }
    }

    /// `jwt_secret`, and those before it.
    fn secrets(&self) -> Result<(Option<HmacSecret>, Vec<HmacSecret>), ConfigError> {
        let read = |path: &str, secret| {
            secrets::read(&self.places.setting(path), Algorithm::Hs256, secret, self.strength())
        };
        let secret =
            self.auth.jwt_secret.as_ref().map(|secret| read("auth.jwt_secret", secret)).transpose()?;
        let previous = self.auth.jwt_secret_previous.iter().enumerate();
        let previous =
            previous.map(|(index, secret)| read(&format!("auth.jwt_secret_previous[{index}]"), secret));
        Ok((secret, previous.collect::<Result<_, _>>()?))
    }

    fn builtin_config(&self) -> BuiltinConfig {
        BuiltinConfig {
            issuer: self.auth.issuer.clone(),
            audience: self.auth.audience.clone(),
            lifetime_ms: self.auth.access_token_lifetime_s.saturating_mul(1000),
            ..BuiltinConfig::default()
        }
    }

    fn key_ring(
        &self,
        secrets: Vec<VerifyingKey>,
        missing: MissingKey,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> anyhow::Result<(KeyRing, IssuerKeys)> {
        let directory = self.keys_path();
        let mut ring = KeyRing::read(&directory, self.builtin_config().key_outlives_ms(), secrets)?;
        if missing == MissingKey::Create {
            if !ring.has_active_key() {
                ring.rotate(now, entropy)?;
            }
            ring.tidy(now).with_context(|| format!("cannot change the keys in {}", directory.display()))?;
        }
        let keys = match (ring.issuer_keys(now), missing) {
            (Some(keys), _) => keys,
            (None, MissingKey::Pretend) => {
                let pem = Ed25519Key::generate_pem(entropy);
                let active = SigningKey::Ed25519(Ed25519Key::from_pem("key", pem.expose_secret())?);
                IssuerKeys { active, retired: Vec::new() }
            }
            (None, _) => anyhow::bail!(
                "there is no signing key in {}: start the server once, or set --data-dir or JWT_SECRET as for the server",
                directory.display()
            ),
        };
        Ok((ring, keys))
    }

    fn issuer_profiles(&self) -> Result<Vec<Profile>, ConfigError> {
        let profile = |(index, issuer): (usize, &Issuer)| {
            issuer.profile(&format!("auth.issuers[{index}]"), &self.places, self.strength())
        };
        self.auth.issuers.iter().enumerate().map(profile).collect()
    }

    fn api_keys(&self, warnings: &mut Vec<String>) -> Result<ApiKeys, ConfigError> {
        let read = |(index, key): (usize, &ApiKeySection)| {
            key.read(&format!("auth.api_keys[{index}]"), &self.places, warnings)
        };
        self.auth.api_keys.iter().enumerate().map(read).collect::<Result<_, _>>().map(ApiKeys)
    }

    /// Adds to an error about `issuers.NAME.key` where that issuer was configured.
    fn locate(&self, error: AuthError) -> ConfigError {
        let names = self.auth.issuers.iter().map(|issuer| format!("issuers.{}.", issuer.name));
        let index =
            names.enumerate().find(|(_, name)| error.setting.starts_with(name)).map(|(index, _)| index);
        match index {
            Some(index) => {
                let issuer = self.places.setting(&format!("auth.issuers[{index}]"));
                let key = error.setting.rsplit('.').next().unwrap_or_default();
                ConfigError::new(format!("{issuer}.{key}"), error.problem)
            }
            None => ConfigError::new(format!("auth.{}", error.setting), error.problem),
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |condition: bool, warning: &str| {
            if condition {
                warnings.push(warning.to_owned());
            }
        };
        warn(
            self.auth.allow_weak_secret,
            "auth.allow_weak_secret is on: secrets that anybody may guess are accepted",
        );
        warn(self.auth.query_token, "auth.query_token is on: tokens in URLs end up in logs");
        warn(
            self.http.origins == Origins::Any,
            "http.origins is `*`: every web page may connect, without cookies",
        );
        warn(!self.lets_pages_in(), "http.origins is empty: no web page may connect, only programs");
        warnings.extend(self.auth.issuers.iter().filter_map(Issuer::warning));
        warnings
    }

    /// Whether there are pages that may connect: those that are listed, or on loopback those of this machine.
    pub(crate) fn lets_pages_in(&self) -> bool {
        self.server.listen.ip().is_loopback() || self.http.origins != Origins::default()
    }

    fn authentication(&self, verifier: Arc<Verifier>) -> TokenAuthentication {
        let mut authentication = TokenAuthentication::new(verifier);
        if let Some(cookie) = self.auth.token_cookie() {
            authentication = authentication.or_cookie(cookie);
        }
        if self.auth.query_token {
            authentication = authentication.or_query();
        }
        authentication
    }
}
