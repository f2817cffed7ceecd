//! What a client may use up before anybody knows who it is.

use roomkey::Limits;
use roomkey_testkit::{Client, HttpClient, Opcode, Polling, WebSocketClient, eventually};

use crate::support::{config_with, start};

fn limits() -> Limits {
    Limits { pre_auth_bytes: 2000, unauthenticated_sessions_per_address: 5, ..Limits::default() }
}

#[test]
fn too_many_bytes_are_1009() {
    let server = start(config_with(limits()));
    let mut one_message = Client::open(server.address());
    one_message.text(&format!(r#"40{{"a":"{}"}}"#, "x".repeat(2000)));
    assert_eq!(one_message.closed(), Some(1009));
    let mut many = Client::open(server.address());
    for _ in 0..2000 {
        many.text("6");
    }
    many.text("6");
    assert_eq!(many.closed(), Some(1009));
    let mut header_only = Client::open(server.address());
    header_only.send(&WebSocketClient::frame(Opcode::Text, &[b'4'; 2001])[..8]);
    assert_eq!(header_only.closed(), Some(1009), "before the message is there");
}

#[test]
fn binary_data_is_1009() {
    let server = start(config_with(limits()));
    let mut client = Client::open(server.address());
    client.binary(&[1]);
    assert_eq!(client.closed(), Some(1009));
    let mut client = Client::open(server.address());
    client.text(r#"451-["m",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.closed(), None, "nothing is buffered for a stranger");
}

#[test]
fn the_same_budget_holds_for_long_polling() {
    let server = start(config_with(limits()));
    let mut client = Polling::open(server.address());
    for _ in 0..3 {
        client.post(&["6"; 600].join("\u{1e}"));
    }
    client.post(&["6"; 600].join("\u{1e}"));
    assert_eq!(client.poll(), "1");
    assert!(client.is_gone());
    let mut client = Polling::open(server.address());
    assert_eq!(client.try_post(&"4".repeat(500_000)).status, 413, "more than a stranger may send");
    eventually("the session is gone", || client.is_gone());
    let mut client = Polling::open(server.address());
    client.post("bAQ==");
    assert_eq!(client.poll(), "1");
}

#[test]
fn the_budget_is_over_once_a_client_is_known() {
    let server = start(config_with(limits()));
    let text = "x".repeat(100_000);
    let (event, ack) = (format!("420[\"echo\",\"{text}\"]"), format!("430[\"{text}\"]"));
    let mut client = Client::connect(server.address());
    client.call(&event, &ack);
    client.call(&event, &ack);
    let mut polling = Polling::connect(server.address());
    polling.post(&event);
    assert_eq!(polling.poll(), ack);
    let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    websocket.text("5");
    websocket.text(&event);
    websocket.expect(&ack);
}

#[test]
fn strangers_of_one_address_are_counted() {
    let server = start(config_with(limits()));
    let known = Client::connect(server.address());
    let mut strangers: Vec<_> = (0..5).map(|_| Client::open(server.address())).collect();
    let mut http = HttpClient::connect(server.address());
    let response = http.fetch("GET", "/socket.io/?EIO=4&transport=polling", "");
    assert_eq!(response.brief(), (503, ""));
    assert_eq!(response.header("retry-after").as_deref(), Some("1"));
    let refused = WebSocketClient::ask(HttpClient::connect(server.address()), Client::TARGET, "");
    assert_eq!(refused.expect_err("there are too many").status, 503);
    strangers[0].join("40");
    drop(Client::connect(server.address()));
    strangers.truncate(1);
    eventually("those that went made room", || server.handle().connection_count() == 2);
    drop(known);
}
