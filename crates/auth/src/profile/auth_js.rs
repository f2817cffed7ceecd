use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::{ClaimPath, IssuerProfile, IssuerRule};
use crate::{
    ConfigError, SecretStrength,
    jwe::{ContentKey, Encryption},
    key::strength,
};

/// An application that keeps its sessions in a cookie, encrypted by Auth.js or NextAuth.
///
/// A kind of its own: what is encrypted is never looked at by an [`IssuerProfile`], and what is signed never by this.
/// Who can open the token is who can make one, so there is no issuer and no audience to check; what must be checked
/// is that it was made to be a session.
#[derive(Clone, Debug)]
pub struct AuthJsProfile {
    /// For logs and messages; unique. Also the issuer of its users, as the tokens name none.
    pub name: String,
    /// The cookie of its session, which is part of the keys of version 5.
    pub(crate) cookie: String,
    pub(crate) version: AuthJsVersion,
    pub(crate) keys: Vec<ContentKey>,
    pub(crate) secret_count: usize,
    has_weak_secret: bool,
    /// Whether the token may also be where other tokens are, such as in `auth.token`. One profile at most.
    pub accept_as_token: bool,
    /// Where the subject is: the first of these that is there.
    pub subject_claims: Vec<ClaimPath>,
    /// Where the display name is: the first of these that is text.
    pub name_claims: Vec<ClaimPath>,
    /// Where the e-mail address is.
    pub email_claim: Option<ClaimPath>,
    /// Where the roles are, as an array of texts.
    pub roles_claim: Option<ClaimPath>,
    /// How far the application's clock may be off; at most a minute.
    pub leeway_ms: u64,
    /// The longest time from `iat` to `exp`. `None`: any.
    pub lifetime_max_ms: Option<u64>,
    /// What user ids of this application begin with: unique, and empty for one profile at most.
    pub user_prefix: String,
}

/// Who encrypted the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthJsVersion {
    /// NextAuth 4.
    V4,
    /// Auth.js, and NextAuth 5.
    V5,
}

impl AuthJsVersion {
    /// The session's cookie where nothing else is configured; `is_secure` is whether the application has HTTPS.
    pub fn cookie(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::V4, false) => "next-auth.session-token",
            (Self::V4, true) => "__Secure-next-auth.session-token",
            (Self::V5, false) => "authjs.session-token",
            (Self::V5, true) => "__Secure-authjs.session-token",
        }
    }

    /// The key that the application derives from its secret for sessions.
    fn key(self, encryption: Encryption, secret: &[u8], cookie: &str) -> Option<ContentKey> {
        let (salt, info) = match self {
            Self::V4 => ("", "NextAuth.js Generated Encryption Key".to_owned()),
            Self::V5 => (cookie, format!("Auth.js Generated Encryption Key ({cookie})")),
        };
        let mut key = Zeroizing::new(vec![0; encryption.key_len()]);
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, salt.as_bytes());
        let extracted = salt.extract(secret);
        extracted.expand(&[info.as_bytes()], KeyLen(key.len())).ok()?.fill(&mut key).ok()?;
        ContentKey::new(encryption, &key)
    }

    /// What the application may have encrypted with. Version 4 knows no other; version 5 decrypts both.
    fn encryptions(self) -> &'static [Encryption] {
        match self {
            Self::V4 => &[Encryption::A256Gcm],
            Self::V5 => &[Encryption::A256CbcHs512, Encryption::A256Gcm],
        }
    }

    /// Claims of tokens that are no session. Version 4 encrypts what it must remember during a login with the same
    /// key (CVE-2023-48309); version 5 has a key for each cookie.
    pub(crate) fn foreign_claims(self) -> &'static [&'static str] {
        match self {
            Self::V4 => &["state", "code_verifier", "nonce", "value", "challenge"],
            Self::V5 => &[],
        }
    }
}

struct KeyLen(usize);

impl hkdf::KeyType for KeyLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes of a secret: what `npx auth secret` makes has 44.
const SECRET_BYTES_MIN: usize = 32;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl AuthJsProfile {
    /// A profile without secrets, for sessions in this cookie.
    pub fn new(name: impl Into<String>, version: AuthJsVersion, cookie: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cookie: cookie.into(),
            version,
            keys: Vec::new(),
            secret_count: 0,
            has_weak_secret: false,
            accept_as_token: false,
            subject_claims: vec![ClaimPath::name("sub")],
            name_claims: vec![ClaimPath::name("name")],
            email_claim: Some(ClaimPath::name("email")),
            roles_claim: None,
            leeway_ms: IssuerProfile::LEEWAY_MS,
            lifetime_max_ms: Some(31 * DAY_MS),
            user_prefix: String::new(),
        }
    }

    /// Adds a secret (`AUTH_SECRET`, `NEXTAUTH_SECRET`), the current or a retiring one, which the operator gave as
    /// `setting`.
    pub fn add_secret(
        &mut self,
        setting: &str,
        secret: &[u8],
        strength: SecretStrength,
    ) -> Result<(), ConfigError> {
        self.has_weak_secret |= strength::is_weak(setting, secret, SECRET_BYTES_MIN, "sessions", strength)?;
        let keys = self.version.encryptions().iter();
        self.keys.extend(keys.filter_map(|encryption| self.version.key(*encryption, secret, &self.cookie)));
        self.secret_count += 1;
        Ok(())
    }

    /// The cookie that the session is in, or the name of its pieces without their number.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// What its claims must say, as for any other issuer.
    pub(crate) fn rules(&self) -> IssuerProfile {
        IssuerProfile {
            subject_claims: self.subject_claims.clone(),
            numeric_subjects: true,
            name_claims: self.name_claims.clone(),
            email_claim: self.email_claim.clone(),
            roles_claim: self.roles_claim.clone(),
            leeway_ms: self.leeway_ms,
            lifetime_max_ms: self.lifetime_max_ms,
            require_iat: true,
            user_prefix: self.user_prefix.clone(),
            ..IssuerProfile::new(&self.name, IssuerRule::Absent, Vec::new())
        }
    }

    /// What an operator should know when the server starts.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = [
            (self.has_weak_secret, super::WEAK_SECRET),
            (self.lifetime_max_ms.is_none(), super::ANY_LIFETIME),
        ];
        let said = warnings.into_iter().filter(|(is_on, _)| *is_on);
        said.map(|(_, warning)| format!("issuer {}: {warning}", self.name)).collect()
    }
}
