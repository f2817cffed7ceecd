//! From a token to an [`Identity`], and from an identity and an action to a [`policy::Decision`].
//!
//! Pure: time and chance are parameters, nothing here opens a socket, a file or a URL, and no key or
//! algorithm is ever taken from a token. Keys come from configuration as [`IssuerProfile`]s; a [`Verifier`]
//! holds the profiles and answers for one token at a time. [`BuiltinIssuer`] signs the tokens of Roomkey's own
//! accounts, [`RefreshToken`] continues their sessions, [`password`] keeps their passwords, and [`credentials`] finds
//! the one token in a request.
//!
//! ```
//! use roomkey_auth::{Algorithm, HmacSecret, IssuerProfile, SecretStrength, Verifier};
//! use roomkey_model::Timestamp;
//!
//! let secret = b"q4cXf0-IXnJ1mTz8sVb2wYd6RkPh7uLe";
//! let secret = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, secret, SecretStrength::Required)?;
//! let verifier = Verifier::new(vec![IssuerProfile::shared_secret("backend", vec![secret])])?;
//! let error = verifier.verify("not a token", Timestamp::from_secs(1_800_000_000)).unwrap_err();
//! assert_eq!(error.code().as_str(), "TOKEN_INVALID");
//! # Ok::<(), roomkey_auth::ConfigError>(())
//! ```
//!
//! What is deliberately absent: fetching of keys, and every kind of fallback. A token that fits no profile exactly is
//! refused. Whether it was revoked is asked separately, of [`Revocations`], at the moment when that matters.

mod config_error;
pub mod credentials;
mod digest;
mod error;
mod identity;
mod invite;
mod issuer;
mod json;
mod jwe;
mod key;
pub mod password;
mod permissions;
pub mod policy;
mod profile;
mod refresh;
mod revocations;
mod verify;

pub use config_error::ConfigError;
pub use digest::SecretDigest;
pub use error::{InvalidReason, TokenError};
pub use identity::Identity;
pub use invite::InviteToken;
pub use issuer::{BuiltinConfig, BuiltinIssuer, Grant, IssuerKeys, SignedToken};
pub use key::{
    Algorithm, Ed25519Key, HmacSecret, PublicKey, RemoteKeys, SecretStrength, SigningKey, VerifyingKey,
};
pub use permissions::{KeptClaims, Scopes};
pub use profile::{
    AuthJsProfile, AuthJsVersion, ClaimPath, IssuerProfile, IssuerRule, RequiredClaim, TokenType,
};
pub use refresh::RefreshToken;
pub use revocations::Revocations;
pub use verify::{Inspection, Verifier};

/// The SHA-256 digest: names what must not be kept itself.
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
