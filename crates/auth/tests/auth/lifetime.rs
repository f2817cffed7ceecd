//! L1 to L3: when a token begins and ends.

use roomkey_model::Timestamp;
use serde_json::{Value, json};

use crate::forge::*;

/// Good claims in which the text after `"exp":` is exactly this.
fn with_exp(exp: &str) -> String {
    let claims = format!(r#"{{"sub":"alice","iat":{},"exp":{exp}}}"#, NOW - 10);
    sign(HS256_HEADER, claims, hs256)
}

#[test]
fn l1_exp_is_a_number_and_not_far_away() {
    const MALFORMED: &str = r#"ClaimMalformed("exp")"#;
    let cases = [
        ("null", MALFORMED),
        (r#""9999999999""#, MALFORMED),
        ("true", MALFORMED),
        ("[]", MALFORMED),
        ("{}", MALFORMED),
        ("-1", MALFORMED),
        ("-0.5", MALFORMED),
        ("0", "Expired"),
        ("1.5", "Expired"),
        ("1E3", "Expired"),
        ("1800000000.4", "alice"),
        ("18e8", "alice"),
        ("1e10", "LifetimeTooLong"),
        ("10000000000", "LifetimeTooLong"),
        ("9007199254740992", "LifetimeTooLong"),
        ("9223372036854775808", "LifetimeTooLong"),
        ("18446744073709551615", "LifetimeTooLong"),
        ("18446744073709551616", "LifetimeTooLong"),
        ("1e308", "LifetimeTooLong"),
        ("1e309", "ClaimsJson"),
    ];
    check(&verifier(), cases.map(|(exp, expected)| (with_exp(exp), expected)));
    check(&verifier(), [(shared_token(json!({"exp": null})), "ExpiryMissing")]);

    let unlimited = shared(|profile| profile.lifetime_max_ms = None);
    check(&unlimited, ["1e308", "18446744073709551615", "10000000000"].map(|exp| (with_exp(exp), "alice")));

    let endless = shared(|profile| profile.require_exp = false);
    check(&endless, [(shared_token(json!({"exp": null})), "alice"), (with_exp("null"), MALFORMED)]);
    let identity = verify(&endless, &shared_token(json!({"exp": null}))).expect("a good token");
    assert_eq!((identity.expires_at, identity.deadline), (None, None));
}

#[test]
fn l1_the_longest_lifetime_counts_from_the_issue() {
    let day = 24 * 60 * 60;
    let cases = [
        (json!({"iat": NOW, "exp": NOW + day + 15}), "idp:alice"),
        (json!({"iat": NOW, "exp": NOW + day + 16}), "LifetimeTooLong"),
        (json!({"iat": null, "exp": NOW + day + 15}), "idp:alice"),
        (json!({"iat": null, "exp": NOW + day + 16}), "LifetimeTooLong"),
        (json!({"iat": NOW - 10 * day, "exp": NOW + 60}), "LifetimeTooLong"),
        (json!({"iat": NOW + 15, "exp": NOW + day + 16}), "LifetimeTooLong"),
    ];
    check(&verifier(), cases.map(|(changes, expected)| (idp_token(changes), expected)));
}

#[test]
fn l2_the_boundaries_are_exact() {
    let leeway = 15;
    let cases = [
        (json!({"exp": NOW}), "alice"),
        (json!({"exp": NOW - leeway + 1}), "alice"),
        (json!({"exp": NOW - leeway}), "Expired"),
        (json!({"exp": NOW - leeway - 1}), "Expired"),
        (json!({"nbf": NOW + leeway}), "alice"),
        (json!({"nbf": NOW + leeway + 1}), "NotYetValid"),
        (json!({"nbf": (NOW + leeway) as f64 + 0.5}), "NotYetValid"),
        (json!({"iat": NOW + leeway}), "alice"),
        (json!({"iat": NOW + leeway + 1}), "IssuedInFuture"),
    ];
    check(&verifier(), cases.map(|(changes, expected)| (shared_token(changes), expected)));

    // To the millisecond, and the same for a live connection as for a new one.
    let (verifier, token) = (verifier(), shared_token(json!({"exp": NOW + 60})));
    let deadline = Timestamp::from_secs(NOW + 60 + leeway);
    let identity = verifier.verify(&token, Timestamp(deadline.0 - 1)).expect("not over yet");
    assert_eq!(identity.expires_at, Some(Timestamp::from_secs(NOW + 60)));
    assert_eq!(identity.deadline, Some(deadline));
    assert_eq!(outcome(verifier.verify(&token, deadline)), "Expired");

    let strict = shared(|profile| profile.leeway_ms = 0);
    check(
        &strict,
        [
            (shared_token(json!({"exp": NOW})), "Expired"),
            (shared_token(json!({"exp": NOW + 1})), "alice"),
            (shared_token(json!({"nbf": NOW})), "alice"),
            (shared_token(json!({"nbf": NOW + 1})), "NotYetValid"),
        ],
    );
}

#[test]
fn l3_nbf_and_iat_are_typed_and_make_sense() {
    let malformed = [json!("1800000000"), json!(true), json!([]), json!({}), json!(-1), json!(-0.5)];
    for value in malformed {
        for claim in ["nbf", "iat"] {
            let token = shared_token(json!({ claim: value }));
            check(&verifier(), [(token, format!("ClaimMalformed({claim:?})"))]);
        }
    }
    check(
        &verifier(),
        [
            (shared_token(json!({"nbf": NOW + 601, "exp": NOW + 600})), "NeverValid"),
            (shared_token(json!({"nbf": NOW, "exp": NOW})), "alice"),
            (shared_token(json!({"nbf": NOW - 5})), "alice"),
            (shared_token(json!({"iat": null})), "alice"),
            (shared_token(json!({"iat": 0, "exp": NOW + 1})), "LifetimeTooLong"),
        ],
    );
    let strict = shared(|profile| profile.require_iat = true);
    check(
        &strict,
        [(shared_token(json!({"iat": null})), "IssuedAtMissing"), (shared_token(json!({})), "alice")],
    );
}

#[test]
fn expired_is_said_only_of_a_token_that_is_otherwise_right() {
    let expired = |changes: Value| idp_token(merged(json!({"exp": NOW - 3600, "iat": NOW - 7200}), changes));
    let forged = format!("{}.{}", expired(json!({})).rsplit_once('.').expect("three parts").0, b64([0; 256]));
    check(
        &verifier(),
        [
            (expired(json!({})), "Expired"),
            (forged, "Signature"),
            (expired(json!({"aud": "other"})), "Audience"),
            (expired(json!({"sub": null})), "SubjectMissing"),
            (expired(json!({"sid": 5})), r#"ClaimMalformed("sid")"#),
            (expired(json!({"cnf": {}})), "Bound"),
        ],
    );
}

#[test]
fn the_issue_is_known_to_the_millisecond_where_the_issuer_tells() {
    let issued_at =
        |changes: Value| verify(&verifier(), &shared_token(changes)).expect("a good token").issued_at;
    assert_eq!(issued_at(json!({"iat": NOW, "iat_ms": NOW * 1000 + 789})), Some(Timestamp(NOW * 1000 + 789)));
    for other in [json!(NOW * 1000 + 1000), json!(5), json!("x"), json!(null)] {
        assert_eq!(issued_at(json!({"iat": NOW, "iat_ms": other})), Some(Timestamp(NOW * 1000)));
    }
    assert_eq!(issued_at(json!({"iat": null, "iat_ms": NOW * 1000})), None);
}
