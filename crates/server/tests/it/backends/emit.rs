use roomkey_testkit::{Client, HttpClient, Received};
use serde_json::{Value, json};

use super::channel_of;
use crate::{
    product::{API_KEY, Answer, Call, TestProduct, USERS_KEY},
    support::next,
};

fn emit(product: &TestProduct, body: &Value) -> Answer {
    product.send("POST", "/api/emit", &Call::json(body).key(API_KEY))
}

fn emit_once(product: &TestProduct, name: &str, body: &Value) -> Answer {
    product.send("POST", "/api/emit", &Call::json(body).key(API_KEY).header("Idempotency-Key", name))
}

/// The next packet; who comes and goes is told in a time of its own.
#[track_caller]
fn heard(client: &mut Client) -> String {
    loop {
        let Received::Text(packet) = next(client) else { panic!("no text") };
        if !packet.starts_with(r#"42["presence.update""#) {
            return packet;
        }
    }
}

#[track_caller]
fn hears(client: &mut Client, event: &str) {
    assert_eq!(heard(client), format!("42{event}"));
}

/// Hears of nothing before this answer.
#[track_caller]
fn hears_nothing(client: &mut Client) {
    client.text(r#"421["nonsense"]"#);
    let ack = heard(client);
    assert!(ack.starts_with("431["), "{ack}");
}

#[test]
fn rooms_and_users_hear_it_once_and_others_do_not() {
    let product = TestProduct::start("");
    let (ada, bob, eve) = (product.register("ada"), product.register("bob"), product.register("eve"));
    let channel = channel_of(&product, &ada.token, &[&bob.user]);
    let mut sockets = [&ada, &bob, &eve].map(|login| product.connect(&login.token));
    let [ada_socket, bob_socket, eve_socket] = &mut sockets;
    let room = format!("channel:{channel}");

    let answer =
        emit(&product, &json!({ "to": [room], "event": "order:created", "args": [{ "id": 7 }, "ü"] }));
    assert_eq!((answer.status, answer.json), (200, json!({ "emitted": 1, "repeated": false })));
    hears(ada_socket, r#"["order:created",{"id":7},"ü"]"#);
    hears(bob_socket, r#"["order:created",{"id":7},"ü"]"#);
    hears_nothing(eve_socket);

    let both = json!({ "to": [room], "users": [bob.user, eve.user], "event": "ping", "except": [format!("user:{}", ada.user)] });
    assert_eq!(emit(&product, &both).status, 200);
    hears(bob_socket, r#"["ping"]"#);
    hears(eve_socket, r#"["ping"]"#);
    for socket in &mut sockets {
        hears_nothing(socket);
    }
}

#[test]
fn everyone_hears_it_but_for_the_excepted() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let mut sockets = [&ada, &bob].map(|login| product.connect(&login.token));
    assert_eq!(emit(&product, &json!({ "everyone": true, "event": "closing", "args": [5] })).status, 200);
    for socket in &mut sockets {
        hears(socket, r#"["closing",5]"#);
    }
    let but_bob = json!({ "everyone": true, "event": "x", "except": [format!("user:{}", bob.user)] });
    assert_eq!(emit(&product, &but_bob).status, 200);
    hears(&mut sockets[0], r#"["x"]"#);
    hears_nothing(&mut sockets[1]);
}

#[test]
fn many_at_once_come_in_order_or_not_at_all() {
    let product = TestProduct::start("");
    let ada = product.register("ada");
    let mut socket = product.connect(&ada.token);
    let one = |event: &str| json!({ "users": [ada.user], "event": event });
    let answer = emit(&product, &json!({ "emits": [one("a"), one("b"), one("c")] }));
    assert_eq!(answer.json["emitted"], 3);
    for event in ["a", "b", "c"] {
        hears(&mut socket, &format!(r#"["{event}"]"#));
    }
    let answer = emit(&product, &json!({ "emits": [one("a"), one("message.created")] }));
    assert_eq!(answer.refusal(), (422, "BAD_PAYLOAD"));
    assert!(answer.json["message"].as_str().expect("text").starts_with("emits[1].event: "));
    hears_nothing(&mut socket);
}

#[test]
fn what_is_not_emitted() {
    let product = TestProduct::start("");
    let to = |name: &str, value: Value| {
        let mut body = json!({ "to": ["room:lobby"], "event": "x" });
        body.as_object_mut().expect("an object").insert(name.to_owned(), value);
        body
    };
    let many: Vec<_> = (0..101).map(|index| format!("room:{index}")).collect();
    let emits: Vec<_> = (0..101).map(|_| to("event", json!("x"))).collect();
    let bad = [
        json!({ "event": "x" }),
        json!({ "to": [], "users": [], "event": "x" }),
        json!({ "everyone": false, "event": "x" }),
        to("everyone", json!(true)),
        json!({ "to": ["room:lobby"] }),
        json!([]),
        json!({ "emits": [] }),
        json!({ "emits": emits }),
        json!({ "emits": [], "event": "x" }),
        to("to", json!(many)),
        to("to", json!("room:lobby")),
        to("to", json!(["lobby"])),
        to("to", json!(["", "room:lobby"])),
        to("users", json!(["a\u{0}b"])),
        to("except", json!(["lobby"])),
        to("args", json!({})),
        to("unknown", json!(1)),
        to("event", json!("")),
        to("event", json!("x".repeat(257))),
        to("event", json!("connect")),
        to("event", json!("disconnecting")),
        to("event", json!("newListener")),
        to("event", json!("message.created")),
        to("event", json!("auth:revoked")),
        to("event", json!("roomJoined")),
    ];
    for body in bad {
        assert_eq!(emit(&product, &body).refusal(), (422, "BAD_PAYLOAD"), "{body}");
    }
    let body = to("event", json!("x"));
    let with = |call: Call| product.send("POST", "/api/emit", &call).response.status;
    assert_eq!(with(Call::json(&body)), 401);
    assert_eq!(with(Call::json(&body).token(&product.register("ada").token)), 401);
    assert_eq!(with(Call::json(&body).key(USERS_KEY)), 403);
    assert_eq!(with(Call::json(&body).key(API_KEY)), 200);
}

#[test]
fn a_request_with_a_name_is_done_once() {
    let mut product = TestProduct::start("");
    let ada = product.register("ada");
    let body = json!({ "users": [ada.user], "event": "paid", "args": [{ "a": 1, "b": 2 }] });
    let same = json!({ "event": "paid", "args": [{ "b": 2, "a": 1 }], "users": [ada.user] });
    let other = json!({ "users": [ada.user], "event": "paid", "args": [{ "a": 1, "b": 3 }] });
    let mut socket = product.connect(&ada.token);
    assert_eq!(emit_once(&product, "k1", &body).json["repeated"], false);
    assert_eq!(emit_once(&product, "k1", &same).json, json!({ "emitted": 1, "repeated": true }));
    assert_eq!(emit_once(&product, "k1", &other).refusal(), (409, "CONFLICT"));
    assert_eq!(emit_once(&product, "k2", &body).json["repeated"], false);
    for _ in 0..2 {
        hears(&mut socket, r#"["paid",{"a":1,"b":2}]"#);
    }
    hears_nothing(&mut socket);
    for bad in ["", &"k".repeat(256), "ü"] {
        assert_eq!(emit_once(&product, bad, &body).refusal(), (422, "BAD_PAYLOAD"), "{bad}");
    }

    product.restart();
    assert_eq!(emit_once(&product, "k1", &body).json["repeated"], true, "also after a restart");
    product.clock.advance_secs(24 * 3600);
    assert_eq!(emit_once(&product, "k1", &other).json["repeated"], false, "a day later");
}

/// Whoever hangs up before the answer asks again, and is told that it was done: then it was.
#[test]
fn a_name_is_not_taken_without_the_emission() {
    let product = TestProduct::start("");
    let ada = product.register("ada");
    let mut socket = product.connect(&ada.token);
    for number in 0..20 {
        let body = json!({ "users": [ada.user], "event": "paid", "args": [number] });
        let text = body.to_string();
        let mut http = HttpClient::connect(product.server().address());
        http.send(format!(
            "POST /api/emit HTTP/1.1\r\nHost: x\r\nX-API-Key: {API_KEY}\r\nIdempotency-Key: k{number}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        ));
        drop(http);
        assert_eq!(emit_once(&product, &format!("k{number}"), &body).status, 200);
        hears(&mut socket, &format!(r#"["paid",{number}]"#));
    }
}
