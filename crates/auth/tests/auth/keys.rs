//! F5, F6, F9: which keys are taken at all, and published signatures.

use aws_lc_rs::signature::KeyPair;
use expect_test::expect;
use roomkey_auth::{
    Algorithm, ClaimPath, ConfigError, HmacSecret, IssuerProfile, IssuerRule, PublicKey, RequiredClaim,
    SecretStrength, Verifier, VerifyingKey,
};
use roomkey_model::Timestamp;

use crate::forge::*;

fn secret_problem(algorithm: Algorithm, secret: &[u8]) -> Option<ConfigError> {
    HmacSecret::new("JWT_SECRET", algorithm, secret, SecretStrength::Required).err()
}

#[test]
fn f5_weak_secrets_stop_the_server_unless_allowed() {
    let repeated = "abcdefg".repeat(10);
    let weak: [&[u8]; 7] = [
        b"changeme",
        b"your-secret-key",
        b"Mys3cr3t",
        &SECRET.as_bytes()[..31],
        &[b'a'; 64],
        repeated.as_bytes(),
        b"a-string-secret-at-least-256-bits-long",
    ];
    for weak in weak {
        assert!(secret_problem(Algorithm::Hs256, weak).is_some(), "{weak:?}");
        let allowed = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, weak, SecretStrength::AllowWeak);
        assert!(allowed.expect("weak secrets are allowed here").is_weak());
    }
    for (algorithm, bytes_min) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        let bytes: Vec<u8> = (0..bytes_min).collect();
        assert_eq!(secret_problem(algorithm, &bytes), None, "{algorithm}");
        assert!(secret_problem(algorithm, &bytes[1..]).is_some(), "{algorithm}");
    }
    assert!(!secret(SECRET).is_weak());
}

#[test]
fn f5_empty_secrets_and_keys_of_another_kind_are_never_allowed() {
    let der = spki(RSA.public_key());
    let text = pem("PUBLIC KEY", &der);
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let never: [Vec<u8>; 15] = [
        Vec::new(),
        b"   \n".to_vec(),
        text.clone().into(),
        format!("\u{feff}{text}").into(),
        format!("# {text}").into(),
        format!("\u{200b} {text}").into(),
        text.replace('\n', "\\n").into(),
        b"{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx\",\"e\":\"AQAB\"}"
            .to_vec(),
        b"{\"keys\":[{\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\", \"kty\" : \"oct\"}]}".to_vec(),
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl alice".to_vec(),
        b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQ".to_vec(),
        der,
        base64.clone().into(),
        base64.replace('+', "-").replace('/', "_").trim_end_matches('=').into(),
        spki_of_ed25519(),
    ];
    for (index, never) in never.iter().enumerate() {
        for strength in [SecretStrength::Required, SecretStrength::AllowWeak] {
            let result = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, never, strength);
            assert!(result.is_err(), "case {index}");
        }
    }
    assert!(secret_problem(Algorithm::Rs256, SECRET.as_bytes()).is_some());
}

#[test]
fn messages_name_the_setting_and_never_the_value() {
    let problems: Vec<String> = [&b""[..], b"changeme-changeme", &[b'a'; 40], b"-----BEGIN PUBLIC KEY-----"]
        .iter()
        .filter_map(|secret| secret_problem(Algorithm::Hs256, secret))
        .map(|error| error.to_string())
        .collect();
    expect![[r#"
        JWT_SECRET: must not be empty
        JWT_SECRET: must have at least 32 bytes for HS256
        JWT_SECRET: repeats itself; use random bytes
        JWT_SECRET: holds a PEM, JWK, SSH or DER key, not a secret"#]]
    .assert_eq(&problems.join("\n"));
}

#[test]
fn f6_f9_only_strong_public_keys_are_taken() {
    let good = [
        (pem("PUBLIC KEY", &spki(RSA.public_key())), Algorithm::Rs256),
        (pem("RSA PUBLIC KEY", RSA.public_key().as_ref()), Algorithm::Rs256),
        (pem("PUBLIC KEY", &spki_of_p256()), Algorithm::Es256),
        (pem("PUBLIC KEY", &spki_of_ed25519()), Algorithm::EdDsa),
        (format!("\n\n{}", pem("PUBLIC KEY", &spki_of_ed25519()).replace('\n', "\r\n")), Algorithm::EdDsa),
        (include_str!("../data/rsa_e3.pem").to_owned(), Algorithm::Rs256),
        (include_str!("../data/p384.pem").to_owned(), Algorithm::Es384),
    ];
    for (text, algorithm) in good {
        assert_eq!(PublicKey::from_pem("key", &text).expect("a good key").algorithm(), algorithm);
    }

    let mut off_curve = spki_of_p256();
    *off_curve.last_mut().expect("not empty") ^= 1;
    let modulus = {
        let pkcs1 = RSA.public_key().as_ref();
        pkcs1[4..pkcs1.len() - 5].to_vec()
    };
    let with_exponent = |exponent: u8| {
        let content = [&modulus[..], &[2, 1, exponent]].concat();
        let len = u16::try_from(content.len()).expect("short").to_be_bytes();
        pem("RSA PUBLIC KEY", &[&[0x30, 0x82][..], &len, &content].concat())
    };
    assert!(PublicKey::from_pem("key", &with_exponent(3)).is_ok(), "the helper makes keys");
    let small_order = |x: [u8; 32]| {
        let prefix = &spki_of_ed25519()[..12];
        pem("PUBLIC KEY", &[prefix, &x].concat())
    };
    let mut one = [0; 32];
    one[0] = 1;
    let private = pem("PRIVATE KEY", P256.to_pkcs8v1().expect("a key").as_ref());
    let bad = [
        include_str!("../data/rsa_1024.pem").to_owned(),
        include_str!("../data/ed448.pem").to_owned(),
        include_str!("../data/certificate.pem").to_owned(),
        pem("PUBLIC KEY", &off_curve),
        with_exponent(1),
        with_exponent(2),
        small_order([0; 32]),
        small_order(one),
        private,
        pem("PUBLIC KEY", b""),
        "not a key".to_owned(),
        String::new(),
    ];
    for (index, text) in bad.iter().enumerate() {
        let error = PublicKey::from_pem("issuers.idp.keys", text).expect_err("a bad key");
        assert!(error.to_string().starts_with("issuers.idp.keys: "), "case {index}: {error}");
        assert!(text.len() < 20 || !error.to_string().contains(&text[30..40]), "case {index}: {error}");
    }
}

/// The examples of RFC 7515, appendices A.1 and A.3: made by nobody here.
#[test]
fn published_signatures() {
    let secret =
        b64_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    let hs256 =
        HmacSecret::new("k", Algorithm::Hs256, &secret, SecretStrength::Required).expect("a good secret");
    let point = [
        b64_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        b64_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    let es256 = public(&[&spki_of_p256()[..27], &point[0], &point[1]].concat());
    let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let a1 = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let a3 = format!(
        "eyJhbGciOiJFUzI1NiJ9.{claims}.\
         DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    let verify = |key: VerifyingKey, token: &str| {
        let profile = IssuerProfile {
            subject_claims: vec![ClaimPath::new("iss")],
            required_claims: vec![RequiredClaim { path: ClaimPath::new("iss"), value: "joe".to_owned() }],
            ..IssuerProfile::new("joe", IssuerRule::Exact("joe".to_owned()), vec![key])
        };
        let verifier = Verifier::new(vec![profile]).expect("a good profile");
        outcome(verifier.verify(token, Timestamp::from_secs(1_300_819_380)))
    };
    assert_eq!(verify(hs256.clone().into(), &a1), "joe");
    assert_eq!(verify(es256.clone().into(), &a3), "joe");
    assert_eq!(verify(hs256.into(), &a3), "AlgorithmNotAllowed");
    assert_eq!(verify(es256.into(), &a1), "AlgorithmNotAllowed");
}
