//! The tokens of the built-in issuer, read back by hand and by the verifier.

use std::sync::Arc;

use expect_test::expect;
use roomkey_auth::{
    Algorithm, BuiltinConfig, BuiltinIssuer, Ed25519Key, Grant, HmacSecret, Identity, IssuerKeys, KeptClaims,
    Scopes, SecretStrength, SigningKey, Verifier,
};
use roomkey_model::{SessionId, Timestamp, UserId};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::forge::*;

fn ed25519(entropy: &Counter) -> SigningKey {
    let text = Ed25519Key::generate_pem(entropy);
    SigningKey::Ed25519(Ed25519Key::from_pem("signing_key", text.expose_secret()).expect("a key made here"))
}

fn builtin(key: SigningKey) -> BuiltinIssuer {
    BuiltinIssuer::new(BuiltinConfig::default(), key, Vec::new()).expect("a good configuration")
}

fn issue(issuer: &BuiltinIssuer) -> String {
    let (user, session) = (UserId::new("u-1").expect("an id"), SessionId::new("s-1").expect("an id"));
    let grant = Grant {
        user: &user,
        session: &session,
        username: Some("alice"),
        email: Some("alice@x.example"),
        roles: &["admin"],
        session_ends_at: None,
    };
    issuer.issue(&grant, Timestamp(NOW * 1000 + 789), &Counter::default()).token.expose_secret().to_owned()
}

fn verifier_of(issuer: &BuiltinIssuer) -> Verifier {
    Verifier::new(vec![issuer.profile()]).expect("a good profile")
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&b64_decode(token.split('.').nth(index).expect("three parts"))).expect("JSON")
}

#[test]
fn what_a_token_says() {
    let issuer = builtin(SigningKey::Hmac(secret(SECRET)));
    let token = issue(&issuer);
    expect![[r#"{"alg":"HS256","typ":"at+jwt"}"#]].assert_eq(&part(&token, 0).to_string());
    expect![[r#"
        {
          "aud": "roomkey",
          "client_id": "roomkey",
          "email": "alice@x.example",
          "exp": 1800000600,
          "iat": 1800000000,
          "iat_ms": 1800000000789,
          "id": "u-1",
          "iss": "roomkey",
          "jti": "AAAAAAAAAACeN3m5f0p8FQ",
          "roomkey_roles": [
            "admin"
          ],
          "sid": "s-1",
          "sub": "u-1",
          "username": "alice"
        }"#]]
    .assert_eq(&format!("{:#}", part(&token, 1)));
    // Any other implementation of HS256 verifies it.
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    assert_eq!(signature, b64(hs256(input.as_bytes())));
}

#[test]
fn who_a_token_is() {
    for key in [SigningKey::Hmac(secret(SECRET)), ed25519(&Counter::default())] {
        let issuer = builtin(key);
        let identity = verify(&verifier_of(&issuer), &issue(&issuer)).expect("a token made here");
        let expected = Identity {
            user: UserId::new("u-1").expect("an id"),
            issuer: "roomkey".into(),
            subject: "u-1".into(),
            session: Some(SessionId::new("s-1").expect("an id")),
            token: identity.token.clone(),
            issued_at: Some(Timestamp(NOW * 1000 + 789)),
            expires_at: Some(Timestamp::from_secs(NOW + 600)),
            deadline: Some(Timestamp::from_secs(NOW + 615)),
            name: Some("alice".into()),
            email: Some("alice@x.example".into()),
            roles: texts(&["admin"]),
            scopes: Scopes::ALL,
            claims: KeptClaims::default(),
            key_id: identity.key_id.clone(),
        };
        assert_eq!(identity, expected);
    }
}

#[test]
fn with_a_key_of_its_own_only_its_own_tokens_pass() {
    let issuer = builtin(ed25519(&Counter::default()));
    let verifier = verifier_of(&issuer);
    let other = builtin(ed25519(&Counter(7.into())));
    assert_eq!(outcome(verify(&verifier, &issue(&other))), "KeyUnknown");
    let elsewhere = |config: BuiltinConfig| {
        let key = ed25519(&Counter::default());
        issue(&BuiltinIssuer::new(config, key, Vec::new()).expect("a good configuration"))
    };
    let (default, other) = (BuiltinConfig::default, || "other".to_owned());
    check(
        &verifier,
        [
            (issue(&issuer), "u-1"),
            (elsewhere(BuiltinConfig { audience: other(), ..default() }), "Audience"),
            (elsewhere(BuiltinConfig { issuer: other(), ..default() }), "IssuerUnknown"),
            (elsewhere(BuiltinConfig { lifetime_ms: 16 * 60_000, ..default() }), "LifetimeTooLong"),
        ],
    );
    let jwt = |token: String| {
        let header = json!({"alg": "EdDSA", "typ": "JWT"}).to_string();
        let (_, rest) = token.split_once('.').expect("three parts");
        format!("{}.{rest}", b64(header))
    };
    check(&verifier, [(jwt(issue(&issuer)), "TokenType"), (shared_token(json!({})), "IssuerUnknown")]);
}

#[test]
fn with_a_shared_secret_the_tokens_of_its_backend_pass_too() {
    let issuer = builtin(SigningKey::Hmac(secret(SECRET)));
    check(
        &verifier_of(&issuer),
        [
            (issue(&issuer), "u-1"),
            (shared_token(json!({})), "alice"),
            (shared_token(json!({"sub": null, "id": 7})), "7"),
            (sign(r#"{"alg":"HS256"}"#, claims(json!({"iat": null})), hs256), "alice"),
            (shared_token(json!({"aud": "roomkey"})), "alice"),
            (shared_token(json!({"aud": "admin"})), "Audience"),
            (shared_token(json!({"iss": "elsewhere"})), "IssuerUnknown"),
            (sign(HS256_HEADER, claims(json!({})), hs256_with(OTHER_SECRET.as_bytes())), "Signature"),
        ],
    );
    let identity =
        verify(&verifier_of(&issuer), &shared_token(json!({"roles": ["admin"]}))).expect("a good token");
    assert_eq!((&*identity.issuer, identity.roles), ("roomkey", texts(&[])));
}

#[test]
fn every_length_of_hmac() {
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let bytes: Vec<u8> = (0..64).collect();
        let secret =
            HmacSecret::new("JWT_SECRET", algorithm, &bytes, SecretStrength::Required).expect("long enough");
        let issuer = builtin(SigningKey::Hmac(secret.with_key_id("2026")));
        let token = issue(&issuer);
        assert_eq!(part(&token, 0), json!({"alg": algorithm.name(), "typ": "at+jwt", "kid": "2026"}));
        let identity = verify(&verifier_of(&issuer), &token).expect("a token made here");
        assert_eq!(identity.key_id.as_deref(), Some("2026"));
    }
}

#[test]
fn a_token_never_outlives_its_session() {
    let issuer = builtin(SigningKey::Hmac(secret(SECRET)));
    let (user, session) = (UserId::new("u").expect("an id"), SessionId::new("s").expect("an id"));
    let issue = |ends_at: u64| {
        let session_ends_at = Some(Timestamp::from_secs(ends_at));
        let grant = Grant {
            user: &user,
            session: &session,
            username: None,
            email: None,
            roles: &[],
            session_ends_at,
        };
        let signed = issuer.issue(&grant, now(), &Counter::default());
        (signed.expires_at.as_secs() - NOW, signed.expires_in_s)
    };
    assert_eq!(issue(NOW + 1000), (600, 600));
    assert_eq!(issue(NOW + 100), (100, 100));
}

#[test]
fn the_key_set_has_the_public_keys_only() {
    let key = ed25519(&Counter::default());
    let issuer =
        BuiltinIssuer::new(BuiltinConfig::default(), key, vec![p256_public().into(), secret(SECRET).into()])
            .expect("a good configuration");
    let set: Value = serde_json::from_str(&issuer.jwks()).expect("JSON");
    let keys = set["keys"].as_array().expect("an array");
    assert_eq!(keys.len(), 2);
    assert_eq!(keys[0]["kid"], part(&issue(&issuer), 0)["kid"]);
    let names =
        |key: &Value| key.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&keys[0]), "alg crv kid kty use x");
    assert_eq!(names(&keys[1]), "alg crv kid kty use x y");
    assert_eq!(builtin(SigningKey::Hmac(secret(SECRET))).jwks(), r#"{"keys":[]}"#);
}

#[test]
fn retired_keys_still_verify() {
    let old = ed25519(&Counter::default());
    let token = issue(&builtin(old.clone()));
    let new = ed25519(&Counter(7.into()));
    let rotated = BuiltinIssuer::new(BuiltinConfig::default(), new, vec![old.verifying_key()]);
    let rotated = rotated.expect("a good configuration");
    check(&verifier_of(&rotated), [(&token, "u-1"), (&issue(&rotated), "u-1")]);
}

#[test]
fn keys_change_while_tokens_are_out() {
    let (old, new) = (ed25519(&Counter::default()), ed25519(&Counter(7.into())));
    let issuer = builtin(old.clone());
    let verifier = verifier_of(&issuer);
    let before = issue(&issuer);

    let keys = IssuerKeys { active: new, retired: vec![old.verifying_key()] };
    let rotated = verifier.with_keys(BuiltinIssuer::PROFILE, &keys.verifying()).expect("a good profile");
    issuer.set_keys(keys.clone());
    let after = issue(&issuer);
    check(&rotated, [(&before, "u-1"), (&after, "u-1")]);
    check(&verifier, [(&before, "u-1"), (&after, "KeyUnknown")]);
    let set: Value = serde_json::from_str(&issuer.jwks()).expect("JSON");
    assert_eq!(set["keys"][0]["kid"], part(&after, 0)["kid"]);
    assert_eq!(set["keys"][1]["kid"], part(&before, 0)["kid"]);

    let keys = IssuerKeys { retired: Vec::new(), ..keys };
    let dropped = rotated.with_keys(BuiltinIssuer::PROFILE, &keys.verifying()).expect("a good profile");
    check(&dropped, [(&before, "KeyUnknown"), (&after, "u-1")]);
    assert!(rotated.with_keys(BuiltinIssuer::PROFILE, &[]).is_err(), "a profile without keys");
    check(&rotated.with_keys("another", &[]).expect("nothing changes"), [(&before, "u-1")]);
}

/// A key is kept until the last token it signed is refused for its age.
#[test]
fn a_key_is_needed_no_longer_than_its_tokens() {
    for lifetime_ms in [1000, 3_600_000] {
        let config = BuiltinConfig { lifetime_ms, ..BuiltinConfig::default() };
        let outlives_ms = config.key_outlives_ms();
        // Signed at the last moment, by a key in other hands, and as long-lived as the profile takes.
        let issuer = BuiltinIssuer::new(config, ed25519(&Counter::default()), Vec::new()).expect("good");
        let verifier = verifier_of(&issuer);
        let longest = BuiltinConfig { lifetime_ms: outlives_ms - 15_000, ..BuiltinConfig::default() };
        let issuer = BuiltinIssuer::new(longest, ed25519(&Counter::default()), Vec::new()).expect("good");
        let token = issue(&issuer);
        let at = |ms| Timestamp(NOW * 1000 + ms);
        assert!(verifier.verify(&token, at(outlives_ms - 1)).is_ok());
        assert_eq!(outcome(verifier.verify(&token, at(outlives_ms))), "Expired");
    }
}

#[test]
fn signing_keys_are_read_as_strictly_as_they_are_written() {
    let text = Ed25519Key::generate_pem(&Counter::default());
    let text = text.expose_secret();
    assert!(
        text.starts_with("-----BEGIN PRIVATE KEY-----\n") && text.ends_with("-----END PRIVATE KEY-----\n")
    );
    let (one, again) = (Ed25519Key::from_pem("k", text), Ed25519Key::from_pem("k", text));
    let id = |key: Ed25519Key| -> Arc<str> { key.public().thumbprint().clone() };
    assert_eq!(id(one.expect("a key")), id(again.expect("a key")));
    let ec = pem("PRIVATE KEY", P256.to_pkcs8v1().expect("a key").as_ref());
    for bad in ["", "x", &text[..60], &pem("PUBLIC KEY", &spki_of_ed25519()), &ec] {
        let error = Ed25519Key::from_pem("signing_key", bad).expect_err("not a signing key");
        assert!(error.to_string().starts_with("signing_key: "), "{error}");
    }
    let short = BuiltinConfig { lifetime_ms: 999, ..BuiltinConfig::default() };
    assert!(BuiltinIssuer::new(short, SigningKey::Hmac(secret(SECRET)), Vec::new()).is_err());
}
