//! What a backend does with an API key.

use roomkey_testkit::{Received, TestClock, eventually};
use serde_json::{Value, json};

use super::*;

fn revoke(product: &TestProduct, body: &Value) -> Answer {
    product.send("POST", "/api/auth/revoke", &Call::json(body).key(API_KEY))
}

fn revoked(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["revoked"], true);
    answer.json["socketsClosed"].as_u64().expect("a number")
}

type TargetOf = fn(&Login) -> Value;

/// L16, L18
#[test]
fn whatever_is_revoked_ends_its_sockets() {
    let product = TestProduct::start("");
    let targets: [(&str, TargetOf); 5] = [
        ("token", |login| json!({ "token": login.token })),
        ("jti", |login| json!({ "jti": claim(&login.token, "jti") })),
        ("sid", |login| json!({ "sid": sid(&login.token) })),
        ("user", |login| json!({ "user": login.user })),
        ("user and time", |login| json!({ "user": login.user, "issuedBefore": TestClock::START_SECS + 5 })),
    ];
    for (index, (what, body)) in targets.into_iter().enumerate() {
        let login = product.register(&format!("user{index}"));
        let mut socket = product.connect(&login.token);
        assert_eq!(revoked(&revoke(&product, &body(&login))), 1, "{what}");
        assert!(socket.receive_text().contains(r#""reason":"revoked""#), "{what}");
        socket.expect("41");
        assert_eq!(socket.receive(), Received::Close(Some(4403)));
        assert_eq!(product.get("/api/auth/me", &login.token).refusal(), (401, "TOKEN_REVOKED"), "{what}");
        assert_eq!(revoked(&revoke(&product, &body(&login))), 0, "{what}, again");
        let refresh = product.refresh(&login.refresh_token).status;
        assert_eq!(refresh, if index < 2 { 200 } else { 401 }, "{what}: a token is not its session");
    }
    eventually("it is recorded", || product.audited("authz_admin"));
}

fn claim(token: &str, name: &str) -> Value {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let payload =
        BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("three parts")).expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("claims");
    claims[name].clone()
}

#[test]
fn a_time_leaves_alone_what_came_after_it() {
    let product = TestProduct::start("");
    let before = product.register("ada");
    product.clock.advance_secs(10);
    let after = product.log_in("ada");
    let body = json!({ "user": before.user, "issuedBefore": TestClock::START_SECS + 5 });
    revoked(&revoke(&product, &body));
    assert_eq!(product.get("/api/auth/me", &before.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.refresh(&before.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &after.token).status, 200);
    product.refresh(&after.refresh_token).login(200);
}

#[test]
fn a_backend_says_exactly_what_it_means() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let mut forged = login.token.clone();
    forged.truncate(login.token.len() - 4);
    for body in [
        json!({}),
        json!({ "user": login.user, "sid": "other" }),
        json!({ "token": forged + "AAAA" }),
        json!({ "token": login.refresh_token }),
        json!({ "user": "" }),
        json!({ "user": 5 }),
        json!({ "sid": "\n" }),
        json!({ "user": login.user, "issuedBefore": "yesterday" }),
        json!({ "user": login.user, "issuedBefore": -1 }),
        json!({ "user": login.user, "issuedBefore": 1e300 }),
        json!({ "user": login.user, "reason": "just so" }),
    ] {
        assert_eq!(revoke(&product, &body).refusal(), (422, "BAD_PAYLOAD"), "{body}");
    }
    assert_eq!(product.get("/api/auth/me", &login.token).status, 200);
}

#[test]
fn a_blocked_user_stays_out() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let mut socket = product.connect(&login.token);
    let act = |act: &str| {
        product.send("POST", &format!("/api/users/{}/{act}", login.user), &Call::default().key(USERS_KEY))
    };
    assert_eq!(revoked(&act("block")), 1);
    assert!(socket.receive_text().contains(r#""reason":"blocked""#));
    let body = json!({ "username": "ada", "password": PASSWORD });
    assert_eq!(product.post("/api/auth/login", &body).refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(product.refresh(&login.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(act("unblock").json, json!({ "unblocked": true }));
    assert_eq!(act("unblock").json, json!({ "unblocked": false }));
    product.clock.advance_secs(1);
    let again = product.log_in("ada");
    assert_eq!(product.get("/api/auth/me", &again.token).status, 200);
    assert_eq!(product.get("/api/auth/me", &login.token).refusal(), (401, "TOKEN_REVOKED"));
}

#[test]
fn a_backend_sees_and_ends_the_sessions_of_a_user() {
    let product = TestProduct::start("");
    let (login, other) = (product.register("ada"), product.register("bob"));
    let path = format!("/api/users/{}/sessions", login.user);
    let with_key = Call::default().key(USERS_KEY);
    let answer = product.send("GET", &path, &with_key);
    assert_eq!(answer.json["sessions"][0]["id"], json!(sid(&login.token)));
    assert_eq!(answer.json["sessions"].as_array().map(Vec::len), Some(1));
    let end = |session: &str| product.send("DELETE", &format!("{path}/{session}"), &with_key);
    assert_eq!(end(&sid(&other.token)).refusal(), (404, "NOT_FOUND"), "another user's");
    assert_eq!(end(&sid(&login.token)).status, 204);
    assert_eq!(product.get("/api/auth/me", &login.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &other.token).status, 200);
    let nobody = product.send("GET", "/api/users/nobody/sessions", &with_key);
    assert_eq!((nobody.status, nobody.json), (200, json!({ "sessions": [] })));
}

/// R25: what a user may not do looks the same whether the other user exists or not.
#[test]
fn only_a_key_with_the_scope_will_do() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let routes = |user: &str| {
        let json = Call::json(&json!({ "user": user }));
        [
            ("POST", "/api/auth/revoke".to_owned(), json),
            ("POST", format!("/api/users/{user}/block"), Call::default()),
            ("POST", format!("/api/users/{user}/unblock"), Call::default()),
            ("GET", format!("/api/users/{user}/sessions"), Call::default()),
            ("DELETE", format!("/api/users/{user}/sessions/{}", sid(&bob.token)), Call::default()),
        ]
    };
    let wrong = "rk_00000000000000000000000000000000";
    for user in [bob.user.as_str(), "nobody"] {
        for (method, path, call) in routes(user) {
            for call in
                [call.clone(), call.clone().key(wrong), call.clone().token(wrong), call.token(&ada.token)]
            {
                let answer = product.send(method, &path, &call);
                assert_eq!(answer.refusal(), (401, "API_KEY_INVALID"), "{method} {path}");
                assert_eq!(answer.response.header("www-authenticate").as_deref(), Some("Bearer"));
            }
        }
    }
    let call = Call::json(&json!({ "user": bob.user })).key(USERS_KEY);
    let answer = product.send("POST", "/api/auth/revoke", &call);
    assert_eq!(answer.refusal(), (403, "INSUFFICIENT_SCOPE"));
    let challenge = answer.response.header("www-authenticate");
    assert_eq!(challenge.as_deref(), Some("Bearer error=\"insufficient_scope\""));
    let both = Call::json(&json!({ "user": bob.user })).key(API_KEY).token(USERS_KEY);
    assert_eq!(product.send("POST", "/api/auth/revoke", &both).refusal(), (400, "TOKEN_AMBIGUOUS"));
    eventually("it is recorded", || product.audited("authz_fail"));
    assert_eq!(product.get("/api/auth/me", &bob.token).status, 200);
    // As a bearer token it is a key, too, and never a user's token.
    let bearer = Call::json(&json!({ "user": "nobody" })).token(API_KEY);
    assert_eq!(product.send("POST", "/api/auth/revoke", &bearer).status, 200);
    assert_eq!(product.get("/api/auth/me", API_KEY).refusal(), (401, "TOKEN_INVALID"));
    let connect = product.connecting("", "", &json!({ "token": API_KEY }));
    assert!(connect.contains("TOKEN_INVALID"), "{connect}");
}

/// What is done is done as a whole, and recorded, whoever waits for the answer.
#[test]
fn a_change_is_made_to_its_end_for_a_client_that_leaves() {
    let product = TestProduct::start("");
    let users: Vec<_> = (0..10).map(|index| product.register(&format!("user{index}"))).collect();
    for user in &users {
        product.post_and_leave(&format!("/api/users/{}/block", user.user), USERS_KEY);
    }
    eventually("all are recorded", || product.times_audited("authz_admin") == users.len());
    for user in &users {
        assert_eq!(product.get("/api/auth/me", &user.token).refusal(), (401, "TOKEN_REVOKED"));
    }
}

/// What is misspelled is said to be, and revokes nothing by the by; the key that signs is not taken from under new logins.
#[test]
fn what_would_revoke_nothing_or_everything_is_refused() {
    let product = TestProduct::start("");
    let ada = product.register("ada");
    let revoke = |body| product.send("POST", "/api/auth/revoke", &Call::json(&body).key(API_KEY));
    let misspelled = revoke(json!({ "sid": sid(&ada.token), "issuer": "roomkey/" }));
    assert_eq!(misspelled.refusal(), (422, "BAD_PAYLOAD"));
    assert!(misspelled.json["message"].as_str().expect("text").contains("there are: roomkey"));
    let key_set = product.get("/.well-known/jwks.json", &ada.token);
    let kid = key_set.json["keys"][0]["kid"].as_str().expect("a key");
    assert_eq!(revoke(json!({ "kid": kid })).refusal(), (409, "CONFLICT"));
    product.log_in("ada");
    assert_eq!(product.get("/api/auth/me", &ada.token).status, 200);
    assert_eq!(revoke(json!({ "kid": "another key" })).status, 200);
}
