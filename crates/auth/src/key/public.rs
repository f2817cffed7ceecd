use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
    },
};

use super::{Algorithm, jwk::Jwk, pem};
use crate::ConfigError;

/// A public key: RSA of 2048 bits or more, EC on P-256 or P-384, or Ed25519.
///
/// The kind of key decides its one algorithm (RS256, ES256, ES384, EdDSA). One of RSA can be made for another one of RSA
/// instead: [`Self::with_algorithm`].
#[derive(Clone)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
    jwk: Jwk,
    key_id: Option<Arc<str>>,
    thumbprint: Arc<str>,
}

impl PublicKey {
    /// Reads the PEM text that the operator gave as `setting`: `PUBLIC KEY` (SubjectPublicKeyInfo, RFC 5280)
    /// or `RSA PUBLIC KEY` (PKCS#1, RFC 8017).
    pub fn from_pem(setting: &str, text: &str) -> Result<Self, ConfigError> {
        let (label, der) = pem::decode(text).map_err(|problem| ConfigError::new(setting, problem))?;
        if label.contains("PRIVATE") {
            return Err(ConfigError::new(setting, "holds a private key; only the public one belongs here"));
        }
        Self::from_der(&der).ok_or_else(|| {
            ConfigError::new(
                setting,
                "is not a public key of RSA (2048 to 8192 bits), EC on P-256 or P-384 or Ed25519; a certificate must be converted",
            )
        })
    }

    /// From a DER-encoded SubjectPublicKeyInfo or PKCS#1 public key.
    fn from_der(der: &[u8]) -> Option<Self> {
        Self::ed25519(der).or_else(|| Self::p256(der)).or_else(|| Self::p384(der)).or_else(|| Self::rsa(der))
    }

    /// From a DER-encoded SubjectPublicKeyInfo or the 32 bytes themselves.
    pub(super) fn ed25519(der: &[u8]) -> Option<Self> {
        let key = parse(&ED25519, der)?;
        let x = spki(&key)?.last_chunk::<32>().copied()?;
        if is_small_order(x) {
            return None;
        }
        Some(Self::new(Algorithm::EdDsa, key, Jwk::ed25519(&x)))
    }

    /// From a DER-encoded SubjectPublicKeyInfo or an uncompressed point (SEC 1).
    pub(super) fn p256(der: &[u8]) -> Option<Self> {
        Self::ec(Algorithm::Es256, &ECDSA_P256_SHA256_FIXED, "P-256", 32, der)
    }

    /// From a DER-encoded SubjectPublicKeyInfo or an uncompressed point (SEC 1).
    pub(super) fn p384(der: &[u8]) -> Option<Self> {
        Self::ec(Algorithm::Es384, &ECDSA_P384_SHA384_FIXED, "P-384", 48, der)
    }

    fn ec(
        algorithm: Algorithm,
        verification: &'static dyn VerificationAlgorithm,
        curve: &'static str,
        coordinate_len: usize,
        der: &[u8],
    ) -> Option<Self> {
        let key = parse(verification, der)?;
        let spki = spki(&key)?;
        let point = spki.len().checked_sub(2 * coordinate_len + 1)?;
        let (form, coordinates) = spki[point..].split_first()?;
        let (x, y) = coordinates.split_at(coordinate_len);
        (*form == 4).then(|| Self::new(algorithm, key, Jwk::ec(curve, x, y)))
    }

    /// From a DER-encoded SubjectPublicKeyInfo or PKCS#1 key.
    pub(super) fn rsa(der: &[u8]) -> Option<Self> {
        let pkcs1 = rsa::PublicKey::from_der(der).ok()?;
        let bits = aws_lc_rs::signature::RsaParameters::public_modulus_len(pkcs1.as_ref()).ok()?;
        if !(2048..=8192).contains(&bits) {
            return None;
        }
        let key = parse(&RSA_PKCS1_2048_8192_SHA256, pkcs1.as_ref())?;
        Some(Self::new(Algorithm::Rs256, key, Jwk::rsa(pkcs1.as_ref())?))
    }

    fn new(algorithm: Algorithm, key: ParsedPublicKey, jwk: Jwk) -> Self {
        let thumbprint = jwk.thumbprint().into();
        Self { algorithm, key, jwk, key_id: None, thumbprint }
    }

    /// The same key under the `kid` that tokens name it by.
    #[must_use]
    pub fn with_key_id(self, key_id: impl Into<Arc<str>>) -> Self {
        Self { key_id: Some(key_id.into()), ..self }
    }

    /// The same key for another algorithm, where both are of RSA; `None` otherwise.
    pub fn with_algorithm(self, algorithm: Algorithm) -> Option<Self> {
        rsa_verification(self.algorithm)?;
        let key = parse(rsa_verification(algorithm)?, &spki(&self.key)?)?;
        Some(Self { algorithm, key, ..self })
    }

    /// The one algorithm this key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` that tokens name this key by, where it was configured.
    pub fn key_id(&self) -> Option<&Arc<str>> {
        self.key_id.as_ref()
    }

    /// The SHA-256 thumbprint of RFC 7638, in base64url.
    pub fn thumbprint(&self) -> &Arc<str> {
        &self.thumbprint
    }

    /// The PEM text (`PUBLIC KEY`) that [`Self::from_pem`] reads.
    pub fn to_pem(&self) -> String {
        let der = spki(&self.key).expect("it was read from this form");
        pem::encode("PUBLIC KEY", &der).to_string()
    }

    pub(super) fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .field("thumbprint", &self.thumbprint)
            .finish_non_exhaustive()
    }
}

fn rsa_verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

fn parse(algorithm: &'static dyn VerificationAlgorithm, der: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, der).ok()
}

fn spki(key: &ParsedPublicKey) -> Option<Vec<u8>> {
    let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
    Some(der.as_ref().to_vec())
}

/// Whether this is one of the points of order 1, 2, 4 or 8 of edwards25519: a signature of such a key says
/// nothing, because everybody can make one.
fn is_small_order(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7f; // the sign of x
    SMALL_ORDER.contains(&point)
}

const SMALL_ORDER: [[u8; 32]; 7] = [
    with_ends(0, 0, 0),
    with_ends(1, 0, 0),
    with_ends(0xec, 0xff, 0x7f), // p - 1
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    // 0 and 1 again, as p and p + 1.
    with_ends(0xed, 0xff, 0x7f),
    with_ends(0xee, 0xff, 0x7f),
];

const fn with_ends(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut point = [middle; 32];
    point[0] = first;
    point[31] = last;
    point
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::UnparsedPublicKey;
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    /// RFC 8037, appendices A.3 and A.4.
    #[test]
    fn the_published_ed25519_key() {
        let key =
            PublicKey::ed25519(&decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")).expect("a good key");
        assert_eq!(&**key.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let signature =
            decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert!(key.verify(message, &signature));
        assert!(!key.verify(&message[1..], &signature));
    }

    /// For a key `A` of small order, `R` = the identity and `S` = 0 is a signature of every message whose hash
    /// times `A` is the identity: of one in eight or more, without any private key.
    #[test]
    fn signatures_of_small_order_keys_can_be_made_up() {
        let mut made_up = [0; 64];
        made_up[0] = 1;
        let can_be_made_up = |point: [u8; 32]| {
            (0..200_u8)
                .any(|message| UnparsedPublicKey::new(&ED25519, point).verify(&[message], &made_up).is_ok())
        };
        for point in &SMALL_ORDER[..5] {
            assert!(can_be_made_up(*point), "{point:x?}");
            assert!(is_small_order(*point));
            let mut other_sign = *point;
            other_sign[31] |= 0x80;
            assert!(is_small_order(other_sign));
        }
        let good = *decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").first_chunk().expect("32 bytes");
        assert!(!can_be_made_up(good) && !is_small_order(good));
    }
}
