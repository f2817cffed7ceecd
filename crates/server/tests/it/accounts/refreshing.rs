//! The next token of a login.

use std::thread;

use roomkey_testkit::{Received, eventually};
use serde_json::json;

use super::*;

/// R12
#[test]
fn many_requests_at_once_get_one_successor() {
    let product = TestProduct::start("");
    for requests in [2, 10, 50] {
        let login = product.register(&format!("user{requests}"));
        let tokens: Vec<String> = thread::scope(|scope| {
            let ask = || product.refresh(&login.refresh_token).login(200).refresh_token;
            let asking: Vec<_> = (0..requests).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{requests}");
        assert_ne!(tokens[0], login.refresh_token);
        product.refresh(&tokens[0]).login(200);
    }
}

/// L15: to go on with a new token ends nothing.
#[test]
fn live_sockets_stay_when_the_token_is_exchanged() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let mut socket = product.connect(&login.token);
    let next = product.refresh(&login.refresh_token).login(200);
    assert_eq!(product.get("/api/auth/me", &login.token).status, 200, "until its own time is over");
    product.connect(&next.token);
    socket.call(r#"420["joinRoom","nowhere"]"#, FORBIDDEN);
}

const FORBIDDEN: &str = r#"430[{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}]"#;

/// R13
#[test]
fn the_token_before_the_last_ends_the_session_and_its_sockets() {
    let product = TestProduct::start("");
    let first = product.register("ada");
    let other = product.log_in("ada");
    let (mut socket, mut stays) = (product.connect(&first.token), product.connect(&other.token));
    let second = product.refresh(&first.refresh_token).login(200);
    let third = product.refresh(&second.refresh_token).login(200);
    assert_eq!(product.refresh(&first.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    let revoked = socket.receive_text();
    assert!(revoked.starts_with(r#"42["auth:revoked","#) && revoked.contains("refresh_reused"), "{revoked}");
    socket.expect("41");
    assert_eq!(socket.receive(), Received::Close(Some(4403)));
    for token in [&first.token, &third.token] {
        assert_eq!(product.get("/api/auth/me", token).refusal(), (401, "TOKEN_REVOKED"));
    }
    assert_eq!(product.refresh(&third.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    stays.call(r#"420["joinRoom","nowhere"]"#, FORBIDDEN);
    eventually("the reuse is recorded", || product.audited("authn_token_reuse"));
}

/// R16
#[test]
fn whoever_comes_second_with_a_stolen_token_ends_it_for_both() {
    let product = TestProduct::start("");
    let victim = product.register("ada");
    let thief = product.refresh(&victim.refresh_token).login(200);
    let (mut one, mut other) = (product.connect(&victim.token), product.connect(&thief.token));
    product.clock.advance_secs(11);
    assert_eq!(product.refresh(&victim.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.refresh(&thief.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    for socket in [&mut one, &mut other] {
        assert!(socket.receive_text().contains("refresh_reused"));
        socket.expect("41");
    }
}

/// R14
#[test]
fn a_login_that_is_over_is_not_continued() {
    let product = TestProduct::start("refresh_token_idle_s = 3600\nrefresh_token_lifetime_s = 7200");
    let refused = |login: &Login, code| {
        let answer = product.refresh(&login.refresh_token);
        assert_eq!(answer.refusal(), (401, code));
        assert_eq!(answer.json["retry"], "never", "nothing could be refreshed");
        let challenge = answer.response.header("www-authenticate");
        assert_eq!(challenge.as_deref(), Some("Bearer error=\"invalid_token\""));
    };
    let ada = product.register("ada");
    product.send("POST", "/api/auth/logout", &Call::default().token(&ada.token));
    refused(&ada, "TOKEN_REVOKED");

    let (here, there) = (product.log_in("ada"), product.log_in("ada"));
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another long password" });
    let changed = product.send("POST", "/api/auth/password", &Call::json(&change).token(&here.token));
    assert_eq!(changed.status, 204, "{changed:?}");
    refused(&there, "TOKEN_REVOKED");
    let here = product.refresh(&here.refresh_token).login(200);

    let bob = product.register("bob");
    product.send("POST", &format!("/api/users/{}/block", bob.user), &Call::default().key(USERS_KEY));
    refused(&bob, "TOKEN_REVOKED");

    let carol = product.register("carol");
    product.clock.advance_secs(3599);
    let here = product.refresh(&here.refresh_token).login(200);
    product.clock.advance_secs(1);
    refused(&carol, "TOKEN_EXPIRED");
    product.clock.advance_secs(3590);
    let last = product.refresh(&here.refresh_token);
    assert_eq!(last.json["expiresIn"], 10, "no token outlives its session");
    product.clock.advance_secs(10);
    refused(&last.login(200), "TOKEN_EXPIRED");
}

/// R15
#[test]
fn no_token_is_taken_for_another() {
    let product = TestProduct::start("query_token = true");
    let login = product.register("ada");
    for answer in [
        product.get("/api/auth/me", &login.refresh_token),
        product.get("/api/channels", &login.refresh_token),
        product.refresh(&login.token),
        product.refresh(""),
        product.refresh("nonsense"),
        product.refresh(&login.refresh_token[4..]),
    ] {
        assert_eq!(answer.refusal(), (401, "TOKEN_INVALID"));
    }
    let connect = product.connecting("", "", &json!({ "token": login.refresh_token }));
    assert!(connect.contains("TOKEN_INVALID"), "{connect}");
    // In places where it must not be, it is not looked for.
    let in_query = format!("/api/auth/refresh?refreshToken={}", login.refresh_token);
    let bodiless = Call::default().token(&login.refresh_token);
    for answer in [
        product.send("POST", &in_query, &Call::default()),
        product.send("POST", "/api/auth/refresh", &bodiless),
        product.post("/api/auth/refresh", &json!({})),
    ] {
        assert_eq!(answer.refusal(), (401, "TOKEN_MISSING"));
    }
    product.refresh(&login.refresh_token).login(200);
}

/// R17
#[test]
fn an_answer_that_was_lost_with_the_server_is_given_again() {
    let mut product = TestProduct::start("");
    let login = product.register("ada");
    let lost = product.refresh(&login.refresh_token).login(200);
    product.restart();
    product.clock.advance_secs(5);
    let again = product.refresh(&login.refresh_token).login(200);
    assert_eq!(again.refresh_token, lost.refresh_token);
    product.refresh(&again.refresh_token).login(200);
}

/// L24
#[test]
fn what_ended_stays_ended_over_a_restart() {
    let mut product = TestProduct::start("");
    let (gone, kept) = (product.register("ada"), product.log_in("ada"));
    product.send("POST", "/api/auth/logout", &Call::default().token(&gone.token));
    product.restart();
    assert_eq!(product.get("/api/auth/me", &gone.token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.refresh(&gone.refresh_token).refusal(), (401, "TOKEN_REVOKED"));
    assert_eq!(product.get("/api/auth/me", &kept.token).status, 200);
    product.refresh(&kept.refresh_token).login(200);
}
