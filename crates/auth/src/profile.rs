//! What each configured issuer's tokens must look like.

mod auth_js;
mod check;
mod claim_path;
mod token_type;

pub use auth_js::{AuthJsProfile, AuthJsVersion};
pub use claim_path::ClaimPath;
pub use token_type::TokenType;

pub(crate) use check::check;

use crate::{Algorithm, HmacSecret, RemoteKeys, VerifyingKey};

/// One issuer: its keys and algorithms, what its tokens must say, and where in them to look.
///
/// Every field is a rule of its own, and all of them must hold. Start from [`IssuerProfile::new`] or
/// [`IssuerProfile::shared_secret`] and change what differs.
#[derive(Clone, Debug)]
pub struct IssuerProfile {
    /// For logs and messages; unique.
    pub name: String,
    /// Which tokens belong to this profile, by their `iss`.
    pub issuer: IssuerRule,
    /// The algorithms a token may use. A key for another one is a [`ConfigError`](crate::ConfigError).
    pub algorithms: Vec<Algorithm>,
    /// The keys, current and retiring.
    pub keys: Vec<VerifyingKey>,
    /// Keys that the issuer publishes, beside [`keys`](Self::keys). They are public ones.
    pub remote_keys: Option<RemoteKeys>,
    /// At least one of these must be in `aud`. Empty: `aud` is not looked at.
    pub audiences: Vec<String>,
    /// Whether a token without `aud` is refused, where [`audiences`](Self::audiences) is not empty.
    pub require_audience: bool,
    /// `azp` and `client_id` must be in this list, and one of the two must be there. Empty: not looked at.
    pub authorized_parties: Vec<String>,
    /// Claims that must be there with exactly this text, such as Cognito's `token_use`: `access`.
    pub required_claims: Vec<RequiredClaim>,
    /// Claims that must have exactly this text where they are there, such as Clerk's `sts`: `active`.
    pub expected_claims: Vec<RequiredClaim>,
    /// What the header's `typ` must be.
    pub token_type: TokenType,
    /// Whether OpenID Connect ID tokens (`nonce`, `at_hash`, `c_hash`) are taken for access tokens.
    pub accept_id_tokens: bool,
    /// Where the subject is: the first of these that is there.
    pub subject_claims: Vec<ClaimPath>,
    /// Whether a whole number is a subject too, as its decimal text.
    pub numeric_subjects: bool,
    /// Where the display name is: the first of these that is text.
    pub name_claims: Vec<ClaimPath>,
    /// Where the e-mail address is.
    pub email_claim: Option<ClaimPath>,
    /// Where the roles are, as an array of texts.
    pub roles_claim: Option<ClaimPath>,
    /// How far the issuer's clock may be off; at most a minute.
    pub leeway_ms: u64,
    /// The longest time from `iat` (or now) to `exp`. `None`: any.
    pub lifetime_max_ms: Option<u64>,
    /// Whether a token without `exp` is refused.
    pub require_exp: bool,
    /// Whether a token without `iat` is refused. Without it nobody can tell how long the token lives in all, only how
    /// much longer: one that ends later than it may is refused until then, and accepted for the rest.
    pub require_iat: bool,
    /// Whether a token without an `auth_time` in the past is refused.
    pub require_auth_time: bool,
    /// What user ids of this issuer begin with: unique, and empty for one profile at most.
    pub user_prefix: String,
}

/// Which tokens belong to a profile. The comparison is of bytes: no case folding, no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerRule {
    /// Tokens without `iss`.
    Absent,
    /// Tokens with this `iss`.
    Exact(String),
    /// Tokens with this `iss`, or without one.
    ExactOrAbsent(String),
}

impl IssuerRule {
    /// The `iss` that this rule takes, if it takes one.
    pub fn exact(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Exact(issuer) | Self::ExactOrAbsent(issuer) => Some(issuer),
        }
    }

    /// Whether this rule takes tokens without `iss`.
    pub fn takes_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::ExactOrAbsent(_))
    }
}

/// A claim that must be there with exactly this text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredClaim {
    /// Where the claim is.
    pub path: ClaimPath,
    /// What it must be.
    pub value: String,
}

const WEAK_SECRET: &str = "a weak secret is allowed; anybody may guess it and sign tokens";
const ANY_LIFETIME: &str = "tokens may live as long as they like";

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

impl IssuerProfile {
    /// The default of [`leeway_ms`](Self::leeway_ms).
    pub const LEEWAY_MS: u64 = 15_000;
    /// The most that [`leeway_ms`](Self::leeway_ms) may be.
    pub const LEEWAY_MS_MAX: u64 = MINUTE_MS;

    /// A profile with the strict defaults, for an issuer that is somebody else's: the `sub` claim, a day at
    /// most, and an audience, an authorized party or a required claim still to be named.
    pub fn new(name: impl Into<String>, issuer: IssuerRule, keys: Vec<VerifyingKey>) -> Self {
        let mut algorithms = Vec::new();
        for key in &keys {
            if !algorithms.contains(&key.algorithm()) {
                algorithms.push(key.algorithm());
            }
        }
        Self {
            name: name.into(),
            issuer,
            algorithms,
            keys,
            remote_keys: None,
            audiences: Vec::new(),
            require_audience: true,
            authorized_parties: Vec::new(),
            required_claims: Vec::new(),
            expected_claims: Vec::new(),
            token_type: TokenType::Jwt,
            accept_id_tokens: false,
            subject_claims: vec![ClaimPath::name("sub")],
            numeric_subjects: false,
            name_claims: vec![ClaimPath::name("name"), ClaimPath::name("username")],
            email_claim: Some(ClaimPath::name("email")),
            roles_claim: None,
            leeway_ms: Self::LEEWAY_MS,
            lifetime_max_ms: Some(DAY_MS),
            require_exp: true,
            require_iat: false,
            require_auth_time: false,
            user_prefix: String::new(),
        }
    }

    /// A profile for tokens that a backend signs with a secret it shares with us, as most Node backends do:
    /// no `iss`, no `aud`, the user in `sub`, `id`, `userId` or `username`, and up to 31 days.
    pub fn shared_secret(name: impl Into<String>, secrets: Vec<HmacSecret>) -> Self {
        let keys = secrets.into_iter().map(VerifyingKey::Hmac).collect();
        Self {
            token_type: TokenType::AccessTokenOrJwt,
            subject_claims: ["sub", "id", "userId", "username"].map(ClaimPath::name).into(),
            numeric_subjects: true,
            lifetime_max_ms: Some(31 * DAY_MS),
            ..Self::new(name, IssuerRule::Absent, keys)
        }
    }

    /// What an operator should know when the server starts: every rule here that is switched off.
    pub fn warnings(&self) -> Vec<String> {
        let weak = |key: &VerifyingKey| matches!(key, VerifyingKey::Hmac(secret) if secret.is_weak());
        let mut warnings = Vec::new();
        let mut warn = |condition: bool, warning: &str| {
            if condition {
                warnings.push(format!("issuer {}: {warning}", self.name));
            }
        };
        warn(self.keys.iter().any(weak), WEAK_SECRET);
        warn(!self.require_exp, "tokens without an end (`exp`) are accepted");
        warn(self.lifetime_max_ms.is_none(), ANY_LIFETIME);
        warn(
            self.audiences.is_empty()
                && self.authorized_parties.is_empty()
                && self.required_claims.is_empty(),
            "tokens that this issuer made for other services are accepted (no audience is set)",
        );
        warn(self.accept_id_tokens, "ID tokens are accepted as access tokens");
        warnings
    }
}
