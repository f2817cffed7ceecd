//! Requests that are not what they should be, and what is said about them.

use roomkey_testkit::HttpClient;
use serde_json::json;

use super::*;

/// R10
#[test]
fn nothing_is_taken_that_was_not_asked_for() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    for (path, body) in [
        ("/api/auth/login", r#"{"username":"ada","password":{"$ne":1}}"#),
        ("/api/auth/login", r#"{"username":["ada"],"password":"x"}"#),
        ("/api/auth/login", r#"{"username":"ada","username":"bob","password":"x"}"#),
        ("/api/auth/login", r#"{"username":"ada","email":"ada@example.com","password":"x"}"#),
        ("/api/auth/login", r#"{"username":"ada"}"#),
        ("/api/auth/login", r#"{"username":"ada","password":null}"#),
        ("/api/auth/login", r#""ada""#),
        ("/api/auth/login", "null"),
        ("/api/auth/login", ""),
        ("/api/auth/register", r#"{"email":"b@example.com","password":"a long password","role":"admin"}"#),
        ("/api/auth/register", r#"{"email":"b@example.com","password":"a long password","isAdmin":true}"#),
        ("/api/auth/register", r#"{"email":"b@example.com","password":"a long password","id":"u1"}"#),
        (
            "/api/auth/register",
            r#"{"email":"b@example.com","password":"a long password","emailVerified":true}"#,
        ),
        ("/api/auth/register", r#"{"email":"b@example.com","password":"a long password","password":"x"}"#),
        ("/api/auth/refresh", r#"{"refreshToken":5}"#),
        ("/api/auth/refresh", r#"{"refreshToken":["x"]}"#),
        ("/api/auth/refresh", r#"{"refreshToken":"x","user":"bob"}"#),
        ("/api/auth/logout", r#"{"user":"bob"}"#),
        ("/api/auth/password", r#"{"currentPassword":"x","newPassword":"y","user":"bob"}"#),
        ("/api/auth/ticket", r#"{"user":"bob"}"#),
    ] {
        let call = Call::default().header("Content-Type", "application/json").token(&login.token).body(body);
        assert_eq!(product.send("POST", path, &call).refusal(), (422, "BAD_PAYLOAD"), "{path} {body}");
    }
}

/// R11
#[test]
fn a_body_says_that_it_is_json() {
    let product = TestProduct::start("");
    product.register("ada");
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "text/json",
        "",
    ] {
        let call = Call::default().header("Content-Type", kind).body(&body);
        assert_eq!(
            product.send("POST", "/api/auth/login", &call).refusal(),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
            "{kind}"
        );
    }
    let untyped = Call::default().body(&body);
    assert_eq!(product.send("POST", "/api/auth/login", &untyped).refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"));
    for kind in ["application/json", "APPLICATION/JSON", "application/json; charset=UTF-8"] {
        let call = Call::default().header("Content-Type", kind).body(&body);
        assert_eq!(product.send("POST", "/api/auth/login", &call).status, 200, "{kind}");
    }
}

/// R22, R24
#[test]
fn what_changes_something_has_one_method() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let paths = [
        "/api/auth/register",
        "/api/auth/login",
        "/login",
        "/api/auth/refresh",
        "/api/auth/logout",
        "/api/auth/logout-all",
        "/api/auth/password",
        "/api/auth/ticket",
        "/api/auth/revoke",
        "/api/users/u1/block",
        "/api/users/u1/unblock",
    ];
    for path in paths {
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
            let call = Call::default().token(&login.token).header("X-HTTP-Method-Override", "POST");
            let answer = product.send(method, &format!("{path}?_method=POST"), &call);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.response.header("allow").as_deref(), Some("POST"), "{method} {path}");
        }
        let mut http = HttpClient::connect(product.server().address());
        http.send(format!(
            "HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
            login.token
        ));
        assert!(http.rest().starts_with("HTTP/1.1 405 "), "HEAD {path}");
    }
    // A POST stays one, whatever it calls itself.
    let named = Call::default().token(&login.token).header("X-HTTP-Method-Override", "DELETE");
    assert_eq!(product.send("POST", "/api/auth/ticket", &named).status, 201);
    let session = format!("/api/auth/sessions/{}", sid(&login.token));
    assert_eq!(product.send("POST", &session, &named).status, 405);
    assert_eq!(product.get("/api/auth/me", &login.token).status, 200);
}

/// R23: there is nothing that redirects.
#[test]
fn nobody_is_sent_anywhere() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    for name in ["redirect", "redirect_uri", "next", "returnTo", "url"] {
        let query = format!("{name}=https://evil.example/");
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/api/auth/me"),
            ("POST", "/api/auth/logout"),
            ("POST", "/api/auth/refresh"),
            ("GET", "/api/auth/login"),
            ("GET", "/nothing"),
        ] {
            let answer =
                product.send(method, &format!("{path}?{query}"), &Call::default().token(&login.token));
            assert!(!(300..400).contains(&answer.status), "{method} {path}?{query}");
            assert!(answer.response.header("location").is_none());
            assert!(!answer.response.body.contains("evil"), "{method} {path}?{query}");
        }
    }
}

/// R28
#[test]
fn an_error_says_what_to_do_and_nothing_of_the_inside() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let broken = product.break_database();
    let with_token = Call::default().token(&login.token);
    let cases = [
        product.get("/api/nothing", &login.token),
        product.get("/api/auth/me", "nonsense"),
        product.get("/api/channels/nothing/members", &login.token),
        product.get("/api/channels/%FF/members", &login.token),
        product.get("/api/channels?limit=-1", &login.token),
        product.send("POST", "/api/auth/logout", &with_token),
        product.send("PUT", "/api/auth/login", &with_token),
        product.refresh(&login.refresh_token),
        product.post("/api/auth/login", &json!({ "username": "ada", "password": "wrong password" })),
    ];
    drop(broken);
    for answer in &cases {
        let body = &answer.response.body;
        assert!(answer.status >= 400, "{body}");
        assert_eq!(answer.response.header("cache-control").as_deref(), Some("no-store"), "{body}");
        let keys: Vec<_> = answer.json.as_object().unwrap_or_else(|| panic!("{answer:?}")).keys().collect();
        assert!(
            keys.iter().all(|key| ["message", "code", "retry", "retryAfterMs"].contains(&key.as_str())),
            "{body}"
        );
        for inside in
            ["broken by", "SELECT", "sqlite", "argon2", ".rs", "panic", "rkr_", &login.token, "/tmp"]
        {
            assert!(!body.to_lowercase().contains(&inside.to_lowercase()), "{inside}: {body}");
        }
    }
    // What needs a token says so before it says what there is.
    let paths = ["/api/channels/nothing/members", "/api/auth/sessions", "/api/auth/me", "/api/channels"];
    let bodies = paths.map(|path| {
        let answer = product.send("GET", path, &Call::default());
        assert_eq!(answer.refusal(), (401, "TOKEN_MISSING"));
        answer.response.body
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}
