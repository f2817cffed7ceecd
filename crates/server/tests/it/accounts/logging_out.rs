//! Sessions, and how they end.

use roomkey_testkit::{Received, eventually};
use serde_json::json;

use super::*;

fn log_out(product: &TestProduct, call: &Call) -> u16 {
    product.send("POST", "/api/auth/logout", call).status
}

/// L17
#[test]
fn a_logout_ends_this_session_and_its_sockets_only() {
    let product = TestProduct::start("");
    let (here, there) = (product.register("ada"), product.log_in("ada"));
    let (mut ends, _stays) = (product.connect(&here.token), product.connect(&there.token));
    assert_eq!(log_out(&product, &Call::default().token(&here.token)), 204);
    assert!(ends.receive_text().contains(r#""reason":"logged_out""#));
    ends.expect("41");
    assert_eq!(ends.receive(), Received::Close(Some(4403)));
    assert_eq!(product.get("/api/auth/me", &here.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &there.token).status, 200);
    assert_eq!(product.server().handle().connection_count(), 1);
}

/// R18
#[test]
fn a_logout_is_done_however_often_and_never_somebody_elses() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let with_refresh_token = |login: &Login| Call::json(&json!({ "refreshToken": login.refresh_token }));

    // Nothing that proves anything.
    assert_eq!(log_out(&product, &Call::default()), 204);
    assert_eq!(log_out(&product, &Call::default().token("nonsense")), 204);
    assert_eq!(log_out(&product, &Call::json(&json!({ "refreshToken": "rkr_nonsense" }))), 204);
    // Somebody else's refresh token.
    assert_eq!(log_out(&product, &with_refresh_token(&bob).token(&ada.token)), 204);
    assert_eq!(product.get("/api/auth/me", &ada.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &bob.token).status, 200);
    // Again, and with the refresh token alone.
    assert_eq!(log_out(&product, &Call::default().token(&ada.token)), 204);
    assert_eq!(log_out(&product, &with_refresh_token(&bob)), 204);
    assert_eq!(product.get("/api/auth/me", &bob.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(log_out(&product, &with_refresh_token(&bob)), 204);
}

/// R18
#[test]
fn an_expired_token_logs_out_its_session() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    product.clock.advance_secs(700);
    assert_eq!(product.get("/api/auth/me", &login.token).refusal(), (401, "TOKEN_EXPIRED"));
    let forged = format!("{}AAAA", &login.token[..login.token.len() - 4]);
    assert_eq!(log_out(&product, &Call::default().token(&forged)), 204);
    let login = product.refresh(&login.refresh_token).login(200);
    product.clock.advance_secs(700);
    assert_eq!(log_out(&product, &Call::default().token(&login.token)), 204);
    assert_eq!(product.refresh(&login.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
}

/// R19
#[test]
fn a_logout_that_cannot_be_stored_is_not_done() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let broken = product.break_database();
    for (method, path) in [
        ("POST", "/api/auth/logout"),
        ("POST", "/api/auth/logout-all"),
        ("DELETE", &format!("/api/auth/sessions/{}", sid(&login.token))),
    ] {
        let answer = product.send(method, path, &Call::default().token(&login.token));
        assert_eq!(answer.refusal(), (503, "UNAVAILABLE"), "{path}");
        assert!(answer.response.header("retry-after").is_some());
    }
    drop(broken);
    assert_eq!(product.get("/api/auth/me", &login.token).status, 200, "nothing has ended");
    assert_eq!(log_out(&product, &Call::default().token(&login.token)), 204);
}

#[test]
fn logging_out_everywhere_ends_every_session() {
    let product = TestProduct::start("");
    let logins = [product.register("ada"), product.log_in("ada"), product.log_in("ada")];
    let mut sockets: Vec<_> = logins.iter().map(|login| product.connect(&login.token)).collect();
    let answer = product.send("POST", "/api/auth/logout-all", &Call::default().token(&logins[0].token));
    assert_eq!(answer.status, 204);
    for (login, socket) in logins.iter().zip(&mut sockets) {
        assert!(socket.receive_text().contains(r#""reason":"logged_out""#));
        assert_eq!(product.refresh(&login.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
        assert_eq!(product.get("/api/auth/me", &login.token).refusal(), (401, "TOKEN_REVOKED"));
    }
    product.clock.advance_secs(1);
    let login = product.log_in("ada");
    assert_eq!(product.get("/api/auth/me", &login.token).status, 200);
}

#[test]
fn a_user_sees_the_sessions_and_ends_one() {
    let product = TestProduct::start("");
    let here = product.register("ada");
    product.clock.advance_secs(60);
    let body = json!({ "username": "ada", "password": PASSWORD });
    let there = Call::json(&body).header("User-Agent", "A phone");
    let there = product.send("POST", "/api/auth/login", &there.header("X-Forwarded-For", "203.0.113.7"));
    let there = there.login(200);
    let bob = product.register("bob");

    let answer = product.get("/api/auth/sessions", &here.token);
    assert_eq!(answer.status, 200);
    let sessions = answer.json["sessions"].as_array().expect("a list").clone();
    assert_eq!(sessions.len(), 2, "one's own only");
    assert_eq!(sessions[0]["id"], json!(sid(&there.token)), "newest first");
    assert_eq!(sessions[0]["current"], false);
    assert_eq!(sessions[0]["userAgent"], "A phone");
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    assert_eq!(sessions[0]["createdAt"], "2027-01-15T08:01:00.000Z");
    assert_eq!(sessions[0]["lastSeenAt"], "2027-01-15T08:01:00.000Z");
    assert_eq!(sessions[0]["expiresAt"], "2027-01-22T08:01:00.000Z");
    assert_eq!(sessions[1]["current"], true);

    let mut socket = product.connect(&there.token);
    let end = |session: &str| {
        let path = format!("/api/auth/sessions/{session}");
        product.send("DELETE", &path, &Call::default().token(&here.token))
    };
    // R25: what is somebody else's looks as if it were not there.
    let (theirs, nothing) = (end(&sid(&bob.token)), end("nothing"));
    assert_eq!(theirs.refusal(), (404, "NOT_FOUND"));
    assert_eq!(theirs.response.body, nothing.response.body);
    assert_eq!(product.get("/api/auth/me", &bob.token).status, 200);
    assert_eq!(end(&sid(&there.token)).status, 204);
    assert!(socket.receive_text().contains(r#""reason":"logged_out""#));
    assert_eq!(end(&sid(&there.token)).refusal(), (404, "NOT_FOUND"), "it is gone");
    assert_eq!(product.get("/api/auth/me", &there.token).refusal(), (401, "TOKEN_REVOKED"));
}

/// L19
#[test]
fn a_new_password_ends_all_other_sessions_and_sockets() {
    let product = TestProduct::start("");
    let (here, there) = (product.register("ada"), product.log_in("ada"));
    let (_stays, mut ends) = (product.connect(&here.token), product.connect(&there.token));
    let change = |current: &str, new: &str| {
        let body = json!({ "currentPassword": current, "newPassword": new });
        product.send("POST", "/api/auth/password", &Call::json(&body).token(&here.token))
    };
    assert_eq!(change("not my password", "another long password").refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(change(PASSWORD, "short").refusal(), (422, "BAD_PAYLOAD"));
    assert_eq!(change(PASSWORD, "another long password").status, 204);
    assert!(ends.receive_text().contains(r#""reason":"password_changed""#));
    assert_eq!(product.get("/api/auth/me", &there.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &here.token).status, 200);
    eventually("one socket is left", || product.server().handle().connection_count() == 1);
    eventually("the change is recorded", || product.audited("authn_password_change"));
    let old = product.post("/api/auth/login", &json!({ "username": "ada", "password": PASSWORD }));
    assert_eq!(old.refusal(), (401, "INVALID_CREDENTIALS"));
}

#[test]
fn a_new_password_leaves_the_sessions_alone_where_that_is_wanted() {
    let product = TestProduct::start("");
    let (here, there) = (product.register("ada"), product.log_in("ada"));
    let new = "another long password";
    let body = json!({ "currentPassword": PASSWORD, "newPassword": new, "endOtherSessions": false });
    let changed = product.send("POST", "/api/auth/password", &Call::json(&body).token(&here.token));
    assert_eq!(changed.status, 204);
    assert_eq!(product.get("/api/auth/me", &there.token).status, 200);
    product.refresh(&there.refresh_token).login(200);
    product.post("/api/auth/login", &json!({ "username": "ada", "password": new })).login(200);
}
