//! Makes tokens out of raw text and raw keys.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::*};
use roomkey_auth::{
    Algorithm, HmacSecret, Identity, IssuerProfile, IssuerRule, PublicKey, SecretStrength, TokenError,
    TokenType, Verifier, VerifyingKey,
};
use roomkey_model::{Entropy, Timestamp};
use serde_json::{Value, json};

/// The time at which all of this happens, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const SECRET: &str = "k3-Zp8_vQ2xR7tYw1LmN5bHc9JdFs4Ga";
pub(crate) const OTHER_SECRET: &str = "An0ther-53cret.of:the+same=length";
pub(crate) const RSA_ISSUER: &str = "https://idp.example/";
pub(crate) const EC_ISSUER: &str = "https://ec.example";
pub(crate) const ED_ISSUER: &str = "https://ed.example";

pub(crate) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));
pub(crate) static RSA_2: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));
pub(crate) static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"));
pub(crate) static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().expect("a key"));

pub(crate) fn spki<K: AsDer<PublicKeyX509Der<'static>>>(key: &K) -> Vec<u8> {
    key.as_der().expect("a public key").as_ref().to_vec()
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64_STANDARD.encode(der);
    let lines: Vec<_> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn public(der: &[u8]) -> PublicKey {
    PublicKey::from_pem("key", &pem("PUBLIC KEY", der)).expect("a good key")
}

pub(crate) fn rsa_public() -> PublicKey {
    public(&spki(RSA.public_key()))
}

pub(crate) fn p256_public() -> PublicKey {
    public(&spki(P256.public_key()))
}

pub(crate) fn ed25519_public() -> PublicKey {
    public(&spki(ED25519.public_key()))
}

pub(crate) fn secret(text: &str) -> HmacSecret {
    HmacSecret::new("JWT_SECRET", Algorithm::Hs256, text.as_bytes(), SecretStrength::Required)
        .expect("a good secret")
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn signing_input(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    format!("{}.{}", b64(header), b64(claims))
}

/// `header.claims.signature`, whatever the header says.
pub(crate) fn sign(
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
    signer: impl Fn(&[u8]) -> Vec<u8>,
) -> String {
    let input = signing_input(header, claims);
    let signature = signer(input.as_bytes());
    format!("{input}.{}", b64(signature))
}

pub(crate) fn hs256_with(key: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    move |input| hmac::sign(&key, input).as_ref().to_vec()
}

pub(crate) fn hs256(input: &[u8]) -> Vec<u8> {
    hs256_with(SECRET.as_bytes())(input)
}

pub(crate) fn rs256_with(key: &RsaKeyPair) -> impl Fn(&[u8]) -> Vec<u8> {
    move |input| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature).expect("signed");
        signature
    }
}

pub(crate) fn rs256(input: &[u8]) -> Vec<u8> {
    rs256_with(&RSA)(input)
}

pub(crate) fn es256(input: &[u8]) -> Vec<u8> {
    P256.sign(&SystemRandom::new(), input).expect("signed").as_ref().to_vec()
}

pub(crate) fn eddsa(input: &[u8]) -> Vec<u8> {
    ED25519.sign(input).as_ref().to_vec()
}

pub(crate) const HS256_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(crate) const RS256_HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;
pub(crate) const ES256_HEADER: &str = r#"{"alg":"ES256","typ":"JWT"}"#;
pub(crate) const ED_HEADER: &str = r#"{"alg":"EdDSA","typ":"at+jwt"}"#;

/// `base` with `changes` merged over it.
pub(crate) fn merged(mut base: Value, changes: Value) -> Value {
    let (Value::Object(all), Value::Object(changes)) = (&mut base, changes) else {
        panic!("both are objects")
    };
    all.extend(changes);
    base
}

/// Good claims with `changes` merged over them; `null` takes a claim out.
pub(crate) fn claims(changes: Value) -> String {
    let mut claims = merged(json!({"sub": "alice", "iat": NOW - 10, "exp": NOW + 600}), changes);
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    claims.to_string()
}

pub(crate) fn idp_claims(changes: Value) -> String {
    claims(merged(json!({"iss": RSA_ISSUER, "aud": "ours"}), changes))
}

pub(crate) fn shared_token(changes: Value) -> String {
    sign(HS256_HEADER, claims(changes), hs256)
}

pub(crate) fn idp_token(changes: Value) -> String {
    sign(RS256_HEADER, idp_claims(changes), rs256)
}

pub(crate) fn ec_token(changes: Value) -> String {
    sign(ES256_HEADER, claims(merged(json!({"iss": EC_ISSUER, "aud": "ours"}), changes)), es256)
}

pub(crate) fn ed_token(header: &str) -> String {
    sign(header, claims(json!({"iss": ED_ISSUER, "aud": "ours", "client_id": "web"})), eddsa)
}

pub(crate) fn idp_profile(keys: Vec<VerifyingKey>) -> IssuerProfile {
    IssuerProfile {
        audiences: vec!["ours".to_owned()],
        user_prefix: "idp:".to_owned(),
        ..IssuerProfile::new("idp", IssuerRule::Exact(RSA_ISSUER.to_owned()), keys)
    }
}

/// Four issuers, one of each kind of key.
pub(crate) fn profiles() -> Vec<IssuerProfile> {
    let ours = || vec!["ours".to_owned()];
    let exact = |issuer: &str| IssuerRule::Exact(issuer.to_owned());
    vec![
        IssuerProfile::shared_secret("shared", vec![secret(SECRET)]),
        idp_profile(vec![rsa_public().with_key_id("rsa-1").into()]),
        IssuerProfile {
            audiences: ours(),
            user_prefix: "ec:".to_owned(),
            ..IssuerProfile::new("ec", exact(EC_ISSUER), vec![p256_public().into()])
        },
        IssuerProfile {
            audiences: ours(),
            user_prefix: "ed:".to_owned(),
            token_type: TokenType::AccessToken,
            ..IssuerProfile::new("ed", exact(ED_ISSUER), vec![ed25519_public().into()])
        },
    ]
}

pub(crate) fn verifier() -> Verifier {
    Verifier::new(profiles()).expect("good profiles")
}

/// Only the shared secret's profile, changed.
pub(crate) fn shared(change: impl FnOnce(&mut IssuerProfile)) -> Verifier {
    let mut profile = IssuerProfile::shared_secret("shared", vec![secret(SECRET)]);
    change(&mut profile);
    Verifier::new(vec![profile]).expect("a good profile")
}

/// Only the RSA issuer's profile, changed.
pub(crate) fn idp(change: impl FnOnce(&mut IssuerProfile)) -> Verifier {
    let mut profile = idp_profile(vec![rsa_public().into()]);
    change(&mut profile);
    Verifier::new(vec![profile]).expect("a good profile")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_secs(NOW)
}

pub(crate) fn verify(verifier: &Verifier, token: &str) -> Result<Identity, TokenError> {
    verifier.verify(token, now())
}

/// The user, or the reason: `alice`, `Expired`, `Signature`, `ClaimMalformed("exp")`.
pub(crate) fn outcome(result: Result<Identity, TokenError>) -> String {
    match result {
        Ok(identity) => identity.user.to_string(),
        Err(TokenError::Invalid(reason)) => format!("{reason:?}"),
        Err(error) => format!("{error:?}"),
    }
}

/// Each token has the outcome beside it.
#[track_caller]
pub(crate) fn check<T: AsRef<str>, E: AsRef<str>>(
    verifier: &Verifier,
    cases: impl IntoIterator<Item = (T, E)>,
) {
    for (index, (token, expected)) in cases.into_iter().enumerate() {
        let token = token.as_ref();
        assert_eq!(outcome(verify(verifier, token)), expected.as_ref(), "case {index}: {:.200}", token);
    }
}

/// Bytes that count up: predictable, and never the same twice.
#[derive(Default)]
pub(crate) struct Counter(pub(crate) std::sync::atomic::AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, std::sync::atomic::Ordering::Relaxed);
            chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
        }
    }
}

impl Counter {
    pub(crate) fn next_32(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }
}

pub(crate) fn texts(texts: &[&str]) -> Arc<[Arc<str>]> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

pub(crate) fn spki_of_p256() -> Vec<u8> {
    spki(P256.public_key())
}

pub(crate) fn spki_of_ed25519() -> Vec<u8> {
    spki(ED25519.public_key())
}

pub(crate) fn b64_decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
