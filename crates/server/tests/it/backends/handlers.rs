use std::{net::TcpListener, thread};

use roomkey_testkit::Endpoint;
use serde_json::{Value, json};

use super::{Request, SECRET, ask};
use crate::product::TestProduct;

fn handler(port: u16, more: &str) -> String {
    format!(
        "[[handlers]]\nevents = [\"order:*\"]\n\
         url = \"http://127.0.0.1:{port}/events\"\nsecret = \"{SECRET}\"\n\
         allow_private = true\n{more}\n"
    )
}

#[test]
fn the_answer_of_the_backend_is_the_ack() {
    let backend = Endpoint::start(Endpoint::ok("", r#"{"id": 7, "rows": [1.50]}"#));
    let product = TestProduct::start(&handler(backend.port(), ""));
    let ada = product.register("ada");
    let ack = ask(&product, &ada, &json!(["order:create", { "sku": "ü-1" }, 2]));
    assert_eq!(ack, json!({ "data": { "id": 7, "rows": [1.5] } }));
    let requests = backend.requests();
    let request = Request::new(&requests[0]);
    request.assert_signed();
    assert!(request.head.starts_with("POST /events HTTP/1.1"), "{}", request.head);
    let question = request.json();
    assert_eq!(question["type"], "order:create");
    assert_eq!(question["data"]["args"], json!([{ "sku": "ü-1" }, 2]));
    assert_eq!(question["data"]["user"]["id"], *ada.user);
    let token = &ada.token;
    assert!(!requests[0].contains(token.as_str()), "the backend gets no token that it could use");
}

#[test]
fn a_refusal_and_failures_have_codes() {
    let backend = Endpoint::start("");
    let product = TestProduct::start(&handler(backend.port(), ""));
    let ada = product.register("ada");
    let answers: [(&[u8], &str, &str); 4] = [
        (
            b"HTTP/1.1 409 X\r\nContent-Length: 20\r\n\r\n{\"error\":\"no stock\"}",
            "BACKEND_REFUSED",
            "no stock",
        ),
        (b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", "BACKEND_FAILED", "The backend for this failed"),
        (
            b"HTTP/1.1 200 X\r\nContent-Length: 6\r\n\r\n<html>",
            "BACKEND_FAILED",
            "The backend for this failed",
        ),
        (b"", "BACKEND_FAILED", "The backend for this failed"),
    ];
    for (answer, code, error) in answers {
        backend.answer(answer);
        let ack = ask(&product, &ada, &json!(["order:create"]));
        assert_eq!((&ack["code"], &ack["error"]), (&json!(code), &json!(error)), "{ack}");
    }
    assert!(product.server().metrics().contains("roomkey_backend_failures_total 3\n"));
}

/// M15: a backend that answers nothing in time has allowed nothing.
#[test]
fn m15_a_backend_that_is_silent_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let product = TestProduct::start(&handler(port, "timeout_ms = 50"));
    let ada = product.register("ada");
    let ack = ask(&product, &ada, &json!(["order:create"]));
    assert_eq!((&ack["code"], &ack["retry"]), (&json!("BACKEND_TIMEOUT"), &json!("after")));
    drop(silent);
}

#[test]
fn what_is_not_a_backends_to_answer() {
    let backend = Endpoint::start(Endpoint::ok("", "1"));
    let all = handler(backend.port(), "").replace("order:*", "*");
    let product = TestProduct::start(&all);
    let ada = product.register("ada");
    let code = |event: Value| ask(&product, &ada, &event)["code"].clone();
    for event in ["message.created", "auth:revoked", "roomJoined", "error"] {
        assert_eq!(code(json!([event, {}])), "NOT_FOUND", "{event}");
    }
    assert_eq!(code(json!(["sendMessage", {}])), "BAD_PAYLOAD", "the chat's own events stay the chat's");
    assert_eq!(backend.count(), 0);
    assert_eq!(ask(&product, &ada, &json!(["anything"])), json!({ "data": 1 }));

    let other = Endpoint::start(Endpoint::ok("", "1"));
    let product = TestProduct::start(&handler(other.port(), ""));
    let ada = product.register("ada");
    assert_eq!(ask(&product, &ada, &json!(["orders"]))["code"], "NOT_FOUND");
}

#[test]
fn only_so_many_wait_for_a_backend() {
    let slow = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = slow.local_addr().expect("an address").port();
    let config = format!("{}[limits]\nbackend_requests = 1\n", handler(port, ""));
    let product = TestProduct::start(&config);
    let ada = product.register("ada");
    thread::scope(|scope| {
        let first = scope.spawn(|| ask(&product, &ada, &json!(["order:one"])));
        let (mut stream, _) = slow.accept().expect("a question");
        let ack = ask(&product, &ada, &json!(["order:two"]));
        assert_eq!((&ack["code"], &ack["retry"]), (&json!("UNAVAILABLE"), &json!("after")));
        Endpoint::read_request(&mut stream).expect("a request");
        std::io::Write::write_all(&mut stream, &Endpoint::ok("", "1")).expect("answered");
        assert_eq!(first.join().expect("no panic"), json!({ "data": 1 }));
    });
    assert!(product.server().metrics().contains(r#"limit="backend_requests""#));
}

/// One user cannot take all the room.
#[test]
fn of_one_user_only_so_many_wait_for_a_backend() {
    let slow = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = slow.local_addr().expect("an address").port();
    let config = format!("{}[limits]\nbackend_requests_per_user = 1\n", handler(port, ""));
    let product = TestProduct::start(&config);
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    thread::scope(|scope| {
        let answer = |stream: &mut std::net::TcpStream| {
            Endpoint::read_request(stream).expect("a request");
            std::io::Write::write_all(stream, &Endpoint::ok("", "1")).expect("answered");
        };
        let of_ada = scope.spawn(|| ask(&product, &ada, &json!(["order:one"])));
        let (mut first, _) = slow.accept().expect("a question");
        assert_eq!(ask(&product, &ada, &json!(["order:two"]))["code"], "UNAVAILABLE");
        let of_bob = scope.spawn(|| ask(&product, &bob, &json!(["order:three"])));
        let (mut second, _) = slow.accept().expect("a question");
        answer(&mut second);
        answer(&mut first);
        for answered in [of_ada, of_bob] {
            assert_eq!(answered.join().expect("no panic"), json!({ "data": 1 }));
        }
    });
    assert!(product.server().metrics().contains(r#"limit="backend_requests_per_user""#));
}
