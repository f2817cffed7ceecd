//! A backend is asked whether the users of live sockets are still to be served (L26).

use std::time::Duration;

use roomkey_testkit::{Client, Endpoint, Received};
use serde_json::{Value, json};

use crate::{
    product::{Login, TestProduct},
    support::next,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Asks every second.
fn start(backend: &Endpoint) -> TestProduct {
    let url = format!("http://127.0.0.1:{}/users", backend.port());
    TestProduct::start(&format!(
        "[auth.revalidation]\nurl = \"{url}\"\nsecret = \"{SECRET}\"\ninterval_s = 1\nallow_private = true\n"
    ))
}

fn inactive(users: &[&str]) -> Vec<u8> {
    Endpoint::ok("", json!({ "inactive": users }).to_string())
}

fn failures(product: &TestProduct) -> u64 {
    let metrics = product.server().metrics();
    let count = metrics.lines().find_map(|line| line.strip_prefix("roomkey_revalidation_failures_total "));
    count.and_then(|count| count.parse().ok()).expect("a counter")
}

/// Waits for something that comes with one of the next rounds.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it never came");
}

#[track_caller]
fn is_served(client: &mut Client) {
    client.text(r#"421["nonsense"]"#);
    let Received::Text(ack) = next(client) else { panic!("no ack") };
    assert!(ack.starts_with("431["), "{ack}");
}

#[track_caller]
fn is_put_out(client: &mut Client, login: &Login) {
    let Received::Text(event) = next(client) else { panic!("no event of {}", login.user) };
    let event: Value = serde_json::from_str(event.strip_prefix("42").expect("an event")).expect("JSON");
    assert_eq!(event[0], "auth:revoked");
    assert_eq!(event[1]["code"], "TOKEN_REVOKED");
    assert_eq!(next(client), Received::Text("41".to_owned()));
}

#[test]
fn l26_who_is_gone_is_put_out_at_the_next_round() {
    let backend = Endpoint::start(inactive(&[]));
    let product = start(&backend);
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let mut ada_socket = product.connect(&ada.token);
    let (mut phone, mut laptop) = (product.connect(&bob.token), product.connect(&bob.token));
    backend.forget();
    until(|| {
        let requests = backend.requests();
        [&ada.user, &bob.user]
            .iter()
            .all(|user| requests.iter().any(|request| request.contains(user.as_str())))
    });
    is_served(&mut phone);
    // Of those who were not asked about nothing is believed.
    backend.answer(inactive(&[&bob.user, "somebody else"]));
    is_put_out(&mut phone, &bob);
    is_put_out(&mut laptop, &bob);
    is_served(&mut ada_socket);
    assert_eq!(product.refresh(&bob.refresh_token).status, 401);
    assert!(product.audited("authn_token_revoked"));
    assert_eq!(failures(&product), 0);
}

#[test]
fn l26_the_question_is_signed_and_has_no_token() {
    let backend = Endpoint::start(inactive(&[]));
    let product = start(&backend);
    let ada = product.register("ada");
    let _socket = product.connect(&ada.token);
    until(|| backend.count() > 0);
    let request = backend.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
    for header in ["webhook-id: ", "webhook-timestamp: ", "webhook-signature: v1,"] {
        assert!(head.contains(header), "{head}");
    }
    let user = json!({ "user": ada.user, "issuer": "roomkey", "subject": ada.user });
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON"), json!({ "users": [user] }));
}

#[test]
fn l26_without_an_answer_everybody_stays() {
    let backend = Endpoint::start(inactive(&[]));
    let product = start(&backend);
    let ada = product.register("ada");
    let mut socket = product.connect(&ada.token);
    let all: &[&[u8]] = &[
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"",
    ];
    for answer in all {
        let before = failures(&product);
        backend.answer(*answer);
        until(|| failures(&product) > before);
        is_served(&mut socket);
    }
    backend.answer(inactive(&[&ada.user]));
    is_put_out(&mut socket, &ada);
}
