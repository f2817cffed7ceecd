//! The tokens of existing applications, as they are.

use roomkey_auth::{Algorithm, HmacSecret, IssuerProfile, IssuerRule, SecretStrength, Verifier};
use roomkey_model::Failure;
use serde_json::{Value, json};

use crate::forge::*;

/// A backend that signs `{id, email}` or `{username}` with `JWT_SECRET`, by a library's defaults.
#[test]
fn backends_with_a_shared_secret() {
    let day = 24 * 60 * 60;
    let user = |changes: Value| shared_token(changes);
    check(
        &verifier(),
        [
            (
                user(json!({"sub": null, "id": "64f1c0ffee", "email": "a@x.example", "exp": NOW + 3600})),
                "64f1c0ffee",
            ),
            (user(json!({"sub": null, "id": 17, "exp": NOW + 7 * day})), "17"),
            (user(json!({"sub": null, "userId": "u", "exp": NOW + 30 * day})), "u"),
            (user(json!({"sub": null, "username": "user", "iat": NOW, "exp": NOW + 3600})), "user"),
        ],
    );
}

/// The tutorial's own secret works where the operator says so, and is reported.
#[test]
fn the_secret_of_a_tutorial() {
    let weak = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, b"your-secret-key", SecretStrength::AllowWeak);
    let profile = IssuerProfile::shared_secret("shared", vec![weak.expect("allowed")]);
    let verifier = Verifier::new(vec![profile]).expect("a good profile");
    let token = sign(
        HS256_HEADER,
        json!({"username": "user", "iat": NOW, "exp": NOW + 3600}).to_string(),
        hs256_with(b"your-secret-key"),
    );
    check(&verifier, [(token, "user")]);
    assert!(verifier.warnings().iter().any(|warning| warning.contains("weak secret")));
}

/// A hosted login: RS256, a `kid`, `azp`, no `aud`, a life of a minute.
#[test]
fn a_hosted_login() {
    let profile = IssuerProfile {
        authorized_parties: vec!["http://localhost:3000".to_owned()],
        ..IssuerProfile::new(
            "clerk",
            IssuerRule::Exact("https://mighty-cat-1.clerk.accounts.example".to_owned()),
            vec![rsa_public().into()],
        )
    };
    let verifier = Verifier::new(vec![profile]).expect("a good profile");
    let claims = json!({
        "azp": "http://localhost:3000",
        "exp": NOW + 60,
        "fva": [0, -1],
        "iat": NOW,
        "iss": "https://mighty-cat-1.clerk.accounts.example",
        "nbf": NOW - 10,
        "sid": "sess_2NNxqy3gaTOkBTGr",
        "sts": "active",
        "sub": "user_2NNEqL2nrIRdJ194"
    });
    let header = r#"{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"ins_2NNxqy3ga","typ":"JWT"}"#;
    let token = sign(header, claims.to_string(), rs256);
    let identity = verify(&verifier, &token).expect("a good token");
    assert_eq!(identity.user.as_str(), "user_2NNEqL2nrIRdJ194");
    assert_eq!(identity.session.expect("a session").as_str(), "sess_2NNxqy3gaTOkBTGr");
}

/// The three texts that applications compare with.
#[test]
fn the_messages_of_refusals() {
    let message =
        |token: &str| Failure::from(verify(&verifier(), token).expect_err("refused")).message.into_owned();
    assert_eq!(message("x"), "Authentication error: Invalid token");
    assert_eq!(message(&shared_token(json!({"exp": NOW - 60}))), "Authentication error: Token expired");
    assert_eq!(
        Failure::from(roomkey_auth::TokenError::Missing).message,
        "Authentication error: No token provided"
    );
}
