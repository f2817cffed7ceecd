//! What it costs to verify a token, beside what its cryptography alone costs.
//!
//! `cargo run --release -p roomkey-auth --example verification_cost`: CPU time of this thread, both in turn within each
//! round, medians over the rounds. *Bare* is `aws-lc-rs` with a key that was read before, on the bytes that are
//! signed (or encrypted), already decoded: what nobody can do without.

use std::{hint::black_box, time::Duration};

use aws_lc_rs::{
    cipher::{
        AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
        UnboundCipherKey,
    },
    encoding::AsDer,
    hkdf, hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, VerificationAlgorithm,
    },
};
use base64::{Engine, prelude::*};
use roomkey_auth::{
    Algorithm, AuthJsProfile, AuthJsVersion, HmacSecret, IssuerProfile, IssuerRule, PublicKey,
    SecretStrength, Verifier, VerifyingKey,
};
use roomkey_model::Timestamp;
use rustix::time::{ClockId, clock_gettime};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const SECRET: &[u8] = b"k3-Zp8_vQ2xR7tYw1LmN5bHc9JdFs4Ga";
const ISSUER: &str = "https://idp.example";
const COOKIE: &str = "__Secure-authjs.session-token";
const ROUNDS: usize = 31;
/// CPU time of one measurement.
const BATCH: Duration = Duration::from_millis(10);

/// What an identity provider puts into a token.
const CLAIMS: &str = r#"{"azp":"https://app.example.com","aud":"roomkey","email":"ada@example.com","exp":1800000600,
    "iat":1799999990,"iss":"https://idp.example","jti":"0f6c7d3c5d8e4f0b9a57","name":"Ada Lovelace",
    "nbf":1799999980,"sid":"sess_2mZsVx6LrpPqLdYxSbdQ0G7uXbW","sub":"user_2mZsVyN9TnYx0jVnQm7qkq1xkCD"}"#;

struct Case {
    name: &'static str,
    bare: Box<dyn Fn()>,
    whole: Box<dyn Fn()>,
}

fn main() {
    let cases = [hs256(), rs256(), es256(), eddsa(), auth_js()];
    let counts: Vec<_> = cases.iter().map(|case| [count(&case.bare), count(&case.whole)]).collect();
    let mut times = vec![[const { Vec::new() }; 2]; cases.len()];
    for _ in 0..ROUNDS {
        for ((case, counts), times) in cases.iter().zip(&counts).zip(&mut times) {
            times[0].push(cost(&case.bare, counts[0]));
            times[1].push(cost(&case.whole, counts[1]));
        }
    }
    println!("| algorithm | bare, µs | verified, µs | ratio | added, µs |\n|---|---:|---:|---:|---:|");
    for (case, [bare, whole]) in cases.iter().zip(&mut times) {
        let (bare, whole) = (median(bare), median(whole));
        println!("| {} | {bare:.2} | {whole:.2} | {:.2} | {:.2} |", case.name, whole / bare, whole - bare);
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("below a second"))
}

fn time(work: &dyn Fn(), count: u32) -> Duration {
    let before = cpu_time();
    (0..count).for_each(|_| work());
    cpu_time() - before
}

/// How often it is done in one measurement.
fn count(work: &dyn Fn()) -> u32 {
    (0..).map(|power| 1 << power).find(|count| time(work, *count) >= BATCH).expect("it takes some time")
}

/// Microseconds for one.
fn cost(work: &dyn Fn(), count: u32) -> f64 {
    time(work, count).as_secs_f64() * 1e6 / f64::from(count)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn input(algorithm: &str) -> String {
    format!("{}.{}", b64(format!(r#"{{"alg":"{algorithm}","kid":"ins_1","typ":"JWT"}}"#)), b64(CLAIMS))
}

fn case(name: &'static str, key: VerifyingKey, input: &str, signature: &[u8], bare: Box<dyn Fn()>) -> Case {
    let mut rules = IssuerProfile::new("idp", IssuerRule::Exact(ISSUER.to_owned()), vec![key]);
    rules.audiences = vec!["roomkey".to_owned()];
    let verifier = Verifier::new(vec![rules]).expect("a good profile");
    let token = format!("{input}.{}", b64(signature));
    let whole = move || drop(black_box(verifier.verify(&token, NOW).expect("a good token")));
    Case { name, bare, whole: Box::new(whole) }
}

fn hs256() -> Case {
    let (input, key) = (input("HS256"), hmac::Key::new(hmac::HMAC_SHA256, SECRET));
    let signature = hmac::sign(&key, input.as_bytes());
    let secret = HmacSecret::new("secret", Algorithm::Hs256, SECRET, SecretStrength::Required);
    let secret = secret.expect("a good secret").with_key_id("ins_1");
    let message = input.clone();
    let bare = move || hmac::verify(&key, message.as_bytes(), signature.as_ref()).expect("it verifies");
    case("HS256", secret.into(), &input, signature.as_ref(), Box::new(bare))
}

fn public(
    name: &'static str,
    algorithm: &'static dyn VerificationAlgorithm,
    spki: &[u8],
    input: &str,
    signature: &[u8],
) -> Case {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", wrapped(spki));
    let key = PublicKey::from_pem("key", &pem).expect("a good key").with_key_id("ins_1");
    let parsed = ParsedPublicKey::new(algorithm, spki).expect("a good key");
    let (message, bytes) = (input.to_owned(), signature.to_vec());
    let bare = move || parsed.verify_sig(message.as_bytes(), &bytes).expect("it verifies");
    case(name, key.into(), input, signature, Box::new(bare))
}

fn wrapped(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII"));
    lines.collect::<Vec<_>>().join("\n")
}

fn rs256() -> Case {
    let (input, key) = (input("RS256"), RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).expect("signed");
    let spki = key.public_key().as_der().expect("a public key");
    public("RS256 (2048 bits)", &RSA_PKCS1_2048_8192_SHA256, spki.as_ref(), &input, &signature)
}

fn es256() -> Case {
    let (input, key) =
        (input("ES256"), EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"));
    let signature = key.sign(&SystemRandom::new(), input.as_bytes()).expect("signed");
    let spki = key.public_key().as_der().expect("a public key");
    public("ES256", &ECDSA_P256_SHA256_FIXED, spki.as_ref(), &input, signature.as_ref())
}

fn eddsa() -> Case {
    let (input, key) = (input("EdDSA"), Ed25519KeyPair::generate().expect("a key"));
    let signature = key.sign(input.as_bytes());
    let spki = key.public_key().as_der().expect("a public key");
    public("EdDSA (Ed25519)", &ED25519, spki.as_ref(), &input, signature.as_ref())
}

struct Bytes64;

impl hkdf::KeyType for Bytes64 {
    fn len(&self) -> usize {
        64
    }
}

/// A session cookie of Auth.js: AES-256-CBC and HMAC-SHA-512.
fn auth_js() -> Case {
    let mut key = [0; 64];
    let info = format!("Auth.js Generated Encryption Key ({COOKIE})");
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, COOKIE.as_bytes()).extract(SECRET);
    extracted
        .expand(&[info.as_bytes()], Bytes64)
        .and_then(|expanded| expanded.fill(&mut key))
        .expect("a key");
    let (mac_key, cipher_key) = key.split_at(32);
    let mac = hmac::Key::new(hmac::HMAC_SHA512, mac_key);
    let cipher = || UnboundCipherKey::new(&AES_256, cipher_key).expect("32 bytes");
    let (aad, iv, mut text) =
        (b64(r#"{"alg":"dir","enc":"A256CBC-HS512"}"#), [7; 16], CLAIMS.as_bytes().to_vec());
    let encrypting = PaddedBlockEncryptingKey::cbc_pkcs7(cipher()).expect("a key");
    encrypting.less_safe_encrypt(&mut text, EncryptionContext::Iv128(iv.into())).expect("encrypted");
    let bits = (aad.len() as u64 * 8).to_be_bytes();
    let authenticated = [aad.as_bytes(), &iv, &text, &bits].concat();
    let tag = hmac::sign(&mac, &authenticated).as_ref()[..32].to_vec();
    let cookie = format!("{aad}..{}.{}.{}", b64(iv), b64(&text), b64(&tag));

    let decrypting = PaddedBlockDecryptingKey::cbc_pkcs7(cipher()).expect("a key");
    let bare = move || {
        assert_eq!(hmac::sign(&mac, &authenticated).as_ref()[..32], tag);
        let mut text = text.clone();
        let decrypted =
            decrypting.decrypt(&mut text, DecryptionContext::Iv128(iv.into())).expect("decrypted");
        black_box(decrypted);
    };
    let mut profile = AuthJsProfile::new("app", AuthJsVersion::V5, COOKIE);
    profile.add_secret("AUTH_SECRET", SECRET, SecretStrength::Required).expect("a good secret");
    let verifier = Verifier::with_sessions(Vec::new(), vec![profile]).expect("a good profile");
    let whole =
        move || drop(black_box(verifier.verify_session(COOKIE, &cookie, NOW).expect("a good cookie")));
    Case { name: "Auth.js cookie (A256CBC-HS512)", bare: Box::new(bare), whole: Box::new(whole) }
}
