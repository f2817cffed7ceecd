//! F6, F9, F11, F29: JWK Set documents, as issuers publish them.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use roomkey_auth::{Algorithm, PublicKey};
use serde_json::{Value, json};

use crate::forge::*;

fn rsa_jwk() -> Value {
    let pkcs1 = RSA.public_key().as_ref();
    let modulus = &pkcs1[pkcs1.len() - 5 - 256..pkcs1.len() - 5];
    json!({"kty": "RSA", "n": b64(modulus), "e": "AQAB", "kid": "rsa-1", "use": "sig", "alg": "RS256"})
}

fn p256_jwk() -> Value {
    let point = spki_of_p256();
    json!({"kty": "EC", "crv": "P-256", "x": b64(&point[27..59]), "y": b64(&point[59..]), "kid": "ec-1"})
}

fn ed25519_jwk() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": b64(&spki_of_ed25519()[12..]), "key_ops": ["verify"]})
}

fn read(keys: &[Value]) -> Result<Vec<PublicKey>, String> {
    let document = json!({ "keys": keys }).to_string();
    PublicKey::from_jwk_set("issuers.idp.key_set", document.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn keys_read_from_a_set_are_those_of_the_pem_files() {
    let keys = read(&[rsa_jwk(), p256_jwk(), ed25519_jwk()]).expect("good keys");
    let thumbprints: Vec<_> = keys.iter().map(PublicKey::thumbprint).collect();
    let expected = [rsa_public(), p256_public(), ed25519_public()];
    assert_eq!(thumbprints, expected.iter().map(PublicKey::thumbprint).collect::<Vec<_>>());
    let ids: Vec<_> = keys.iter().map(|key| key.key_id().map(AsRef::as_ref)).collect();
    assert_eq!(ids, [Some("rsa-1"), Some("ec-1"), None]);

    let verifier = idp(|profile| profile.keys = vec![keys[0].clone().into()]);
    let header = r#"{"alg":"RS256","kid":"rsa-1"}"#;
    check(&verifier, [(sign(header, idp_claims(json!({})), rs256), "idp:alice")]);
}

#[test]
fn bad_keys_are_skipped_and_good_ones_kept() {
    let changed = |jwk: Value, changes: Value| merged(jwk, changes);
    let bad = [
        json!(null),
        json!("key"),
        json!({}),
        json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}),
        json!({"kty": "new"}),
        changed(rsa_jwk(), json!({"use": "enc"})),
        changed(rsa_jwk(), json!({"key_ops": ["encrypt"]})),
        changed(rsa_jwk(), json!({"key_ops": "verify"})),
        changed(rsa_jwk(), json!({"alg": "RSA-OAEP"})),
        changed(rsa_jwk(), json!({"alg": "PS384"})),
        changed(rsa_jwk(), json!({"alg": "HS256"})),
        changed(rsa_jwk(), json!({"alg": "ES256"})),
        changed(rsa_jwk(), json!({"kid": 7})),
        changed(rsa_jwk(), json!({"n": b64([0xff; 128])})),
        changed(rsa_jwk(), json!({"n": ""})),
        changed(rsa_jwk(), json!({"n": "AA=="})),
        changed(rsa_jwk(), json!({"e": "AQ"})),
        changed(rsa_jwk(), json!({"e": "Ag"})),
        changed(rsa_jwk(), json!({"e": "AAAB"})),
        changed(p256_jwk(), json!({"crv": "P-384"})),
        changed(p256_jwk(), json!({"y": p256_jwk()["x"]})),
        changed(p256_jwk(), json!({"x": b64([0; 31])})),
        changed(p256_jwk(), json!({"kty": "OKP"})),
        changed(ed25519_jwk(), json!({"crv": "Ed448"})),
        changed(ed25519_jwk(), json!({"x": b64([0; 32])})),
    ];
    for bad in bad {
        let keys = read(&[bad.clone(), p256_jwk()]).expect("one good key");
        assert_eq!(keys.len(), 1, "{bad}");
        assert_eq!(read(std::slice::from_ref(&bad)).expect_err("none is usable"), NONE_USABLE, "{bad}");
    }
}

const NONE_USABLE: &str = "issuers.idp.key_set: the key set has no usable key";

#[test]
fn what_is_no_key_set() {
    assert_eq!(read(&[]).expect_err("none is there"), NONE_USABLE);
    assert!(read(&vec![p256_jwk(); 100]).is_ok());
    assert!(read(&vec![p256_jwk(); 101]).is_err());
    let long = format!(r#"{{"keys":[{}],"pad":"{}"}}"#, p256_jwk(), "x".repeat(512 * 1024));
    let twice = format!(r#"{{"keys":[{0}],"keys":[{0}]}}"#, p256_jwk());
    for bad in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, &long, &twice] {
        assert!(PublicKey::from_jwk_set("k", bad.as_bytes()).is_err(), "{:.40}", bad);
    }
}

/// A key of RSA says by its `alg` which of RSA's algorithms it is for, and is for no other.
#[test]
fn the_algorithm_of_a_key_is_the_one_that_the_set_says() {
    let signed_by = |alg: &str, padding: &'static dyn RsaEncoding| {
        sign(format!(r#"{{"alg":"{alg}","kid":"rsa-1"}}"#), idp_claims(json!({})), |input: &[u8]| {
            let mut signature = vec![0; RSA.public_modulus_len()];
            RSA.sign(padding, &SystemRandom::new(), input, &mut signature).expect("signed");
            signature
        })
    };
    let algorithms: [(&str, Algorithm, &'static dyn RsaEncoding); 4] = [
        ("PS256", Algorithm::Ps256, &RSA_PSS_SHA256),
        ("RS256", Algorithm::Rs256, &RSA_PKCS1_SHA256),
        ("RS384", Algorithm::Rs384, &RSA_PKCS1_SHA384),
        ("RS512", Algorithm::Rs512, &RSA_PKCS1_SHA512),
    ];
    for (name, algorithm, _) in algorithms {
        let keys = read(&[merged(rsa_jwk(), json!({"alg": name}))]).expect("a good key");
        assert_eq!((keys.len(), keys[0].algorithm()), (1, algorithm));
        assert_eq!(keys[0].thumbprint(), rsa_public().thumbprint());
        let all = idp(|profile| {
            profile.algorithms = algorithms.map(|(_, algorithm, _)| algorithm).into();
            profile.keys = vec![keys[0].clone().into()];
        });
        let own_only = idp(|profile| {
            profile.algorithms = vec![algorithm];
            profile.keys = vec![keys[0].clone().into()];
        });
        for (other, _, other_padding) in algorithms {
            let outcomes =
                if other == name { ["idp:alice"; 2] } else { ["KeyUnknown", "AlgorithmNotAllowed"] };
            check(&all, [(signed_by(other, other_padding), outcomes[0])]);
            check(&own_only, [(signed_by(other, other_padding), outcomes[1])]);
            let wrong_padding = if other == name { "idp:alice" } else { "Signature" };
            check(&own_only, [(signed_by(name, other_padding), wrong_padding)]);
        }
        assert!(keys[0].clone().with_algorithm(Algorithm::Es256).is_none());
    }
    assert!(p256_public().with_algorithm(Algorithm::Rs256).is_none());
}

#[test]
fn keys_on_p384_are_for_es384() {
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let point = key.public_key().as_ref();
    let jwk =
        json!({"kty": "EC", "crv": "P-384", "x": b64(&point[1..49]), "y": b64(&point[49..]), "alg": "ES384"});
    let keys = read(&[jwk.clone(), p256_jwk()]).expect("good keys");
    assert_eq!(keys[0].thumbprint(), public(&spki(key.public_key())).thumbprint());
    let verifier = idp(|profile| {
        profile.algorithms = vec![Algorithm::Es256, Algorithm::Es384];
        profile.keys = keys.into_iter().map(Into::into).collect();
    });
    let es384 = |input: &[u8]| key.sign(&SystemRandom::new(), input).expect("signed").as_ref().to_vec();
    check(
        &verifier,
        [
            (sign(r#"{"alg":"ES384"}"#, idp_claims(json!({})), es384), "idp:alice"),
            (sign(r#"{"alg":"ES256"}"#, idp_claims(json!({})), es384), "Signature"),
            (sign(r#"{"alg":"ES384"}"#, idp_claims(json!({})), es256), "Signature"),
            (sign(r#"{"alg":"ES256"}"#, idp_claims(json!({})), es256), "idp:alice"),
        ],
    );
    for bad in [
        merged(jwk.clone(), json!({"crv": "P-256"})),
        merged(jwk.clone(), json!({"alg": "ES256"})),
        merged(jwk.clone(), json!({"y": jwk["x"]})),
        merged(jwk, json!({"x": b64([1; 32])})),
    ] {
        assert!(read(std::slice::from_ref(&bad)).is_err(), "{bad}");
    }
}
