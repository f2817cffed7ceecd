//! JSON Web Encryption (RFC 7516), as far as Auth.js goes: a key that both sides have (`dir`), and two ciphers.
//!
//! Whatever is compressed, wrapped, derived from a password or agreed upon with a key in the header is refused
//! before anything is decrypted. That a token decrypts says that who made it has the key, and nothing more: what it
//! was made for is for the profile to check.

mod content_key;
mod sealed;

pub(crate) use content_key::{ContentKey, Encryption};
pub(crate) use sealed::{SEALED_BYTES_MAX, Sealed};
