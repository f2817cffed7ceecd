use roomkey_model::{ErrorCode, Failure};

/// Why a request is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Different tokens in more than one place (RFC 6750 section 2 allows one method per request).
    #[error("different tokens were given in more than one place")]
    Ambiguous,
    /// The place where the token should be has the wrong shape.
    #[error("{0}")]
    BadPayload(&'static str),
    /// Correctly signed and meant for us, but its time is over.
    #[error("the token has expired")]
    Expired,
    /// Not acceptable here. Clients see one code for every reason.
    #[error("{0}")]
    Invalid(#[from] InvalidReason),
    /// The keys of the token's issuer are not there: whether it is valid cannot be said now.
    #[error("the keys of the token's issuer could not be fetched")]
    KeysUnavailable,
    /// No token was given.
    #[error("no token was given")]
    Missing,
    /// The token, its session or its user was revoked; given by the caller, which knows the revocations.
    #[error("the token was revoked")]
    Revoked,
}

impl TokenError {
    /// The code that clients see.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Ambiguous => ErrorCode::TokenAmbiguous,
            Self::BadPayload(_) => ErrorCode::BadPayload,
            Self::Expired => ErrorCode::TokenExpired,
            Self::Invalid(_) => ErrorCode::TokenInvalid,
            Self::KeysUnavailable => ErrorCode::Unavailable,
            Self::Missing => ErrorCode::TokenMissing,
            Self::Revoked => ErrorCode::TokenRevoked,
        }
    }
}

/// What a client may know: for every [`InvalidReason`] the same.
impl From<&TokenError> for Failure {
    fn from(error: &TokenError) -> Self {
        match error {
            TokenError::BadPayload(problem) => Self::bad_payload(*problem),
            _ => Self::new(error.code()),
        }
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::from(&error)
    }
}

/// The rule that refused a token, in words, for the audit log and `roomkey token inspect` only.
///
/// Never holds text from the token. In the order of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidReason {
    /// A connection ticket that is unknown, used, too old, or shown by another page.
    #[error("the ticket is unknown, used, too old, or another page's")]
    Ticket,
    /// Over [`Verifier::TOKEN_BYTES_MAX`](crate::Verifier::TOKEN_BYTES_MAX), or
    /// [`Verifier::SESSION_BYTES_MAX`](crate::Verifier::SESSION_BYTES_MAX) for an encrypted one.
    #[error("the token is too long")]
    TokenTooLong,
    /// A character outside `A-Z a-z 0-9 - _ .`.
    #[error("the token contains a character that no token has")]
    Charset,
    /// Not `header.payload.signature`.
    #[error("the token does not have three non-empty parts")]
    Segments,
    /// Five parts: a JWE, where no profile decrypts one.
    #[error("the token is encrypted (JWE), not signed")]
    Encrypted,
    /// A piece of a session's cookie is missing, one too many, or beside a whole.
    #[error("the pieces of the session's cookie do not make a whole")]
    CookiePieces,
    /// In the session cookie of an Auth.js application, and not a JWE.
    #[error("the session cookie is not an encrypted token (JWE)")]
    NotEncrypted,
    /// `alg` is not `dir`, or `enc` is not what the profile demands.
    #[error("the token is not encrypted in a way that its profile allows")]
    EncryptionNotAllowed,
    /// No key of the profile opens it: another key, or it was changed. Deliberately one reason.
    #[error("the token cannot be decrypted")]
    Decryption,
    /// A cookie of Auth.js that is not its session: of a login that has not ended.
    #[error("the token is not a session's")]
    NotASession,
    /// Padding, or bits after the last byte.
    #[error("a part of the token is not canonical base64url")]
    Base64,
    /// Over 1 KiB.
    #[error("the header is too long")]
    HeaderTooLong,
    /// Not JSON, not an object, or a name occurs twice.
    #[error("the header is not a JSON object with unique names")]
    HeaderJson,
    /// `crit`, or a member that names, holds or points to a key.
    #[error("the header has the member `{0}`, which is never accepted")]
    HeaderMember(&'static str),
    /// `alg` is missing, not text, or not one of ours; `none` is not one of ours.
    #[error("the header's `alg` is missing or unknown")]
    AlgorithmUnknown,
    /// `kid` is not text, over 256 bytes, or has control characters.
    #[error("the header's `kid` is not usable")]
    KeyIdMalformed,
    /// `typ` is not text, or is not the type that the profile demands.
    #[error("the header's `typ` is not the one that this issuer's profile demands")]
    TokenType,
    /// Not JSON, not an object, or a name occurs twice.
    #[error("the claims are not a JSON object with unique names")]
    ClaimsJson,
    /// `iss` is not text.
    #[error("the claim `iss` is not text")]
    IssuerMalformed,
    /// No profile has exactly this issuer, or no profile takes tokens without one.
    #[error("no profile is configured for this issuer")]
    IssuerUnknown,
    /// The profile of the issuer does not list this algorithm.
    #[error("the issuer's profile does not allow this algorithm")]
    AlgorithmNotAllowed,
    /// No key of the issuer has this `kid` and this algorithm.
    #[error("the issuer has no such key")]
    KeyUnknown,
    /// More keys fit than would be tried.
    #[error("too many keys of the issuer fit; the token needs a `kid`")]
    KeyAmbiguous,
    /// The signature does not verify.
    #[error("the signature is wrong")]
    Signature,
    /// A claim has the wrong type or form.
    #[error("the claim `{0}` is malformed")]
    ClaimMalformed(&'static str),
    /// `aud` is required and missing, or names others only.
    #[error("the token is not meant for this audience")]
    Audience,
    /// `azp` or `client_id` is required and missing, or is not in the list.
    #[error("the token was not issued to an authorized party")]
    AuthorizedParty,
    /// A claim that the profile demands is missing or different.
    #[error("a claim that the profile demands is missing or different")]
    RequiredClaim,
    /// `nonce`, `at_hash` or `c_hash`: an OpenID Connect ID token, which is not an access token.
    #[error("the token is an ID token")]
    IdToken,
    /// `cnf`: the token is bound to a key, and nothing proves that the sender has it.
    #[error("the token is bound to a key (`cnf`) whose possession was not proven")]
    Bound,
    /// No claim names the subject.
    #[error("the token has no subject")]
    SubjectMissing,
    /// Blank, too long, control characters, or of the wrong type.
    #[error("the subject is not usable as a user id")]
    SubjectMalformed,
    /// The subject would be taken for a user of another issuer.
    #[error("the subject begins with the user prefix of another issuer")]
    SubjectForeign,
    /// `exp` is required and missing.
    #[error("the token has no `exp`")]
    ExpiryMissing,
    /// `iat` is required and missing.
    #[error("the token has no `iat`")]
    IssuedAtMissing,
    /// `nbf` is later than `exp`.
    #[error("the token begins (`nbf`) after its end (`exp`)")]
    NeverValid,
    /// `nbf` is in the future.
    #[error("the token is not valid yet (`nbf`)")]
    NotYetValid,
    /// `auth_time` is required and missing, or in the future.
    #[error("the token does not say when its user logged in (`auth_time`)")]
    AuthTime,
    /// `iat` is in the future.
    #[error("the token was issued in the future (`iat`)")]
    IssuedInFuture,
    /// `exp` is further away than the profile allows.
    #[error("the token lives longer than the profile allows")]
    LifetimeTooLong,
}
