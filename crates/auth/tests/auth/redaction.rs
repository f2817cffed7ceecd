//! What logs can show of secrets, tokens and persons: nothing.

use roomkey_auth::{BuiltinConfig, BuiltinIssuer, Ed25519Key, Grant, SigningKey};
use roomkey_model::{SessionId, UserId};
use secrecy::ExposeSecret;

use crate::forge::*;

#[test]
fn debug_output_holds_no_secret() {
    let text = Ed25519Key::generate_pem(&Counter::default());
    let key = Ed25519Key::from_pem("k", text.expose_secret()).expect("a key");
    let seed = Counter::default().next_32();
    let issuer = BuiltinIssuer::new(
        BuiltinConfig::default(),
        SigningKey::Ed25519(key.clone()),
        vec![secret(SECRET).into()],
    )
    .expect("a good configuration");
    let (user, session) = (UserId::new("u").expect("an id"), SessionId::new("s").expect("an id"));
    let grant = Grant {
        user: &user,
        session: &session,
        username: Some("Canary Name"),
        email: Some("canary@x.example"),
        roles: &[],
        session_ends_at: None,
    };
    let signed = issuer.issue(&grant, now(), &Counter::default());
    let verifier = roomkey_auth::Verifier::new(vec![issuer.profile()]).expect("a good profile");
    let identity = verify(&verifier, signed.token.expose_secret()).expect("a token made here");

    let shown = [
        format!("{text:?} {:#?}", text),
        format!("{:?} {:#?}", secret(SECRET), secret(SECRET)),
        format!("{key:?} {key:#?}"),
        format!("{issuer:?} {issuer:#?}"),
        format!("{verifier:?} {verifier:#?}"),
        format!("{signed:?} {signed:#?}"),
        format!("{identity:?} {identity:#?}"),
    ];
    let body = text.expose_secret().lines().nth(1).expect("a line of base64");
    let numbers = |bytes: &[u8]| bytes[8..14].iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let hidden = [
        SECRET.to_owned(),
        numbers(SECRET.as_bytes()),
        numbers(&seed),
        body[20..40].to_owned(),
        signed.token.expose_secret().to_owned(),
        "Canary Name".to_owned(),
        "canary@x.example".to_owned(),
    ];
    for shown in &shown {
        for hidden in &hidden {
            assert!(!shown.contains(hidden.as_str()), "{hidden} is in {shown}");
        }
    }
    for shown in &shown[..6] {
        assert!(shown.contains("[REDACTED]"), "{shown}");
    }
}
