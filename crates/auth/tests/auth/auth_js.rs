//! F24 to F28: the encrypted sessions of Auth.js and NextAuth.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    hmac,
};
use roomkey_auth::{
    AuthJsProfile, AuthJsVersion, Identity, SecretStrength, TokenError, Verifier, credentials::session_cookie,
};
use roomkey_model::Failure;
use serde_json::{Value, json};

use crate::{auth_js_cookies::*, forge::*};

const V5_COOKIE: &str = "__Secure-authjs.session-token";
const V4_COOKIE: &str = "next-auth.session-token";

fn profile(version: AuthJsVersion, cookie: &str, secrets: &[&str]) -> AuthJsProfile {
    let mut profile = AuthJsProfile::new(cookie, version, cookie);
    for secret in secrets {
        profile
            .add_secret("AUTH_SECRET", secret.as_bytes(), SecretStrength::Required)
            .expect("a good secret");
    }
    profile
}

fn verifier_of(profiles: Vec<AuthJsProfile>) -> Verifier {
    Verifier::with_sessions(Vec::new(), profiles).expect("good profiles")
}

fn v5() -> Verifier {
    verifier_of(vec![profile(AuthJsVersion::V5, V5_COOKIE, &[SECRET])])
}

fn v4() -> Verifier {
    verifier_of(vec![profile(AuthJsVersion::V4, V4_COOKIE, &[SECRET])])
}

fn verify_v5(token: &str) -> Result<Identity, TokenError> {
    v5().verify_session(V5_COOKIE, token, now())
}

#[track_caller]
fn check_v5<T: AsRef<str>>(cases: impl IntoIterator<Item = (T, &'static str)>) {
    for (index, (token, expected)) in cases.into_iter().enumerate() {
        assert_eq!(outcome(verify_v5(token.as_ref())), expected, "case {index}: {:.200}", token.as_ref());
    }
}

/// The keys that the applications derive from [`SECRET`], by HKDF written out (RFC 5869).
fn derived(salt: &str, info: &str, len: usize) -> Vec<u8> {
    let mac = |key: &[u8], parts: &[&[u8]]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat()).as_ref().to_vec()
    };
    let extracted = mac(salt.as_bytes(), &[SECRET.as_bytes()]);
    let (mut key, mut block) = (Vec::new(), Vec::new());
    for number in 1..=2 {
        block = mac(&extracted, &[&block, info.as_bytes(), &[number]]);
        key.extend_from_slice(&block);
    }
    key.truncate(len);
    key
}

fn v5_key(len: usize) -> Vec<u8> {
    derived(V5_COOKIE, &format!("Auth.js Generated Encryption Key ({V5_COOKIE})"), len)
}

fn seal_cbc(header: &str, text: &[u8]) -> String {
    let (aad, key) = (b64(header), v5_key(64));
    let cipher = UnboundCipherKey::new(&AES_256, &key[32..]).expect("32 bytes");
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).expect("a key");
    let iv = [7; 16];
    let mut text = text.to_vec();
    cipher.less_safe_encrypt(&mut text, EncryptionContext::Iv128(iv.into())).expect("encrypted");
    let bits = (aad.len() as u64 * 8).to_be_bytes();
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA512, &key[..32]),
        &[aad.as_bytes(), &iv, &text, &bits].concat(),
    );
    format!("{aad}..{}.{}.{}", b64(iv), b64(text), b64(&tag.as_ref()[..32]))
}

fn seal_gcm(header: &str, text: &[u8], key: &[u8]) -> String {
    let aad = b64(header);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("32 bytes"));
    let mut text = text.to_vec();
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key([7; 12]), Aad::from(&aad), &mut text)
        .expect("encrypted");
    format!("{aad}..{}.{}.{}", b64([7; 12]), b64(text), b64(tag))
}

const CBC_HEADER: &str = r#"{"alg":"dir","enc":"A256CBC-HS512"}"#;
const GCM_HEADER: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

fn session(changes: Value) -> Vec<u8> {
    claims(merged(json!({"name": "Alice", "jti": "j"}), changes)).into_bytes()
}

fn sealed(changes: Value) -> String {
    seal_cbc(CBC_HEADER, &session(changes))
}

#[test]
fn what_auth_js_has_made_is_accepted() {
    let identity = verify_v5(V5).expect("a session");
    assert_eq!((identity.user.as_str(), &*identity.issuer), ("alice", V5_COOKIE));
    assert_eq!(identity.name.as_deref(), Some("Alice"));
    assert_eq!(identity.email.as_deref(), Some("alice@example.com"));
    assert_eq!(identity.expires_at.expect("an end").as_secs(), NOW - 10 + 30 * 24 * 3600);
    assert_eq!(identity.key_id.expect("a key").len(), 86);

    let http = AuthJsVersion::V5.cookie(false);
    let plain = verifier_of(vec![profile(AuthJsVersion::V5, http, &[SECRET])]);
    assert_eq!(outcome(plain.verify_session(http, V5_HTTP, now())), "alice");
    assert_eq!(outcome(v4().verify_session(V4_COOKIE, V4, now())), "alice");
}

#[test]
fn both_ciphers_of_version_5_and_one_of_version_4() {
    let text = session(json!({}));
    check_v5([(seal_cbc(CBC_HEADER, &text), "alice"), (seal_gcm(GCM_HEADER, &text, &v5_key(32)), "alice")]);
    let v4_key = derived("", "NextAuth.js Generated Encryption Key", 32);
    let v4_outcome = |token: &str| outcome(v4().verify_session(V4_COOKIE, token, now()));
    assert_eq!(v4_outcome(&seal_gcm(GCM_HEADER, &text, &v4_key)), "alice");
    assert_eq!(v4_outcome(&seal_cbc(CBC_HEADER, &text)), "EncryptionNotAllowed");
    assert_eq!(v4_outcome(V5), "EncryptionNotAllowed");
    assert_eq!(v4_outcome(&seal_gcm(GCM_HEADER, &text, &v5_key(32))), "Decryption");
}

#[test]
fn f24_encrypted_and_signed_are_never_taken_for_each_other() {
    let own = || {
        let mut profile = profile(AuthJsVersion::V5, V5_COOKIE, &[SECRET]);
        profile.user_prefix = "web:".to_owned();
        profile
    };
    let both = Verifier::with_sessions(profiles(), vec![own()]).expect("good profiles");
    check(&both, [(shared_token(json!({})), "alice"), (V5.to_owned(), "Encrypted")]);
    check(&verifier(), [(V5, "Encrypted")]);
    let in_cookie = |token: &str| outcome(both.verify_session(V5_COOKIE, token, now()));
    assert_eq!(in_cookie(V5), "web:alice");
    assert_eq!(in_cookie(&shared_token(json!({}))), "NotEncrypted");
    assert_eq!(outcome(both.verify_session("session", V5, now())), "IssuerUnknown");
    // An unsigned token, and a signed one, inside.
    let nested =
        [format!("{}.", signing_input(r#"{"alg":"none"}"#, claims(json!({})))), shared_token(json!({}))];
    for token in nested {
        let header = r#"{"alg":"dir","enc":"A256CBC-HS512","cty":"JWT"}"#;
        check_v5([
            (seal_cbc(header, token.as_bytes()), r#"HeaderMember("cty")"#),
            (seal_cbc(CBC_HEADER, token.as_bytes()), "ClaimsJson"),
        ]);
    }
    // Where the operator allows it, the token may be where others are.
    let mut profile = own();
    profile.accept_as_token = true;
    let anywhere = Verifier::with_sessions(profiles(), vec![profile]).expect("good profiles");
    check(&anywhere, [(shared_token(json!({})), "alice"), (V5.to_owned(), "web:alice")]);
}

#[test]
fn f25_only_dir_and_two_ciphers() {
    let with = |header: &str| seal_cbc(header, &session(json!({})));
    check_v5([
        (
            with(r#"{"alg":"PBES2-HS256+A128KW","enc":"A256CBC-HS512","p2c":2147483647,"p2s":"AA"}"#),
            "EncryptionNotAllowed",
        ),
        (with(r#"{"alg":"RSA1_5","enc":"A256CBC-HS512"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"RSA-OAEP","enc":"A256CBC-HS512"}"#), "EncryptionNotAllowed"),
        (
            with(r#"{"alg":"ECDH-ES","enc":"A256GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#),
            "EncryptionNotAllowed",
        ),
        (with(r#"{"alg":"none","enc":"A256CBC-HS512"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"Dir","enc":"A256CBC-HS512"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"HS256"}"#), "EncryptionNotAllowed"),
        (with(r#"{"enc":"A256CBC-HS512"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir","enc":"A128CBC-HS256"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir","enc":"A128GCM"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir","enc":"a256gcm"}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir","enc":null}"#), "EncryptionNotAllowed"),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","zip":"DEF"}"#), r#"HeaderMember("zip")"#),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","crit":["exp"]}"#), r#"HeaderMember("crit")"#),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","p2c":1}"#), r#"HeaderMember("p2c")"#),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","jwk":{}}"#), r#"HeaderMember("jwk")"#),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","alg":"dir"}"#), "HeaderJson"),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","kid":1}"#), "KeyIdMalformed"),
        (with(r#"{"alg":"dir","enc":"A256CBC-HS512","kid":"x"}"#), "Decryption"),
        (sealed(json!({})).replacen("..", ".AAAA.", 1), "EncryptionNotAllowed"),
        (
            with(&format!(r#"{{"alg":"dir","enc":"A256CBC-HS512","x":"{}"}}"#, "x".repeat(1024))),
            "HeaderTooLong",
        ),
        (format!("{V5}="), "Base64"),
        (format!("{V5}.AAAA"), "Segments"),
        (V5.replacen('.', "", 1), "NotEncrypted"),
        (String::new(), "NotEncrypted"),
        ("....".to_owned(), "HeaderJson"),
        (".".repeat(1_000_000), "TokenTooLong"),
        (V5.repeat(100), "TokenTooLong"),
    ]);
}

/// Every byte counts, and they all fail alike.
#[test]
fn f26_one_error_for_whatever_was_changed() {
    let gcm = seal_gcm(GCM_HEADER, &session(json!({})), &v5_key(32));
    for token in [V5, &gcm] {
        let parts: Vec<_> = token.split('.').collect();
        for part in 2..5 {
            let bytes = b64_decode(parts[part]);
            let with = |changed: &[u8]| {
                let changed = b64(changed);
                let mut parts = parts.clone();
                parts[part] = &changed;
                parts.join(".")
            };
            for index in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[index] ^= 1;
                check_v5([(with(&changed), "Decryption")]);
            }
            for len in [0, 1, 16.min(bytes.len() - 1), bytes.len() - 1] {
                check_v5([(with(&bytes[..len]), "Decryption")]);
            }
            check_v5([(with(&[&bytes[..], &[0]].concat()), "Decryption")]);
        }
    }
}

/// The last block of the ciphertext in every form, as a padding oracle is asked: the MAC has the only word, so that
/// it never comes to padding.
#[test]
fn f26_no_padding_oracle() {
    let token = sealed(json!({}));
    let parts: Vec<_> = token.split('.').collect();
    let text = b64_decode(parts[3]);
    let at = text.len() - 17;
    let verifier = v5();
    for probe in 1..=10_000_u32 {
        let ([.., high, low], mut text) = (probe.to_be_bytes(), text.clone());
        text[at] ^= low;
        text[at - 1] ^= high;
        let token = [parts[0], "", parts[2], &b64(&text), parts[4]].join(".");
        assert_eq!(outcome(verifier.verify_session(V5_COOKIE, &token, now())), "Decryption");
    }
}

#[test]
fn f27_cookies_of_another_purpose_are_no_session() {
    check_v5([
        (V5_PKCE, "Decryption"),
        (V5_STATE, "Decryption"),
        (V5_HTTP, "Decryption"),
        (V4, "Decryption"),
    ]);
    let v4_outcome = |token: &str| outcome(v4().verify_session(V4_COOKIE, token, now()));
    assert_eq!(v4_outcome(V4_STATE), "NotASession");
    assert_eq!(v4_outcome(V4_CHECK), "Decryption");
    let key = derived("", "NextAuth.js Generated Encryption Key", 32);
    for name in ["state", "code_verifier", "nonce", "value", "challenge"] {
        let text = session(json!({ name: "x" }));
        assert_eq!(v4_outcome(&seal_gcm(GCM_HEADER, &text, &key)), "NotASession", "{name}");
    }
    check_v5([
        (sealed(json!({"sub": null})), "SubjectMissing"),
        (sealed(json!({"sub": " "})), "SubjectMalformed"),
        (sealed(json!({"iat": null})), "IssuedAtMissing"),
        (sealed(json!({"exp": null})), "ExpiryMissing"),
        (sealed(json!({"exp": "1800000600"})), r#"ClaimMalformed("exp")"#),
        (sealed(json!({"exp": NOW - 14})), "alice"),
        (sealed(json!({"exp": NOW - 15})), "Expired"),
        (sealed(json!({"exp": NOW + 32 * 24 * 3600})), "LifetimeTooLong"),
        (seal_cbc(CBC_HEADER, b"[]"), "ClaimsJson"),
        (seal_cbc(CBC_HEADER, br#"{"sub":"mallory","sub":"alice"}"#), "ClaimsJson"),
    ]);
}

#[test]
fn f28_pieces_of_a_cookie() {
    let found = |headers: &[&str]| match session_cookie(headers, "s") {
        Ok(found) => found.map_or_else(|| "none".to_owned(), |value| format!("token {value}")),
        Err(error) => Failure::from(&error).code.to_string(),
    };
    let hundred: String = (0..100).map(|number| format!("s.{number}=x; ")).collect();
    let eight: String = (0..8).map(|number| format!("s.{number}={number}; ")).collect();
    let nine = format!("{eight}s.8=8");
    let long: String = (0..8).map(|number| format!("s.{number}={}; ", "x".repeat(4097))).collect();
    let longer = "x".repeat(65 * 1024);
    let many = "a=b;".repeat(300);
    let cases: [(&[&str], &str); 27] = [
        (&[], "none"),
        (&["a=b; ss=x; S=x; s.=x; s.x=x; s.0x=x; s0=x"], "none"),
        (&["s=abc"], "token abc"),
        (&["s.0=a; s.1=b; s.2=c"], "token abc"),
        (&["s.0=a", "x=y; s.1=b"], "token ab"),
        (&["s.0=a"], "token a"),
        (&["s.1=b; s.0=a"], "token ab"),
        (&[&eight], "token 01234567"),
        (&["s.1=b"], "TOKEN_INVALID"),
        (&["s.0=a; s.2=c"], "TOKEN_INVALID"),
        (&["s=abc; s.0=a"], "TOKEN_INVALID"),
        (&["s=abc; s.0=a; s.1=b"], "TOKEN_INVALID"),
        (&[&nine], "TOKEN_INVALID"),
        (&[&hundred], "TOKEN_INVALID"),
        (&["s.00=a"], "TOKEN_INVALID"),
        (&["s.0=a; s.01=b"], "TOKEN_INVALID"),
        (&["s.99999999999999999999999=a"], "TOKEN_INVALID"),
        (&[&long], "TOKEN_INVALID"),
        (&["s=a; s=b"], "TOKEN_AMBIGUOUS"),
        (&["s=a; s=a"], "TOKEN_AMBIGUOUS"),
        (&["s=a", "s=b"], "TOKEN_AMBIGUOUS"),
        (&["s.0=a; s.0=b"], "TOKEN_AMBIGUOUS"),
        (&["s.0=a; s.1=b; s.1=c"], "TOKEN_AMBIGUOUS"),
        (&[&longer], "BAD_PAYLOAD"),
        (&[&many], "BAD_PAYLOAD"),
        (&["s="], "token "),
        (&["s.0=; s.1=b"], "token b"),
    ];
    for (headers, expected) in cases {
        assert_eq!(found(headers), expected, "{:.80}", headers.concat());
    }
    // As long as a session may be, in the pieces that Auth.js makes of it.
    let token = sealed(json!({"picture": "x".repeat(20_000)}));
    let pieces: Vec<_> = token.as_bytes().chunks(3936).enumerate().collect();
    let cookies: String = pieces
        .iter()
        .map(|(number, piece)| {
            format!("{V5_COOKIE}.{number}={}; ", std::str::from_utf8(piece).expect("ASCII"))
        })
        .collect();
    assert_eq!(pieces.len(), 7);
    let whole = session_cookie(&[&cookies], V5_COOKIE).expect("good pieces").expect("a session");
    check_v5([(whole, "alice")]);
}

#[test]
fn a_rotated_secret_opens_sessions_until_it_is_taken_out() {
    let both = |version, cookie: &str| {
        let verifier = verifier_of(vec![profile(version, cookie, &[OTHER_SECRET, SECRET])]);
        move |token: &str, cookie: &str| outcome(verifier.verify_session(cookie, token, now()))
    };
    assert_eq!(both(AuthJsVersion::V5, V5_COOKIE)(V5, V5_COOKIE), "alice");
    assert_eq!(both(AuthJsVersion::V5, V5_COOKIE)(&sealed(json!({})), V5_COOKIE), "alice", "without a `kid`");
    assert_eq!(both(AuthJsVersion::V4, V4_COOKIE)(V4, V4_COOKIE), "alice");
    let new_only = verifier_of(vec![profile(AuthJsVersion::V5, V5_COOKIE, &[OTHER_SECRET])]);
    assert_eq!(outcome(new_only.verify_session(V5_COOKIE, V5, now())), "Decryption");
}

/// Of a revocation that is forgotten too early, its token would come back.
#[test]
fn the_issuer_of_a_session_is_one_of_the_issuers() {
    let issuer = verify_v5(&sealed(json!({}))).unwrap().issuer;
    assert!(v5().issuers().any(|known| *known == issuer));
}

#[test]
fn how_long_a_session_can_live_is_known() {
    let with_leeway = |days: u64| Some(days * 24 * 3_600_000 + 2 * 15_000);
    assert_eq!(v5().lifetime_max_ms(Some(V5_COOKIE)), with_leeway(31));
    assert_eq!(v5().lifetime_max_ms(None), with_leeway(31));
    let both = Verifier::with_sessions(
        profiles(),
        vec![{
            let mut profile = profile(AuthJsVersion::V5, V5_COOKIE, &[SECRET]);
            (profile.lifetime_max_ms, profile.user_prefix) = (None, "web:".to_owned());
            profile
        }],
    );
    let both = both.expect("good profiles");
    assert_eq!(both.lifetime_max_ms(Some(V5_COOKIE)), None);
    assert_eq!(both.lifetime_max_ms(None), None);
    let rotated = both.with_keys("shared", &[secret(OTHER_SECRET).into()]).expect("good keys");
    assert_eq!(outcome(rotated.verify_session(V5_COOKIE, V5, now())), "web:alice", "nobody else is touched");
}

#[test]
fn an_operator_is_told_why() {
    let inspection = v5().inspect(V5, now());
    assert_eq!(inspection.profile.as_deref(), Some(V5_COOKIE));
    assert_eq!(inspection.claims.expect("opened")["sub"], "alice");
    assert_eq!(inspection.header.expect("readable")["enc"], "A256CBC-HS512");
    assert_eq!(outcome(inspection.verdict), "alice");
    let inspection = v5().inspect(V5_STATE, now());
    assert_eq!((inspection.claims, outcome(inspection.verdict)), (None, "Decryption".to_owned()));
    assert_eq!(outcome(verifier().inspect(V5, now()).verdict), "Encrypted");
}

#[test]
fn contradictions_in_the_configuration() {
    let refused = |profiles: Vec<AuthJsProfile>| {
        Verifier::with_sessions(vec![idp_profile(vec![rsa_public().into()])], profiles)
            .expect_err("a bad configuration")
            .to_string()
    };
    let with = |name: &str, prefix: &str, cookie: &str, secrets: &[&str]| {
        let mut profile = profile(AuthJsVersion::V5, cookie, secrets);
        (profile.name, profile.user_prefix) = (name.to_owned(), prefix.to_owned());
        profile
    };
    let good = || with("web", "", "s", &[SECRET]);
    assert_eq!(
        refused(vec![with("web", "", "s", &[])]),
        "issuers.web.secrets: at least one secret is needed"
    );
    assert_eq!(
        refused(vec![with("web", "", "s", &[SECRET; 5])]),
        "issuers.web.secrets: at most 4 secrets can be in rotation"
    );
    assert_eq!(refused(vec![with("web", "", " ", &[SECRET])]), "issuers.web.cookie: must not be blank");
    assert_eq!(refused(vec![with("idp", "", "s", &[SECRET])]), "issuers: two issuers have the same name");
    assert_eq!(
        refused(vec![good(), with("b", "", "t", &[SECRET])]),
        "issuers: every issuer needs a user prefix of its own; one may be empty"
    );
    assert_eq!(
        refused(vec![good(), with("b", "b:", "s", &[SECRET])]),
        "issuers: two issuers have their sessions in the same cookie"
    );
    let mut two = vec![good(), with("b", "b:", "t", &[SECRET])];
    two.iter_mut().for_each(|profile| profile.accept_as_token = true);
    assert_eq!(refused(two), "issuers: only one issuer may have encrypted tokens outside of its cookie");

    let mut weak = AuthJsProfile::new("web", AuthJsVersion::V5, "s");
    for secret in ["", " ", "secret", "-----BEGIN PUBLIC KEY-----", &"a".repeat(40)] {
        assert!(
            weak.add_secret("AUTH_SECRET", secret.as_bytes(), SecretStrength::Required).is_err(),
            "{secret:?}"
        );
    }
    weak.add_secret("AUTH_SECRET", b"secret", SecretStrength::AllowWeak).expect("allowed");
    weak.lifetime_max_ms = None;
    assert_eq!(
        weak.warnings(),
        [
            "issuer web: a weak secret is allowed; anybody may guess it and sign tokens",
            "issuer web: tokens may live as long as they like"
        ]
    );
}
