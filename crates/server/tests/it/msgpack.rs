//! Clients that write their packets as msgpack, beside those that do not.

use std::borrow::Cow;

use bytes::Bytes;
use roomkey::{Limits, Namespace, ServerConfig};
use roomkey_protocol::{engine, socket::msgpack};
use roomkey_testkit::{Client, Polling, Received, TestServer};

use crate::support::{config, namespace, start, start_with};

fn both() -> ServerConfig {
    ServerConfig { msgpack: true, ..config() }
}

fn packed(text: &str, attachments: &[&'static [u8]]) -> Vec<u8> {
    let attachments: Vec<_> = attachments.iter().copied().map(Bytes::from_static).collect();
    msgpack::encode(text, &attachments).expect("a packet")
}

fn send(client: &mut Client, text: &str) {
    client.binary(&packed(text, &[]));
}

#[track_caller]
fn expect(client: &mut Client, text: &str, attachments: &[&'static [u8]]) {
    assert_eq!(client.receive(), Received::Binary(packed(text, attachments)), "{text}");
}

/// The CONNECT answer, whose id nobody can know.
#[track_caller]
fn joined(message: &[u8]) {
    let packet = msgpack::decode(message, 0, 1000).expect("a packet");
    let roomkey_protocol::socket::Packet::Connect { auth: Some(auth), .. } = packet else {
        panic!("{packet:?}")
    };
    assert!(auth.starts_with(r#"{"sid":""#), "{auth}");
}

fn connect(server: &TestServer) -> Client {
    let mut client = Client::open(server.address());
    send(&mut client, "40");
    match client.receive() {
        Received::Binary(message) => joined(&message),
        other => panic!("{other:?}"),
    }
    client
}

const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;

#[test]
fn over_a_websocket() {
    let server = start(both());
    let mut client = connect(&server);
    send(&mut client, r#"427["echo",1,"é",{"a":[null,true,1.5]}]"#);
    expect(&mut client, r#"437[1,"é",{"a":[null,true,1.5]}]"#, &[]);
    client.binary(&packed(&format!(r#"451-["reply",{PLACEHOLDER}]"#), &[&[1, 2, 3]]));
    expect(&mut client, &format!(r#"451-["reply",{PLACEHOLDER}]"#), &[&[1, 2, 3]]);
    send(&mut client, "40/nothing,");
    expect(&mut client, r#"44/nothing,{"message":"Invalid namespace"}"#, &[]);
    client.text("42[\"echo\"]");
    assert_eq!(client.closed(), None);
}

#[test]
fn over_long_polling_and_through_an_upgrade() {
    let server = start(both());
    let mut client = Polling::open(server.address());
    let base64 = |text: &str| {
        let mut packet = String::new();
        engine::Packet::Binary(Cow::Owned(packed(text, &[]))).encode(&mut packet);
        packet
    };
    client.post(&base64("40"));
    match engine::Packet::decode(&client.poll()) {
        Ok(engine::Packet::Binary(message)) => joined(&message),
        other => panic!("{other:?}"),
    }
    client.post(&base64(r#"427["echo","a"]"#));
    assert_eq!(client.poll(), base64(r#"437["a"]"#));
    let mut websocket = roomkey_testkit::WebSocketClient::open(server.address(), &client.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    client.post(&base64(r#"428["echo","b"]"#));
    websocket.text("5");
    assert_eq!(websocket.receive(), Received::Binary(packed(r#"438["b"]"#, &[])));
}

#[test]
fn both_kinds_share_rooms() {
    let server = start(both());
    let mut packed_client = connect(&server);
    let mut client = Client::connect(server.address());
    send(&mut packed_client, r#"420["join","a"]"#);
    expect(&mut packed_client, "430[true]", &[]);
    client.call(r#"420["join","a"]"#, "430[true]");
    client.text(r#"42["say","a","hello"]"#);
    client.expect(r#"42["said","hello"]"#);
    expect(&mut packed_client, r#"42["said","hello"]"#, &[]);
    send(&mut packed_client, r#"42["say","a","back"]"#);
    client.expect(r#"42["said","back"]"#);
    expect(&mut packed_client, r#"42["said","back"]"#, &[]);
}

#[test]
fn pings_are_engine_packets() {
    let interval = std::time::Duration::from_millis(100);
    let server = start(ServerConfig { ping_interval: interval, ..both() });
    let mut client = connect(&server);
    client.expect("2");
    client.text("3");
    client.expect("2");
}

#[test]
fn only_where_it_is_allowed() {
    let server = start(config());
    let mut client = Client::open(server.address());
    send(&mut client, "40");
    assert_eq!(client.closed(), Some(1009), "nothing binary before a namespace is joined");
}

#[test]
fn invalid_input_ends_the_connection() {
    let server = start(both());
    for message in [
        &b""[..],
        b"\xc1",
        b"\xdf\xff\xff\xff\xff",
        b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd\xff\xff\xff\xff",
        b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1m\xdb\xff\xff\xff\xff\x00",
        b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1m\xd8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        &[&b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data"[..], &[0x91; 10_000], b"\xc0"].concat(),
    ] {
        let mut client = connect(&server);
        client.binary(message);
        assert_eq!(client.closed(), None, "{message:?}");
        let mut client = Client::open(server.address());
        client.binary(message);
        assert_eq!(client.closed(), None, "{message:?}");
    }
    let mut other = connect(&server);
    send(&mut other, r#"420["echo"]"#);
    expect(&mut other, "430[]", &[]);
}

#[test]
fn the_budget_before_authentication_holds() {
    let limits = Limits { pre_auth_bytes: 500, ..Limits::default() };
    let main = Namespace::open().middleware(async |_: roomkey::Socket| Err(roomkey::Failure::forbidden()));
    let server = start_with(ServerConfig { limits, ..both() }, namespace(main));
    let mut client = Client::open(server.address());
    send(&mut client, &format!(r#"40{{"token":"{}"}}"#, "x".repeat(200)));
    assert!(matches!(client.receive(), Received::Binary(_)), "a refusal");
    send(&mut client, &format!(r#"40{{"token":"{}"}}"#, "x".repeat(300)));
    assert_eq!(client.closed(), Some(1009));
}
