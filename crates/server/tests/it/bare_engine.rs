//! A server of bare Engine.IO: what the official test-suite of the protocol expects, and both revisions.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use roomkey::{
    DisconnectReason, ServerBuilder, ServerConfig,
    engine::{Engine, Message, Socket},
};
use roomkey_testkit::{
    Client, HttpClient, Polling, Received, Stopwatch, TestServer, WebSocketClient, eventually,
};

use crate::support::config;

/// Sends every message back as it came.
fn echo() -> Engine {
    Engine::new().on_message(Socket::send)
}

fn start_with(config: ServerConfig, engine: Engine) -> TestServer {
    TestServer::start(ServerBuilder::new(config).engine(engine).bind().expect("a free port"))
}

fn start(engine: Engine) -> TestServer {
    start_with(ServerConfig { allow_eio3: true, ..config() }, engine)
}

#[test]
fn messages_over_a_websocket() {
    let server = start(echo());
    let mut client = Client::open(server.address());
    client.call("4hello", "4hello");
    client.call("4", "4");
    client.call("451-[\"a\"]", "451-[\"a\"]");
    client.binary(&[1, 2, 3]);
    assert_eq!(client.receive(), Received::Binary(vec![1, 2, 3]));
    client.text("bAQID");
    assert_eq!(client.receive(), Received::Binary(vec![1, 2, 3]));
    let long = "x".repeat(999_999);
    client.call(&format!("4{long}"), &format!("4{long}"));
    client.text("abc");
    assert_eq!(client.closed(), None);
}

#[test]
fn messages_over_long_polling() {
    let server = start(echo());
    let mut client = Polling::open(server.address());
    client.post("4test1\u{1e}4test2\u{1e}4é\u{1e}bAQIDBA==\u{1e}b");
    assert_eq!(client.poll(), "4test1\u{1e}4test2\u{1e}4é\u{1e}bAQIDBA==\u{1e}b");
    assert_eq!(client.try_post("abc").status, 400);
    assert!(client.is_gone());
}

#[test]
fn messages_of_revision_3() {
    let server = start(echo());
    let mut client = WebSocketClient::open(server.address(), "/socket.io/?EIO=3&transport=websocket");
    assert!(client.receive_text().starts_with("0{"));
    for packet in ["4hello", "2", "40"] {
        client.text(packet);
        client.expect(if packet == "2" { "3" } else { packet });
    }
    client.binary(&[4, 1, 2, 3]);
    assert_eq!(client.receive(), Received::Binary(vec![4, 1, 2, 3]));

    let mut http = HttpClient::connect(server.address());
    let open = http.fetch("GET", "/socket.io/?EIO=3&transport=polling&b64=1", "").body;
    let sid = open.split('"').nth(3).expect("an id");
    let target = format!("/socket.io/?EIO=3&transport=polling&b64=1&sid={sid}");
    assert_eq!(http.fetch("POST", &target, "6:4hello10:b4AQIDBA==4:4\u{1e}:é").brief(), (200, "ok"));
    assert_eq!(http.fetch("GET", &target, "").body, "6:4hello10:b4AQIDBA==4:4\u{1e}:é");
}

#[test]
fn an_upgrade_loses_nothing() {
    let server = start(echo());
    let mut polling = Polling::open(server.address());
    let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    polling.post("4before\u{1e}bAQID");
    websocket.text("5");
    websocket.expect("4before");
    assert_eq!(websocket.receive(), Received::Binary(vec![1, 2, 3]));
    websocket.text("4after");
    websocket.expect("4after");
    assert_eq!(polling.probe().status, 400);
    let again = WebSocketClient::ask(HttpClient::connect(server.address()), &polling.upgrade_target(), "");
    assert!(again.is_err());
}

/// A client may say nothing for as long as it likes: there is nothing that it must join.
#[test]
fn only_the_heartbeat_ends_a_silent_client() {
    let (interval, timeout) = (Duration::from_millis(300), Duration::from_millis(200));
    let limits = roomkey::Limits { auth_deadline_ms: 100, pre_auth_bytes: 100, ..roomkey::Limits::default() };
    let server = start_with(
        ServerConfig { ping_interval: interval, ping_timeout: timeout, limits, ..config() },
        echo(),
    );
    let watch = Stopwatch::start();
    let mut client = Client::open(server.address());
    let mut polling = Polling::open(server.address());
    assert_eq!(polling.poll(), "2");
    polling.post("3");
    client.expect("2");
    client.text("3");
    client.call(&format!("4{}", "x".repeat(1000)), &format!("4{}", "x".repeat(1000)));
    client.expect("2");
    assert!(watch.elapsed() + Duration::from_millis(2) >= 2 * interval);
    assert_eq!(client.closed(), None);
    assert!(watch.elapsed() + Duration::from_millis(2) >= 2 * interval + timeout);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn the_client_closes() {
    let server = start(echo());
    eventually("a held poll is answered by a noop", || {
        let mut polling = Polling::open(server.address());
        let mut held = polling.hold();
        polling.post("6");
        polling.post("1");
        let answer = held.response();
        assert!(polling.is_gone());
        answer.brief() == (200, "6")
    });
    let mut client = Client::open(server.address());
    client.text("1");
    assert_eq!(client.closed(), None);
}

#[test]
fn the_application_hears_of_everything_in_order() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = |line: String| heard.lock().expect("nobody panics with it").push(line);
    let engine = {
        let [opened, received, closed] = [heard.clone(), heard.clone(), heard.clone()];
        let write = |log: &Mutex<Vec<String>>, line| log.lock().expect("nobody panics with it").push(line);
        Engine::new()
            .on_open(move |socket| {
                write(&opened, format!("open {}", socket.handshake().query("name").unwrap_or_default()));
                socket.send(Message::Text("welcome".to_owned()));
            })
            .on_message(move |socket, message| {
                write(&received, format!("{message:?}"));
                if message == Message::Text("bye".to_owned()) {
                    socket.send(Message::Binary(vec![0].into()));
                    socket.close();
                }
                assert_ne!(message, Message::Text("panic".to_owned()));
            })
            .on_close(move |_, reason: DisconnectReason| write(&closed, reason.as_str().to_owned()))
    };
    let server = start(engine);
    let mut client =
        WebSocketClient::open(server.address(), "/socket.io/?EIO=4&transport=websocket&name=ada");
    assert!(client.receive_text().starts_with("0{"));
    client.expect("4welcome");
    client.text("4panic");
    client.binary(&[7]);
    client.text("4bye");
    assert_eq!(client.receive(), Received::Binary(vec![0]));
    assert_eq!(client.receive(), Received::Close(None));
    eventually("it is over", || server.handle().connection_count() == 0);
    log("end".to_owned());
    let heard = heard.lock().expect("nobody panics with it").clone();
    let expected =
        ["open ada", "Text(\"panic\")", "Binary(b\"\\x07\")", "Text(\"bye\")", "forced close", "end"];
    assert_eq!(heard, expected);
}
