//! F6 to F10, F41: signatures that look right.

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PSS_SHA256,
    },
};
use roomkey_auth::{Algorithm, HmacSecret, PublicKey, SecretStrength, Verifier};
use serde_json::json;

use crate::forge::*;

/// The order of P-256, big endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn f6_ecdsa_signatures_have_one_form() {
    let token = |signature: &dyn Fn(&[u8]) -> Vec<u8>| {
        sign(ES256_HEADER, claims(json!({"iss": EC_ISSUER, "aud": "ours"})), signature)
    };
    let part = |r: Option<&[u8]>, s: Option<&[u8]>| {
        let (r, s) = (r.map(<[u8]>::to_vec), s.map(<[u8]>::to_vec));
        token(&move |input| {
            let good = es256(input);
            [r.as_deref().unwrap_or(&good[..32]), s.as_deref().unwrap_or(&good[32..])].concat()
        })
    };
    let der = |input: &[u8]| {
        let pkcs8 = P256.to_pkcs8v1().expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("a key");
        key.sign(&SystemRandom::new(), input).expect("signed").as_ref().to_vec()
    };
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let by_p384 = |input: &[u8]| p384.sign(&SystemRandom::new(), input).expect("signed").as_ref().to_vec();
    let zero = [0; 32];
    let cases = [
        part(Some(&zero), Some(&zero)),
        part(Some(&zero), None),
        part(None, Some(&zero)),
        part(Some(&ORDER), None),
        part(None, Some(&ORDER)),
        part(Some(&[0xff; 32]), Some(&[0xff; 32])),
        token(&der),
        token(&by_p384),
        token(&|input| es256(input)[..63].to_vec()),
        token(&|input| [es256(input), vec![0]].concat()),
        token(&|input| [es256(input), es256(input)].concat()),
        token(&|_| vec![1]),
    ];
    check(&verifier(), cases.map(|token| (token, "Signature")));
}

#[test]
fn f7_the_twin_of_an_ecdsa_signature_is_the_same_token() {
    let token = ec_token(json!({}));
    let genuine = verify(&verifier(), &token).expect("a good token");
    assert_eq!(verify(&verifier(), &twin(&token)).expect("ECDSA is malleable"), genuine);
}

/// The same token with the other signature that its key makes for it: `(r, n - s)` for `(r, s)`.
pub(crate) fn twin(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let mut twin = b64_decode(signature);
    subtract(&mut twin[32..], &ORDER);
    let twin = format!("{input}.{}", b64(twin));
    assert_ne!(twin, token);
    twin
}

/// `order - number`, big endian, in place.
fn subtract(number: &mut [u8], order: &[u8]) {
    let mut borrow = 0;
    for (digit, from) in number.iter_mut().zip(order).rev() {
        let difference = i16::from(*from) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).expect("below 256");
    }
}

#[test]
fn f8_eddsa_has_two_names_and_one_signature() {
    /// The order of the base point, little endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let non_canonical = |input: &[u8]| {
        let mut signature = eddsa(input);
        let mut carry = 0;
        for (digit, order) in signature[32..].iter_mut().zip(L) {
            let sum = u16::from(*digit) + u16::from(order) + carry;
            carry = sum >> 8;
            *digit = u8::try_from(sum & 0xff).expect("below 256");
        }
        signature
    };
    let claims = claims(json!({"iss": ED_ISSUER, "aud": "ours"}));
    check(
        &verifier(),
        [
            (ed_token(r#"{"alg":"EdDSA","typ":"at+jwt"}"#), "ed:alice"),
            (ed_token(r#"{"alg":"Ed25519","typ":"at+jwt"}"#), "ed:alice"),
            (ed_token(r#"{"alg":"Ed448","typ":"at+jwt"}"#), "AlgorithmUnknown"),
            (sign(ED_HEADER, &claims, non_canonical), "Signature"),
            (sign(ED_HEADER, &claims, |_| vec![0; 64]), "Signature"),
            (sign(ED_HEADER, &claims, |input| eddsa(input)[..63].to_vec()), "Signature"),
        ],
    );
}

#[test]
fn f9_the_padding_of_rsa_signatures_is_checked_to_the_last_byte() {
    let key = PublicKey::from_pem("key", include_str!("../data/rsa_e3.pem")).expect("a key with e = 3");
    let verifier = Verifier::new(vec![idp_profile(vec![key.into()])]).expect("a good profile");
    check(&verifier, [(include_str!("../data/rsa_e3_lax_padding.jwt").trim(), "Signature")]);
}

#[test]
fn f10_a_profile_takes_its_own_algorithms_only() {
    let hs512 = |input: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, SECRET.as_bytes()), input).as_ref().to_vec()
    };
    let pss = |input: &[u8]| {
        let mut signature = vec![0; RSA.public_modulus_len()];
        RSA.sign(&RSA_PSS_SHA256, &SystemRandom::new(), input, &mut signature).expect("signed");
        signature
    };
    check(
        &verifier(),
        [
            (sign(r#"{"alg":"HS512"}"#, claims(json!({})), hs512), "AlgorithmNotAllowed"),
            (sign(r#"{"alg":"PS256"}"#, idp_claims(json!({})), pss), "AlgorithmNotAllowed"),
            (sign(r#"{"alg":"RS512"}"#, idp_claims(json!({})), rs256), "AlgorithmNotAllowed"),
            (sign(r#"{"alg":"RS256"}"#, idp_claims(json!({})), pss), "Signature"),
            (sign(r#"{"alg":"ES256"}"#, idp_claims(json!({})), es256), "AlgorithmNotAllowed"),
        ],
    );
}

/// A key configured for HS512 and a token that is signed with it, but says HS256: both are allowed here, and the
/// two do not belong together.
#[test]
fn f10_a_key_is_for_one_algorithm() {
    let bytes: Vec<u8> = (0..64).collect();
    let key =
        HmacSecret::new("k", Algorithm::Hs512, &bytes, SecretStrength::Required).expect("a good secret");
    let verifier = shared(|profile| {
        profile.algorithms = vec![Algorithm::Hs256, Algorithm::Hs512];
        profile.keys = vec![key.into()];
    });
    let hs512 =
        |input: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &bytes), input).as_ref().to_vec();
    check(
        &verifier,
        [
            (sign(r#"{"alg":"HS512"}"#, claims(json!({})), hs512), "alice"),
            (sign(r#"{"alg":"HS256"}"#, claims(json!({})), hs512), "KeyUnknown"),
            (sign(r#"{"alg":"HS256"}"#, claims(json!({})), hs256_with(&bytes)), "KeyUnknown"),
        ],
    );
}

#[test]
fn f41_a_signature_is_good_for_its_own_token_only() {
    let (genuine, other) = (shared_token(json!({})), shared_token(json!({"sub": "mallory"})));
    let signature = genuine.rsplit_once('.').expect("three parts").1;
    let input = other.rsplit_once('.').expect("three parts").0;
    let verifier = verifier();
    check(
        &verifier,
        [(&genuine, "alice"), (&other, "mallory"), (&format!("{input}.{signature}"), "Signature")],
    );
    check(
        &verifier,
        [(sign(HS256_HEADER, claims(json!({})), hs256_with(OTHER_SECRET.as_bytes())), "Signature")],
    );
}
