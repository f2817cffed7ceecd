//! What stops the server from starting, and what it says when it does start.

use expect_test::{Expect, expect};
use roomkey_auth::{Algorithm, ClaimPath, HmacSecret, IssuerProfile, IssuerRule, SecretStrength, Verifier};

use crate::forge::*;

#[track_caller]
fn refused(change: impl FnOnce(&mut Vec<IssuerProfile>), expected: &Expect) {
    let mut all = profiles();
    change(&mut all);
    expected.assert_eq(&Verifier::new(all).expect_err("a bad configuration").to_string());
}

#[test]
fn contradictions_between_profiles() {
    refused(Vec::clear, &expect!["issuers: at least one issuer is needed"]);
    refused(|all| all[1].name = "ec".to_owned(), &expect!["issuers: two issuers have the same name"]);
    refused(
        |all| all[1].issuer = IssuerRule::Exact(EC_ISSUER.to_owned()),
        &expect!["issuers: two issuers have the same `iss`"],
    );
    refused(
        |all| all[1].issuer = IssuerRule::Exact("shared".to_owned()),
        &expect!["issuers: two issuers have the same `iss`"],
    );
    refused(
        |all| all[1].issuer = IssuerRule::ExactOrAbsent(RSA_ISSUER.to_owned()),
        &expect!["issuers: only one issuer may accept tokens without `iss`"],
    );
    refused(
        |all| all[1].user_prefix = String::new(),
        &expect!["issuers: every issuer needs a user prefix of its own; one may be empty"],
    );
}

#[test]
fn contradictions_within_a_profile() {
    refused(|all| all[1].name = " ".to_owned(), &expect!["issuers. .name: must not be blank"]);
    refused(
        |all| all[1].issuer = IssuerRule::Exact(String::new()),
        &expect!["issuers.idp.issuer: must not be blank"],
    );
    refused(|all| all[1].keys.clear(), &expect!["issuers.idp.keys: at least one key is needed"]);
    refused(
        |all| all[1].algorithms = vec![Algorithm::Es256],
        &expect!["issuers.idp.algorithms: a key is configured for an algorithm that is not in this list"],
    );
    refused(
        |all| all[0].keys = vec![secret(SECRET).into(); 5],
        &expect!["issuers.shared.keys: at most 4 secrets can be in rotation"],
    );
    refused(
        |all| all[1].audiences.clear(),
        &expect![
            "issuers.idp.audiences: an issuer with public keys serves others too: name an audience, an authorized party or a required claim"
        ],
    );
    refused(
        |all| all[1].subject_claims.clear(),
        &expect!["issuers.idp.subject_claims: at least one claim is needed"],
    );
    for path in ["user_metadata", "/user_metadata/roles", "/user_metadata"] {
        refused(
            |all| all[1].roles_claim = Some(ClaimPath::new(path)),
            &expect!["issuers.idp.roles_claim: users can change this claim themselves"],
        );
    }
    refused(|all| all[1].leeway_ms = 60_001, &expect!["issuers.idp.leeway: must be at most 60 s"]);
    for prefix in ["x".repeat(66), "a\n".to_owned()] {
        refused(
            |all| all[1].user_prefix = prefix,
            &expect!["issuers.idp.user_prefix: must be at most 65 bytes without control characters"],
        );
    }
}

#[test]
fn a_rotated_secret_is_accepted_until_it_is_taken_out() {
    let token = sign(HS256_HEADER, claims(serde_json::json!({})), hs256_with(OTHER_SECRET.as_bytes()));
    let both = shared(|profile| profile.keys.push(secret(OTHER_SECRET).into()));
    check(&both, [(&token, "alice"), (&shared_token(serde_json::json!({})), "alice")]);
    check(&shared(|_| ()), [(&token, "Signature")]);
}

#[test]
fn every_rule_that_is_off_is_said_aloud() {
    assert_eq!(idp(|_| ()).warnings(), Vec::<String>::new());
    let verifier = shared(|profile| {
        let weak = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, b"secret", SecretStrength::AllowWeak);
        profile.keys = vec![weak.expect("allowed").into()];
        profile.require_exp = false;
        profile.lifetime_max_ms = None;
        profile.accept_id_tokens = true;
    });
    expect![[r#"
        issuer shared: a weak secret is allowed; anybody may guess it and sign tokens
        issuer shared: tokens without an end (`exp`) are accepted
        issuer shared: tokens may live as long as they like
        issuer shared: tokens that this issuer made for other services are accepted (no audience is set)
        issuer shared: ID tokens are accepted as access tokens"#]]
    .assert_eq(&verifier.warnings().join("\n"));
}
