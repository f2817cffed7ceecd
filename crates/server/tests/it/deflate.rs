//! permessage-deflate (RFC 7692), where it is switched on.

use roomkey::{
    Deflate, Limit, Limits, Namespace, ServerBuilder, ServerConfig, Socket,
    engine::{Engine, Socket as EngineSocket},
};
use roomkey_protocol::socket::msgpack;
use roomkey_testkit::{
    Client, HttpClient, Opcode, Polling, Received, TestServer, WebSocketClient, eventually,
};

use crate::{
    limits::counted,
    support::{config, namespace, start, start_with},
};

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

fn deflating(limits: Limits) -> TestServer {
    start(ServerConfig { deflate: Some(Deflate { threshold_bytes: 100 }), limits, ..config() })
}

fn connect(server: &TestServer) -> Client {
    let mut client = Client::open_with(server.address(), OFFER);
    client.join("40");
    client
}

#[track_caller]
fn check_closed(server: &TestServer, bytes: &[u8], code: u16) {
    let mut bystander = connect(server);
    let mut client = connect(server);
    client.send(bytes);
    assert_eq!(client.closed(), Some(code), "{}", bytes[..bytes.len().min(64)].escape_ascii());
    bystander.call("420[\"echo\"]", "430[]");
}

#[test]
fn offers_are_answered() {
    let server = deflating(Limits::default());
    let spaces = " ".repeat(3500);
    for (offers, answer) in [
        ("permessage-deflate; client_max_window_bits", Some(ANSWER)),
        ("permessage-deflate; server_max_window_bits=9, permessage-deflate", Some(ANSWER)),
        ("permessage-deflate; mux\r\nSec-WebSocket-Extensions: permessage-deflate", Some(ANSWER)),
        (&format!("constructor{spaces}, permessage-deflate"), Some(ANSWER)),
        ("constructor, __proto__; toString", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
    ] {
        let mut http = HttpClient::connect(server.address());
        http.send(WebSocketClient::request(
            Client::TARGET,
            &format!("Sec-WebSocket-Extensions: {offers}\r\n"),
        ));
        let response = http.response();
        assert_eq!(response.status, 101, "{offers}");
        assert_eq!(response.header("sec-websocket-extensions").as_deref(), answer, "{offers}");
    }
    let mut http = HttpClient::connect(server.address());
    http.send(WebSocketClient::request(Client::TARGET, "Sec-WebSocket-Extensions: a b\r\n"));
    let refusal = (400, "Invalid or unacceptable Sec-WebSocket-Extensions header");
    assert_eq!(http.response().brief(), refusal);
}

#[test]
fn messages_are_compressed_both_ways() {
    let server = deflating(Limits::default());
    let mut client = connect(&server);
    let before = client.bytes_read();
    let text = "a".repeat(5000);
    client
        .send(WebSocketClient::compressed_frame(Opcode::Text, format!(r#"420["echo","{text}"]"#).as_bytes()));
    client.expect(&format!(r#"430["{text}"]"#));
    assert!(client.bytes_read() - before < 100);

    // What is short is sent as it is; who compresses it nevertheless is understood.
    let before = client.bytes_read();
    client
        .send(WebSocketClient::compressed_frame(Opcode::Text, br#"420["echo","aaaaaaaaaaaaaaaaaaaaaaaa"]"#));
    client.expect(r#"430["aaaaaaaaaaaaaaaaaaaaaaaa"]"#);
    assert_eq!(client.bytes_read() - before, 2 + r#"430["aaaaaaaaaaaaaaaaaaaaaaaa"]"#.len());

    client.text(r#"451-["reply",{"_placeholder":true,"num":0}]"#);
    client.send(WebSocketClient::compressed_frame(Opcode::Binary, &[7; 3000]));
    client.expect(r#"451-["reply",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.receive(), Received::Binary(vec![7; 3000]));
}

#[test]
fn a_broadcast_reaches_those_who_compress_and_those_who_do_not() {
    let server = deflating(Limits::default());
    let address = server.address();
    let mut clients: Vec<_> = (0..3).map(|_| connect(&server)).collect();
    clients.extend((0..2).map(|_| Client::connect(address)));
    let mut polling = Polling::connect(address);
    polling.post(r#"420["join","room"]"#);
    assert_eq!(polling.poll(), "430[true]");
    for client in &mut clients {
        client.call(r#"420["join","room"]"#, "430[true]");
    }
    let before: Vec<_> = clients.iter().map(|client| client.bytes_read()).collect();
    let mut speaker = Client::connect(address);
    let text = "abc".repeat(1000);
    speaker.call(&format!(r#"420["say","room","{text}"]"#), "430[true]");
    let said = format!(r#"42["said","{text}"]"#);
    for client in &mut clients {
        client.expect(&said);
    }
    assert_eq!(polling.poll(), said);
    let lengths: Vec<_> =
        clients.iter().zip(before).map(|(client, before)| client.bytes_read() - before).collect();
    assert_eq!(lengths[3..], [said.len() + 4; 2]);
    assert!(lengths[0] < 100 && lengths[..3] == [lengths[0]; 3], "{lengths:?}");

    // Order holds where one socket has frames of its own between those of the room.
    let long = "x".repeat(200);
    let client = &mut clients[0];
    client.text(&format!(r#"42["say","room","{long}"]"#));
    client.text(&format!(r#"421["echo","{long}"]"#));
    client.text(r#"42["say","room","short"]"#);
    client.expect(&format!(r#"42["said","{long}"]"#));
    client.expect(&format!(r#"431["{long}"]"#));
    client.expect(r#"42["said","short"]"#);
}

#[test]
fn messages_of_bare_engine_io_are_compressed() {
    let config = ServerConfig { deflate: Some(Deflate::default()), ..config() };
    let engine = Engine::new().on_message(EngineSocket::send);
    let server = TestServer::start(ServerBuilder::new(config).engine(engine).bind().expect("a free port"));
    let mut client = Client::open_with(server.address(), OFFER);
    let before = client.bytes_read();
    client.send(WebSocketClient::compressed_frame(Opcode::Binary, &[7; 3000]));
    assert_eq!(client.receive(), Received::Binary(vec![7; 3000]));
    client.call(&format!("4{}", "a".repeat(3000)), &format!("4{}", "a".repeat(3000)));
    assert!(client.bytes_read() - before < 200);
}

#[test]
fn packets_in_msgpack_are_compressed() {
    let config = ServerConfig { deflate: Some(Deflate::default()), msgpack: true, ..config() };
    let server = start(config);
    let mut client = Client::open_with(server.address(), OFFER);
    let packed = |text: &str| msgpack::encode(text, &[]).expect("a packet");
    client.binary(&packed("40"));
    assert!(matches!(client.receive(), Received::Binary(_)));
    let before = client.bytes_read();
    let text = "a".repeat(5000);
    let event = packed(&format!(r#"427["echo","{text}"]"#));
    client.send(WebSocketClient::compressed_frame(Opcode::Binary, &event));
    assert_eq!(client.receive(), Received::Binary(packed(&format!(r#"437["{text}"]"#))));
    assert!(client.bytes_read() - before < 200);
    client.binary(&packed(r#"428["echo"]"#));
    assert_eq!(client.receive(), Received::Binary(packed("438[]")));
}

#[test]
fn a_session_is_upgraded_to_a_compressed_websocket() {
    let server = deflating(Limits::default());
    let polling = Polling::connect(server.address());
    let http = HttpClient::connect(server.address());
    let mut websocket = WebSocketClient::ask(http, &polling.upgrade_target(), OFFER).expect("a WebSocket");
    websocket.send(WebSocketClient::frame(Opcode::Text, b"2probe"));
    websocket.expect("3probe");
    websocket.text("5");
    let before = websocket.bytes_read();
    let text = "a".repeat(5000);
    websocket
        .send(WebSocketClient::compressed_frame(Opcode::Text, format!(r#"420["echo","{text}"]"#).as_bytes()));
    websocket.expect(&format!(r#"430["{text}"]"#));
    assert!(websocket.bytes_read() - before < 100);
}

/// The request comes through the HTTP server where the connection was used before.
#[test]
fn a_connection_that_was_used_before_may_compress() {
    let server = deflating(Limits::default());
    let mut http = HttpClient::connect(server.address());
    assert_eq!(http.fetch("GET", "/nothing", "").status, 404);
    let mut websocket = WebSocketClient::ask(http, Client::TARGET, OFFER).expect("a WebSocket");
    assert!(websocket.receive_text().starts_with("0{"));
    websocket.send(WebSocketClient::compressed_frame(
        Opcode::Text,
        br#"40{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
    ));
    assert!(websocket.receive_text().starts_with("40{"));
}

#[test]
fn what_was_not_negotiated_is_1002() {
    let frame = WebSocketClient::compressed_frame(Opcode::Text, &[b'6'; 100]);
    for (server, headers) in [
        (start(config()), ""),
        (start(config()), OFFER),
        (deflating(Limits::default()), ""),
        (deflating(Limits::default()), "Sec-WebSocket-Extensions: permessage-deflate; mux\r\n"),
    ] {
        let mut client = Client::open_with(server.address(), headers);
        client.join("40");
        client.send(&frame);
        assert_eq!(client.closed(), Some(1002), "{headers}");
    }
    let server = deflating(Limits::default());
    let mut continued = WebSocketClient::frame(Opcode::Text, b"42[");
    continued[0] = 0x01;
    let mut rest = WebSocketClient::frame(Opcode::Continuation, b"\"echo\"]");
    rest[0] |= 0x40;
    continued.extend(rest);
    check_closed(&server, &continued, 1002);
    for first in [0xc8, 0xc9, 0xca, 0xa1, 0x91] {
        let mut frame = WebSocketClient::frame(Opcode::Text, b"");
        frame[0] = first;
        check_closed(&server, &frame, 1002);
    }
}

#[test]
fn what_is_not_deflate_is_1007() {
    let server = deflating(Limits::default());
    for payload in [&b"\xff\xff"[..], b"", b"\x01"] {
        let mut frame = WebSocketClient::frame(Opcode::Text, payload);
        frame[0] |= 0x40;
        check_closed(&server, &frame, 1007);
    }
    let not_text = WebSocketClient::compressed_frame(Opcode::Text, &[0xff; 100]);
    check_closed(&server, &not_text, 1007);
}

#[test]
fn a_bomb_is_1009() {
    let server = deflating(Limits { message_bytes: 50_000, pre_auth_bytes: 1000, ..Limits::default() });
    let bomb = WebSocketClient::compressed_frame(Opcode::Text, &vec![b'6'; 10_000_000]);
    assert!(bomb.len() < 50_000);
    check_closed(&server, &bomb, 1009);
    let by_one = format!(r#"42["echo","{}"]"#, "a".repeat(50_001 - r#"42["echo",""]"#.len()));
    check_closed(&server, &WebSocketClient::compressed_frame(Opcode::Text, by_one.as_bytes()), 1009);

    // Whoever is not known yet may send a little only, compressed or not.
    let mut stranger = Client::open_with(server.address(), OFFER);
    stranger.send(WebSocketClient::compressed_frame(Opcode::Text, &[b'6'; 1001]));
    assert_eq!(stranger.closed(), Some(1009));
}

/// A few bytes may become a great many messages; they are made one by one, as there is room for them.
#[test]
fn what_is_compressed_waits_as_it_came() {
    const EVENTS: usize = 64;
    let (release, released) = tokio::sync::watch::channel(false);
    let main = namespace(Namespace::open()).on("wait", move |_: Socket, (_,): (String,)| {
        let mut released = released.clone();
        async move {
            released.wait_for(|released| *released).await.expect("the test releases");
        }
    });
    let limits = Limits { message_bytes: 20_000, events_in_flight_per_socket: 1, ..Limits::default() };
    let deflate = Some(Deflate { threshold_bytes: 100 });
    let server = start_with(ServerConfig { deflate, limits, ..config() }, main);
    let mut client = connect(&server);
    let text = "a".repeat(9000);
    let event = |id: usize| {
        let event = format!(r#"42{id}["wait","{text}"]"#);
        WebSocketClient::compressed_frame(Opcode::Text, event.as_bytes())
    };
    client.send((0..EVENTS).map(event).collect::<Vec<_>>().concat());
    let waiting = || counted(&server).into_iter().find(|(name, _)| name == Limit::EventsWaiting.name());
    eventually("as much waits as may", || waiting().is_some());
    assert_eq!(waiting().map(|(_, count)| count), Some(1));
    release.send_replace(true);
    for id in 0..EVENTS {
        client.expect(&format!("43{id}[]"));
    }
}
