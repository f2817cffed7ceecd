//! What an operator is told about a token.

use expect_test::{Expect, expect};
use serde_json::json;

use crate::forge::*;

#[track_caller]
fn check_inspection(token: &str, expected: &Expect) {
    let inspection = verifier().inspect(token, now());
    let text =
        |json: Option<serde_json::Value>| json.map_or("unreadable".to_owned(), |json| json.to_string());
    let verdict = match inspection.verdict {
        Ok(identity) => format!("{} at {}", identity.subject, identity.issuer),
        Err(error) => error.to_string(),
    };
    let profile = inspection.profile.unwrap_or("none".to_owned());
    let lines = [text(inspection.header), text(inspection.claims), format!("profile: {profile}"), verdict];
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn the_reason_is_said_in_words() {
    check_inspection(
        &idp_token(json!({})),
        &expect![[r#"
            {"alg":"RS256","typ":"JWT"}
            {"aud":"ours","exp":1800000600,"iat":1799999990,"iss":"https://idp.example/","sub":"alice"}
            profile: idp
            alice at https://idp.example/
        "#]],
    );
    check_inspection(
        &sign(r#"{"alg":"none"}"#, claims(json!({"iss": "https://evil.example"})), |_| vec![0]),
        &expect![[r#"
            {"alg":"none"}
            {"exp":1800000600,"iat":1799999990,"iss":"https://evil.example","sub":"alice"}
            profile: none
            the header's `alg` is missing or unknown
        "#]],
    );
    check_inspection(
        &shared_token(json!({"exp": NOW - 60})),
        &expect![[r#"
            {"alg":"HS256","typ":"JWT"}
            {"exp":1799999940,"iat":1799999990,"sub":"alice"}
            profile: shared
            the token has expired
        "#]],
    );
    check_inspection(
        &sign(HS256_HEADER, claims(json!({})), hs256_with(OTHER_SECRET.as_bytes())),
        &expect![[r#"
            {"alg":"HS256","typ":"JWT"}
            {"exp":1800000600,"iat":1799999990,"sub":"alice"}
            profile: shared
            the signature is wrong
        "#]],
    );
    check_inspection(
        "no token at all",
        &expect![[r#"
            unreadable
            unreadable
            profile: none
            the token contains a character that no token has
        "#]],
    );
}
