//! F34 to F36, H23, H24: where the token is.

use roomkey_auth::{
    TokenError,
    credentials::{Credentials, cookie, pick},
};
use roomkey_model::Failure;

fn picked(credentials: &Credentials<'_>) -> String {
    match pick(credentials) {
        Ok(token) => format!("token {token}"),
        Err(error) => Failure::from(&error).code.to_string(),
    }
}

fn payload(json: &str) -> String {
    picked(&Credentials { auth_payload: Some(json), ..Credentials::default() })
}

fn headers(headers: &[&str]) -> String {
    picked(&Credentials { authorization: headers, ..Credentials::default() })
}

#[test]
fn f34_one_token_wherever_it_is() {
    let alice = Credentials { auth_payload: Some(r#"{"token":"a"}"#), ..Credentials::default() };
    let cases = [
        (Credentials::default(), "TOKEN_MISSING"),
        (alice, "token a"),
        (Credentials { authorization: &["Bearer a"], ..Credentials::default() }, "token a"),
        (Credentials { cookie: Some("a"), ..Credentials::default() }, "token a"),
        (Credentials { query: Some("a"), ..Credentials::default() }, "token a"),
        (Credentials { query: Some(""), cookie: Some(""), ..Credentials::default() }, "TOKEN_MISSING"),
        (
            Credentials { authorization: &["Bearer a"], cookie: Some("a"), query: Some("a"), ..alice },
            "token a",
        ),
        (Credentials { authorization: &["Bearer b"], ..alice }, "TOKEN_AMBIGUOUS"),
        (Credentials { cookie: Some("c"), ..alice }, "TOKEN_AMBIGUOUS"),
        (Credentials { query: Some("d"), ..alice }, "TOKEN_AMBIGUOUS"),
        (Credentials { cookie: Some("A"), ..alice }, "TOKEN_AMBIGUOUS"),
        (Credentials { authorization: &["Bearer "], ..alice }, "TOKEN_AMBIGUOUS"),
        (Credentials { auth_payload: Some("{}"), cookie: Some("c"), ..Credentials::default() }, "token c"),
        (
            Credentials { auth_payload: Some("[]"), cookie: Some("c"), ..Credentials::default() },
            "BAD_PAYLOAD",
        ),
    ];
    for (credentials, expected) in cases {
        assert_eq!(picked(&credentials), expected, "{credentials:?}");
    }
}

#[test]
fn f35_one_bearer_and_one_space_are_taken_off() {
    let cases = [
        ("x", "token x"),
        ("Bearer x", "token x"),
        ("bearer x", "token x"),
        ("BEARER x", "token x"),
        ("Bearer  x", "token  x"),
        (r"Bearer\tx", "token Bearer\tx"),
        (r"Bearer\u0020x", "token x"),
        ("BearerX", "token BearerX"),
        ("Bearer Bearer x", "token Bearer x"),
        ("JWT x", "token JWT x"),
        (r#"\"x\""#, "token \"x\""),
        (" x", "token  x"),
        ("Bearer ", "token "),
    ];
    for (token, expected) in cases {
        assert_eq!(payload(&format!(r#"{{"token":"{token}"}}"#)), expected, "{token}");
    }
}

#[test]
fn f36_the_payload_is_never_coerced() {
    let big = format!(r#"{{"a":"{}","token":"x"}}"#, "x".repeat(1_000_000));
    let deep = format!(r#"{{"a":{}"#, "[".repeat(1_000_000));
    let cases = [
        ("null", "TOKEN_MISSING"),
        ("{}", "TOKEN_MISSING"),
        (r#"{"token":null}"#, "TOKEN_MISSING"),
        (r#"{"token":""}"#, "TOKEN_MISSING"),
        (r#"{"Token":"x"}"#, "TOKEN_MISSING"),
        (r#"{"__proto__":{"token":"x"}}"#, "TOKEN_MISSING"),
        (r#"{"a":{"token":"y"},"token":"x","b":[1]}"#, "token x"),
        (r#"{"t\u006fken":"x"}"#, "token x"),
        (&big, "token x"),
        ("[]", "BAD_PAYLOAD"),
        (r#"["x"]"#, "BAD_PAYLOAD"),
        (r#""tok""#, "BAD_PAYLOAD"),
        ("5", "BAD_PAYLOAD"),
        ("true", "BAD_PAYLOAD"),
        (r#"{"token":{}}"#, "BAD_PAYLOAD"),
        (r#"{"token":["x"]}"#, "BAD_PAYLOAD"),
        (r#"{"token":123}"#, "BAD_PAYLOAD"),
        (r#"{"token":true}"#, "BAD_PAYLOAD"),
        (r#"{"token":"x","token":"x"}"#, "BAD_PAYLOAD"),
        (r#"{"token":null,"token":"x"}"#, "BAD_PAYLOAD"),
        (r#"{"token":"x"}x"#, "BAD_PAYLOAD"),
        (r#"{"token":"\ud800"}"#, "BAD_PAYLOAD"),
        ("", "BAD_PAYLOAD"),
        (&deep, "BAD_PAYLOAD"),
    ];
    for (json, expected) in cases {
        assert_eq!(payload(json), expected, "{:.80}", json);
    }
}

#[test]
fn h23_authorization_headers() {
    let long = format!("Bearer {}", "x".repeat(64 * 1024));
    let cases: [(&[&str], &str); 10] = [
        (&["Bearer x"], "token x"),
        (&["Bearer x", "bearer x"], "token x"),
        (&["Bearer x", "Bearer y"], "TOKEN_AMBIGUOUS"),
        (&["Bearer"], "token "),
        (&["Bearer %E0%A4%A"], "token %E0%A4%A"),
        (&["Bearer a b"], "token a b"),
        (&["Basic YTpi"], "TOKEN_MISSING"),
        (&["Basic YTpi", "Bearer x"], "token x"),
        (&["x"], "TOKEN_MISSING"),
        (&[""], "TOKEN_MISSING"),
    ];
    for (lines, expected) in cases {
        assert_eq!(headers(lines), expected, "{lines:?}");
    }
    assert_eq!(headers(&[&long]).len(), "token ".len() + 64 * 1024);
}

#[test]
fn what_is_picked_but_is_no_token_is_refused_by_the_verifier() {
    use crate::forge::*;
    for junk in ["", " x", "Bearer x", "%E0%A4%A", "a b", "\"x\"", "é"] {
        let error = verify(&verifier(), junk).expect_err("not a token");
        assert!(matches!(error, TokenError::Invalid(_)), "{junk:?}: {error:?}");
    }
}

#[test]
fn h24_cookies() {
    let many = "a=b;".repeat(300);
    let long = format!("a={}", "x".repeat(16 * 1024));
    let most = format!("{}s=1", "a=b;".repeat(255));
    let one_more = format!("a=b;{most}");
    type Found<'a> = Result<Option<&'a str>, &'a str>;
    let cases: [(&[&str], Found<'_>); 21] = [
        (&[], Ok(None)),
        (&[""], Ok(None)),
        (&["s=x"], Ok(Some("x"))),
        (&["a=1; s=x; b=2"], Ok(Some("x"))),
        (&["a=1;s=x"], Ok(Some("x"))),
        (&["a=1", "s=x"], Ok(Some("x"))),
        (&["s="], Ok(Some(""))),
        (&["s=x=y=="], Ok(Some("x=y=="))),
        (&["s=\"x\""], Ok(Some("\"x\""))),
        (&["S=x"], Ok(None)),
        (&["ss=x"], Ok(None)),
        (&["s"], Ok(None)),
        (&["s\0=x"], Ok(None)),
        (&["s =x"], Ok(None)),
        (&["s=x; s=y"], Err("TOKEN_AMBIGUOUS")),
        (&["s=x; s=x"], Err("TOKEN_AMBIGUOUS")),
        (&["s=x", "s=y"], Err("TOKEN_AMBIGUOUS")),
        (&[&many], Err("BAD_PAYLOAD")),
        (&[&long], Err("BAD_PAYLOAD")),
        (&[&most], Ok(Some("1"))),
        (&[&one_more], Err("BAD_PAYLOAD")),
    ];
    for (lines, expected) in cases {
        let found = cookie(lines, "s").map_err(|error| Failure::from(&error).code.as_str());
        assert_eq!(found, expected, "{:.80}", lines.concat());
    }
}
