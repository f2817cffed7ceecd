use std::fmt;

use aws_lc_rs::constant_time;

use crate::refresh::sha256;

/// What is kept of a secret that is random and long: its SHA-256, compared in constant time.
#[expect(clippy::derived_hash_with_manual_eq, reason = "equal digests are equal bytes, and hash alike")]
#[derive(Clone, Copy, Eq, Hash)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of a secret.
    pub fn of(secret: &str) -> Self {
        Self(sha256(secret.as_bytes()))
    }

    /// As 64 hexadecimal digits.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// From 64 hexadecimal digits, as `sha256sum` writes them.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut digest = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 2 * digest.len() {
            return None;
        }
        for (byte, pair) in digest.iter_mut().zip(digits.chunks(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(Self(digest))
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_sha256sum_says() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(SecretDigest::from_hex(hex), Some(SecretDigest::of("abc")));
        assert_eq!(SecretDigest::from_hex(&hex.to_uppercase()), Some(SecretDigest::of("abc")));
        assert_ne!(SecretDigest::from_hex(hex), Some(SecretDigest::of("abd")));
        assert_eq!(SecretDigest::of("abc").to_hex(), hex);
        for bad in ["", &hex[1..], &format!("{hex}0"), &hex.replace('b', "g"), &"é".repeat(32)] {
            assert_eq!(SecretDigest::from_hex(bad), None, "{bad}");
        }
    }
}
