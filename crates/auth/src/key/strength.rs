use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::der;
use crate::ConfigError;

/// Whether a secret must be as strong as its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretStrength {
    /// At least as long as the hash (RFC 7518 section 3.2), and not a published example.
    Required,
    /// Anything that is not empty: for trying things out. The server says loudly that it is on.
    AllowWeak,
}

/// Whether the secret that the operator gave as `setting` is weaker than its `purpose` demands; an error where it
/// must not be.
pub(crate) fn is_weak(
    setting: &str,
    secret: &[u8],
    bytes_min: usize,
    purpose: &str,
    strength: SecretStrength,
) -> Result<bool, ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new(setting, problem));
    if secret.trim_ascii().is_empty() {
        return refuse("must not be empty".to_owned());
    }
    if is_other_key(secret) {
        return refuse("holds a PEM, JWK, SSH or DER key, not a secret".to_owned());
    }
    let weakness = if secret.len() < bytes_min {
        Some(format!("must have at least {bytes_min} bytes for {purpose}"))
    } else if distinct_bytes(secret) < DISTINCT_BYTES_MIN {
        Some("repeats itself; use random bytes".to_owned())
    } else if PUBLISHED.contains(&secret) {
        Some("is an example that everybody knows".to_owned())
    } else {
        None
    };
    match (weakness, strength) {
        (Some(weakness), SecretStrength::Required) => refuse(weakness),
        (weakness, _) => Ok(weakness.is_some()),
    }
}

/// Fewer different bytes than this in 32 or more: a pattern, not a secret. Random hex digits have 16.
const DISTINCT_BYTES_MIN: usize = 8;

/// Long enough, and on every tutorial's page.
const PUBLISHED: &[&[u8]] = &[
    b"a-string-secret-at-least-256-bits-long",
    b"a-valid-string-secret-that-is-at-least-384-bits-long",
    b"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    b"your-secret-key-must-be-at-least-32-characters-long",
    b"your-super-secret-jwt-token-with-at-least-32-characters-long",
];

fn distinct_bytes(secret: &[u8]) -> usize {
    let mut seen = [false; 256];
    secret.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Whether this is a key of another kind, in any clothing: leading bytes such as a BOM change nothing.
fn is_other_key(secret: &[u8]) -> bool {
    const MARKS: &[&[u8]] =
        &[b"-----BEGIN", b"---- BEGIN", b"\"kty\"", b"ssh-rsa ", b"ssh-ed25519 ", b"ecdsa-sha2-"];
    let contains = |mark: &&[u8]| secret.windows(mark.len()).any(|window| window == *mark);
    MARKS.iter().any(contains) || der::looks_like_key(secret) || is_base64_of_key(secret)
}

fn is_base64_of_key(secret: &[u8]) -> bool {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(secret.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    [STANDARD, URL_SAFE].iter().any(|alphabet| {
        let bytes = GeneralPurpose::new(alphabet, config).decode(&**text).map(Zeroizing::new);
        bytes.is_ok_and(|bytes| der::looks_like_key(&bytes))
    })
}
