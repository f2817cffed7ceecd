//! What admins do, and what is recorded of it.

use roomkey_testkit::{Client, Received};
use serde_json::{Value, json};

use super::support::{Admin, Desk};
use crate::product::{Call, Login, PASSWORD, sid};

fn because() -> Value {
    json!({ "reason": "because of a test" })
}

/// The next event of this name.
#[track_caller]
fn next(client: &mut Client, name: &str) -> Value {
    loop {
        let packet = client.receive_text();
        let event = packet.strip_prefix("42").and_then(|event| serde_json::from_str::<Value>(event).ok());
        if let Some(event) = event.filter(|event| event[0] == name) {
            return event[1].clone();
        }
    }
}

/// Whether the last thing that the client is told is that it is disconnected.
#[track_caller]
fn is_told_to_go(client: &mut Client) -> bool {
    loop {
        match client.receive() {
            Received::Text(text) if text == "41" => return true,
            Received::Text(_) => {}
            _ => return false,
        }
    }
}

fn recorded(desk: &Desk, what: &str) -> bool {
    let record = format!(r#""reason":"admin root: because of a test","target":"{what}""#);
    desk.product.audit().lines().any(|line| line.contains("authz_admin") && line.contains(&record))
}

#[track_caller]
fn is_recorded(desk: &Desk, what: &str) {
    roomkey_testkit::eventually(what, || recorded(desk, what));
}

fn start() -> (Desk, Login, Admin) {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    (desk, ada, root)
}

#[test]
fn a_socket_is_disconnected() {
    let (desk, ada, root) = start();
    let (mut one, mut other) = (desk.product.connect(&ada.token), desk.product.connect(&ada.token));
    let list = desk.see(&root, "/api/connections");
    let id = list["connections"][1]["socket"].as_str().expect("the one that came first").to_owned();
    let path = format!("/api/connections/{id}/disconnect");
    assert_eq!(desk.act(&root, &path, &because())["socketsClosed"], 1);
    assert!(is_told_to_go(&mut one));
    assert_eq!(desk.see(&root, "/api/connections")["total"], 1, "it is gone when it is answered");
    assert_eq!(desk.post(&root, &path, &because()).refusal(), (404, "NOT_FOUND"));
    is_recorded(&desk, &format!("disconnect socket {id} of user {}", ada.user));
    other.text(r#"421["nothing"]"#);
    assert!(other.receive_text().starts_with("431"));
}

#[test]
fn a_reason_is_asked_for_and_goes_into_the_audit_log_as_it_is() {
    let (desk, ada, root) = start();
    let path = format!("/api/users/{}/block", ada.user);
    for reason in [Value::Null, json!(""), json!("  \n "), json!("x".repeat(201))] {
        let answer = desk.post(&root, &path, &json!({ "reason": reason }));
        assert_eq!(answer.refusal(), (422, "REASON_REQUIRED"), "{reason}");
    }
    assert_eq!(desk.post(&root, &path, &json!({})).refusal(), (422, "REASON_REQUIRED"));
    assert!(!desk.product.audited("authz_admin") || !desk.product.audit().contains("block user"));
    desk.act(&root, &path, &json!({ "reason": "a \"quote\"\r\n{\"event\":\"forged\"}" }));
    roomkey_testkit::eventually("it is recorded", || desk.product.audit().contains("block user"));
    let audit = desk.product.audit();
    let line = audit.lines().find(|line| line.contains("block user")).expect("recorded");
    let record: Value = serde_json::from_str(line).expect("one line of JSON");
    assert_eq!(record["reason"], "admin root: a \"quote\"\r\n{\"event\":\"forged\"}");
    assert_eq!((&record["event"], &record["address"]), (&json!("authz_admin"), &json!("127.0.0.1")));
}

#[test]
fn users_are_revoked_blocked_and_let_in_again() {
    let (desk, ada, root) = start();
    let mut socket = desk.product.connect(&ada.token);
    let path = |what: &str| format!("/api/users/{}/{what}", ada.user);
    let revoked = desk.act(&root, &path("revoke"), &because());
    assert_eq!((&revoked["revoked"], &revoked["socketsClosed"]), (&json!(true), &json!(1)));
    assert!(is_told_to_go(&mut socket));
    assert_eq!(desk.product.get("/api/auth/me", &ada.token).refusal(), (401, "TOKEN_REVOKED"));
    desk.product.clock.advance_secs(1);
    let again = desk.product.log_in("ada");
    let mut socket = desk.product.connect(&again.token);
    assert_eq!(desk.act(&root, &path("block"), &because())["socketsClosed"], 1);
    assert!(is_told_to_go(&mut socket));
    let login = json!({ "username": "ada", "password": PASSWORD });
    assert_eq!(desk.product.post("/api/auth/login", &login).status, 401);
    assert_eq!(desk.see(&root, &format!("/api/users/{}", ada.user))["user"]["blocked"], true);
    assert_eq!(desk.act(&root, &path("unblock"), &because())["unblocked"], true);
    assert_eq!(desk.act(&root, &path("unblock"), &because())["unblocked"], false);
    desk.product.clock.advance_secs(1);
    desk.product.log_in("ada");
    for what in ["revoke", "block", "unblock"] {
        is_recorded(&desk, &format!("{what} user {}", ada.user));
    }
}

#[test]
fn one_session_is_ended_and_the_others_go_on() {
    let (desk, ada, root) = start();
    let other = desk.product.log_in("ada");
    let (mut ends, mut stays) = (desk.product.connect(&ada.token), desk.product.connect(&other.token));
    let path = |session: &str| format!("/api/users/{}/sessions/{session}/end", ada.user);
    assert_eq!(desk.act(&root, &path(&sid(&ada.token)), &because())["socketsClosed"], 1);
    assert!(is_told_to_go(&mut ends));
    stays.text(r#"421["nothing"]"#);
    assert!(stays.receive_text().starts_with("431"));
    assert_eq!(desk.post(&root, &path("nobody's"), &because()).refusal(), (404, "NOT_FOUND"));
    roomkey_testkit::eventually("it is recorded", || desk.product.audit().contains("end session"));
    assert!(!desk.product.audit().contains(&sid(&ada.token)), "a session is recorded by a part of a hash");
}

#[test]
fn a_user_is_kicked_from_a_room_and_told() {
    let (desk, ada, root) = start();
    let body = json!({ "name": "harbour", "visibility": "public" });
    let made = desk.product.send("POST", "/api/channels", &Call::json(&body).token(&ada.token));
    let room = format!("channel:{}", made.json["channel"]["id"].as_str().expect("an id"));
    let mut sockets = [desk.product.connect(&ada.token), desk.product.connect(&ada.token)];
    let path = format!("/api/rooms/{room}/kick");
    let list = desk.see(&root, &format!("/api/connections?room={room}"));
    assert_eq!(list["total"], 2);
    let id = list["connections"][1]["socket"].as_str().expect("an id").to_owned();
    let one = json!({ "reason": "because of a test", "socket": id });
    assert_eq!(desk.act(&root, &path, &one)["sockets"], 1);
    assert_eq!(next(&mut sockets[0], "room:evicted")["room"], room);
    assert_eq!(desk.see(&root, &format!("/api/connections?room={room}"))["total"], 1);
    let all = json!({ "reason": "because of a test", "user": ada.user });
    assert_eq!(desk.act(&root, &path, &all)["sockets"], 1);
    assert_eq!(next(&mut sockets[1], "room:evicted")["room"], room);
    assert_eq!(desk.post(&root, &path, &all).refusal(), (404, "NOT_FOUND"));
    assert_eq!(desk.post(&root, &path, &because()).refusal(), (422, "BAD_PAYLOAD"));
    is_recorded(&desk, &format!("kick user {} from room {room}", ada.user));
}

#[test]
fn nobody_is_kicked_from_the_room_of_their_own() {
    let (desk, ada, root) = start();
    let _socket = desk.product.connect(&ada.token);
    for room in [format!("user:{}", ada.user), format!("user-{}", ada.user)] {
        let path = format!("/api/rooms/{room}/kick");
        let body = json!({ "reason": "because of a test", "user": ada.user });
        let answer = desk.post(&root, &path, &body);
        assert_eq!(answer.refusal(), (403, "FORBIDDEN"), "{room}");
        assert!(answer.json["message"].as_str().is_some_and(|message| message.contains("disconnect")));
    }
    let list = desk.see(&root, "/api/connections");
    let id = list["connections"][0]["socket"].as_str().expect("an id");
    let one = desk.see(&root, &format!("/api/connections/{id}"));
    assert_eq!(one["roomNames"], json!([format!("user:{}", ada.user)]), "it is where it was");
}

#[test]
fn a_notification_reaches_whom_it_is_for() {
    let (desk, ada, root) = start();
    let bob = desk.product.register("bob");
    let (mut of_ada, mut of_bob) = (desk.product.connect(&ada.token), desk.product.connect(&bob.token));
    let notify = |to: Value, notification: Value| {
        let body = json!({ "reason": "because of a test", "to": to, "notification": notification });
        desk.post(&root, "/api/notify", &body)
    };
    assert_eq!(notify(json!({ "user": ada.user }), json!("for ada")).status, 200);
    assert_eq!(notify(json!({ "everyone": true }), json!({ "text": "for all" })).status, 200);
    assert_eq!(notify(json!({ "room": format!("user:{}", bob.user) }), json!("for bob")).status, 200);
    assert_eq!(next(&mut of_ada, "notification"), "for ada");
    assert_eq!(next(&mut of_ada, "notification"), json!({ "text": "for all" }));
    assert_eq!(next(&mut of_bob, "notification"), json!({ "text": "for all" }));
    assert_eq!(next(&mut of_bob, "notification"), "for bob");
    for (to, notification) in [
        (json!({ "everyone": false }), json!("x")),
        (json!({}), json!("x")),
        (json!({ "everyone": true, "user": "x" }), json!("x")),
        (json!({ "everyone": true }), Value::Null),
    ] {
        assert_eq!(notify(to, notification).refusal(), (422, "BAD_PAYLOAD"));
    }
    is_recorded(&desk, "notify everyone");
}

#[test]
fn who_is_away_does_not_come_back_from_a_kick_or_a_disconnection_as_if_nothing_were() {
    let mut desk = Desk::start();
    desk.product.restart_with("threads = 2", "threads = 2\n[engine]\nrecovery = true");
    desk.find_again();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let body = json!({ "name": "harbour", "visibility": "public" });
    let made = desk.product.send("POST", "/api/channels", &Call::json(&body).token(&ada.token));
    let room = format!("channel:{}", made.json["channel"]["id"].as_str().expect("an id"));
    let parked = |count: usize| {
        let line = format!("roomkey_parked_sockets {count}\n");
        roomkey_testkit::eventually(&line, || desk.product.server().metrics().contains(&line));
    };
    let connect = |auth: Value| {
        let mut client = Client::open(desk.product.server().address());
        client.text(&format!("40{auth}"));
        loop {
            let packet = client.receive_text();
            if let Some(answer) = packet.strip_prefix("40") {
                return (client, serde_json::from_str::<Value>(answer).expect("JSON"));
            }
        }
    };
    let kick = json!({ "reason": "because of a test", "user": ada.user });
    let everyone = json!({ "reason": "because of a test", "filter": { "all": true }, "confirm": 0 });
    for (path, body) in [(format!("/api/rooms/{room}/kick"), kick), ("/api/disconnect".to_owned(), everyone)]
    {
        let (client, before) = connect(json!({ "token": ada.token }));
        drop(client);
        parked(1);
        desk.act(&root, &path, &body);
        parked(0);
        let (mut client, after) = connect(json!({ "token": ada.token, "pid": before["pid"] }));
        assert_ne!(after["sid"], before["sid"], "{path}");
        client.text("41");
        let is_gone = || desk.see(&root, "/api/connections")["total"] == 0;
        roomkey_testkit::eventually("the socket is gone", is_gone);
    }
}

#[test]
fn m11_many_are_disconnected_only_with_a_reason_and_a_number_and_not_too_often() {
    let (desk, ada, root) = start();
    let bob = desk.product.register("bob");
    let mut of_ada: Vec<_> = (0..3).map(|_| desk.product.connect(&ada.token)).collect();
    let mut of_bob = desk.product.connect(&bob.token);
    let ask = |filter: Value, confirm: Value| {
        let body = json!({ "reason": "because of a test", "filter": filter, "confirm": confirm });
        desk.post(&root, "/api/disconnect", &body)
    };
    let unsaid = desk.post(&root, "/api/disconnect", &json!({ "filter": { "all": true }, "confirm": 4 }));
    assert_eq!(unsaid.refusal(), (422, "REASON_REQUIRED"));
    for confirm in [Value::Null, json!(3), json!(5), json!(0)] {
        let answer = ask(json!({ "all": true }), confirm);
        assert_eq!(answer.refusal(), (422, "CONFIRMATION_REQUIRED"));
        assert_eq!(answer.json["sockets"], 4);
    }
    assert_eq!(ask(json!({ "all": false }), json!(0)).refusal(), (422, "BAD_PAYLOAD"));
    assert_eq!(ask(json!({}), json!(4)).refusal(), (422, "BAD_PAYLOAD"));
    assert_eq!(desk.see(&root, "/api/connections")["total"], 4, "nothing has happened");
    let closed = ask(json!({ "user": ada.user }), json!(3));
    assert_eq!((closed.status, &closed.json["socketsClosed"]), (200, &json!(3)));
    assert!(of_ada.iter_mut().all(is_told_to_go));
    assert_eq!(desk.see(&root, "/api/connections")["total"], 1);
    let elsewhere = ask(json!({ "address": "192.0.2.1" }), json!(0));
    assert_eq!((elsewhere.status, &elsewhere.json["socketsClosed"]), (200, &json!(0)));
    let closed = ask(json!({ "room": format!("user:{}", bob.user) }), json!(1));
    assert_eq!(closed.json["socketsClosed"], 1, "{}", closed.response.body);
    assert!(is_told_to_go(&mut of_bob));
    is_recorded(&desk, &format!("disconnect user {}: 3 sockets", ada.user));
    let refused = (0..10).map(|_| ask(json!({ "all": true }), json!(0))).find(|answer| answer.status != 200);
    let refused = refused.expect("not that often");
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED"));
    assert!(refused.response.header("retry-after").is_some());
    desk.product.clock.advance_secs(60);
    assert_eq!(ask(json!({ "all": true }), json!(0)).status, 200);
}
