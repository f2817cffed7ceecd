//! The built-in issuer: it signs the tokens of Roomkey's own accounts.

use std::sync::{Arc, PoisonError, RwLock};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_model::{Entropy, SessionId, Timestamp, TokenId, UserId};
use secrecy::SecretString;
use serde::Serialize;

use crate::{
    ClaimPath, ConfigError, IssuerProfile, IssuerRule, SigningKey, TokenType, VerifyingKey, key::jwk_set,
};

/// How the built-in issuer names itself and how long its tokens live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltinConfig {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The `client_id` of its tokens (RFC 9068 section 2.2 requires one).
    pub client_id: String,
    /// From `iat` to `exp`.
    pub lifetime_ms: u64,
}

impl Default for BuiltinConfig {
    fn default() -> Self {
        Self {
            issuer: "roomkey".to_owned(),
            audience: "roomkey".to_owned(),
            client_id: "roomkey".to_owned(),
            lifetime_ms: 10 * 60_000,
        }
    }
}

impl BuiltinConfig {
    /// The longest life of a token that its profile accepts.
    fn lifetime_max_ms(&self) -> u64 {
        self.lifetime_ms.max(15 * 60_000)
    }

    /// How long after its last signature a key may still be needed: a token that is issued at that moment may end
    /// as late as the profile allows, and the clocks may be off at either end.
    pub fn key_outlives_ms(&self) -> u64 {
        self.lifetime_max_ms().saturating_add(2 * IssuerProfile::LEEWAY_MS)
    }
}

/// Whom a token is for. The user's id is the subject: the built-in issuer's users have no prefix.
#[derive(Clone, Copy)]
pub struct Grant<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The login.
    pub session: &'a SessionId,
    /// For display, and for backends that read `username`.
    pub username: Option<&'a str>,
    /// For display.
    pub email: Option<&'a str>,
    /// Roles on the whole server.
    pub roles: &'a [&'a str],
    /// The end of the session: no token outlives it.
    pub session_ends_at: Option<Timestamp>,
}

/// A fresh access token and what the answer to a login says about it.
#[derive(Clone, Debug)]
pub struct SignedToken {
    /// The token itself.
    pub token: SecretString,
    /// Its `jti`.
    pub id: TokenId,
    /// Its `exp`.
    pub expires_at: Timestamp,
    /// From now to `exp`, in seconds.
    pub expires_in_s: u64,
}

/// Signs access tokens (RFC 9068), and says how they are verified.
#[derive(Debug)]
pub struct BuiltinIssuer {
    config: BuiltinConfig,
    /// Replaced as a whole when keys are rotated: who has taken a copy goes on with it.
    keys: RwLock<Arc<IssuerKeys>>,
}

/// The keys of an issuer: one that signs, and those before it.
#[derive(Clone, Debug)]
pub struct IssuerKeys {
    /// Signs, and verifies what it signed.
    pub active: SigningKey,
    /// Only verify.
    pub retired: Vec<VerifyingKey>,
}

impl IssuerKeys {
    /// What tokens of this issuer are verified with: the active key first.
    pub fn verifying(&self) -> Vec<VerifyingKey> {
        [self.active.verifying_key()].into_iter().chain(self.retired.iter().cloned()).collect()
    }
}

impl BuiltinIssuer {
    /// The name of its [profile](Self::profile).
    pub const PROFILE: &str = "builtin";

    /// Whether new tokens are signed with the key of this id.
    pub fn signs_with(&self, key_id: &str) -> bool {
        self.keys().active.verifying_key().key_id().is_some_and(|active| **active == *key_id)
    }

    /// Signs with the active key; tokens of the retired keys are still accepted.
    pub fn new(
        config: BuiltinConfig,
        active: SigningKey,
        retired: Vec<VerifyingKey>,
    ) -> Result<Self, ConfigError> {
        if config.lifetime_ms < 1000 {
            return Err(ConfigError::new("access_token_lifetime", "must be at least one second"));
        }
        Ok(Self { config, keys: RwLock::new(Arc::new(IssuerKeys { active, retired })) })
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// The keys as they are now.
    pub fn keys(&self) -> Arc<IssuerKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Signs with other keys from now on. What verifies its tokens must know them first
    /// ([`Verifier::with_keys`](crate::Verifier::with_keys)).
    pub fn set_keys(&self, keys: IssuerKeys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The profile that its tokens are verified by.
    ///
    /// With Ed25519: exactly its own tokens. With a shared secret also the tokens of the backend that has the
    /// same secret, without `iss` or `aud` and of type `JWT`: who has the key is the authority.
    pub fn profile(&self) -> IssuerProfile {
        let keys = self.keys();
        let issuer = self.config.issuer.clone();
        let own = IssuerProfile {
            audiences: vec![self.config.audience.clone()],
            token_type: TokenType::AccessToken,
            name_claims: vec![ClaimPath::new("username")],
            roles_claim: Some(ClaimPath::new(ROLES_CLAIM)),
            lifetime_max_ms: Some(self.config.lifetime_max_ms()),
            require_iat: true,
            ..IssuerProfile::new(Self::PROFILE, IssuerRule::Exact(issuer.clone()), keys.verifying())
        };
        if !keys.active.algorithm().is_symmetric() {
            return own;
        }
        let shared = IssuerProfile::shared_secret(Self::PROFILE, Vec::new());
        IssuerProfile {
            issuer: IssuerRule::ExactOrAbsent(issuer),
            require_audience: false,
            token_type: shared.token_type,
            subject_claims: shared.subject_claims,
            numeric_subjects: shared.numeric_subjects,
            name_claims: shared.name_claims,
            lifetime_max_ms: shared.lifetime_max_ms.max(own.lifetime_max_ms),
            require_iat: false,
            ..own
        }
    }

    /// The JWK Set document (RFC 7517 section 5) with the public keys; empty for a shared secret.
    pub fn jwks(&self) -> String {
        let keys = self.keys().verifying();
        jwk_set(keys.iter().filter_map(|key| match key {
            VerifyingKey::Public(key) => Some(key),
            VerifyingKey::Hmac(_) => None,
        }))
    }

    /// Signs an access token.
    pub fn issue(&self, grant: &Grant<'_>, now: Timestamp, entropy: &dyn Entropy) -> SignedToken {
        let end =
            now.plus_ms(self.config.lifetime_ms).min(grant.session_ends_at.unwrap_or(Timestamp(u64::MAX)));
        let (iat, exp) = (now.as_secs(), end.as_secs());
        let mut id = [0; 16];
        entropy.fill(&mut id);
        let id = BASE64_URL_SAFE_NO_PAD.encode(id);
        let user = grant.user.as_str();
        let claims = Claims {
            iss: &self.config.issuer,
            aud: &self.config.audience,
            client_id: &self.config.client_id,
            sub: user,
            id: user,
            username: grant.username,
            email: grant.email,
            roles: grant.roles,
            sid: grant.session.as_str(),
            jti: &id,
            iat,
            iat_ms: now.0,
            exp,
        };
        SignedToken {
            token: self.sign(&claims).into(),
            id: TokenId::new(id).expect("22 characters of base64url"),
            expires_at: Timestamp::from_secs(exp),
            expires_in_s: exp.saturating_sub(iat),
        }
    }

    fn sign(&self, claims: &Claims<'_>) -> String {
        let key = &self.keys().active;
        let verifying_key = key.verifying_key();
        let header = Header {
            alg: key.algorithm().name(),
            typ: "at+jwt",
            kid: verifying_key.key_id().map(AsRef::as_ref),
        };
        let part = |json: Result<Vec<u8>, serde_json::Error>| {
            BASE64_URL_SAFE_NO_PAD.encode(json.expect("text and numbers only"))
        };
        let mut token = part(serde_json::to_vec(&header)) + "." + &part(serde_json::to_vec(claims));
        let signature = key.sign(token.as_bytes());
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        token
    }
}

/// A name of our own: with a shared secret, the `roles` of somebody else's backend must not become ours.
const ROLES_CLAIM: &str = "roomkey_roles";

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

/// `id`, `username` and `email` are what backends read that were written for one shared secret.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    client_id: &'a str,
    sub: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// [`ROLES_CLAIM`].
    #[serde(rename = "roomkey_roles", skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [&'a str],
    sid: &'a str,
    jti: &'a str,
    iat: u64,
    iat_ms: u64,
    exp: u64,
}
