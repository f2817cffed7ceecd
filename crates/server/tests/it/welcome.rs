//! Nothing that a socket is sent comes before its client is told that it is in, and nothing of it is lost.

use roomkey::{Failure, Namespace, Recovery, RoomName, ServerBuilder, ServerConfig, Socket};
use roomkey_testkit::{Client, Polling, Received, TestServer, WebSocketClient};
use tokio::sync::watch;

use crate::support::{config, namespace, with_everything};

const OLD: &str = "/socket.io/?EIO=3&transport=websocket";
const FORBIDDEN: &str = r#"{"message":"Not allowed","data":{"code":"FORBIDDEN","retry":"never"}}"#;

/// What the middleware of `/` waits for, and what it says then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Decision {
    Pending,
    In,
    Out,
}

/// Middleware that joins the room `a`, emits to it and to the socket itself, and waits for a decision. The namespace `/b`
/// lets everybody in.
fn deciding(config: ServerConfig) -> (TestServer, watch::Sender<Decision>) {
    let (decide, decided) = watch::channel(Decision::Pending);
    let main = namespace(Namespace::open())
        .middleware(move |socket: Socket| {
            let mut decided = decided.clone();
            async move {
                socket.emit("early", &(1,)).expect("encodes");
                socket.join(&room()).expect("room for one");
                socket.in_room(&room()).emit("early", &(2,)).expect("encodes");
                socket.emit("early", &(3,)).expect("encodes");
                let decision = *decided.wait_for(|now| *now != Decision::Pending).await.expect("it is told");
                if decision == Decision::In { Ok(()) } else { Err(Failure::forbidden()) }
            }
        })
        .on_connect(async |socket: Socket| socket.emit("connected", &()).expect("encodes"));
    let builder = ServerBuilder::new(config).namespace("/", main);
    let builder = builder.namespace("/b", namespace(Namespace::open()));
    (TestServer::start(builder.bind().expect("a free port")), decide)
}

fn room() -> RoomName {
    RoomName::new("a").expect("a good name")
}

/// From another thread than the sockets'.
fn say(server: &TestServer, text: &str) {
    server.handle().to("/", &room()).emit("said", &(text,)).expect("encodes");
}

/// Waits until all that was emitted before has taken effect, and all that was sent has been received.
fn synchronize(client: &mut WebSocketClient) {
    client.send(WebSocketClient::frame(roomkey_testkit::Opcode::Ping, b""));
    assert_eq!(client.receive(), Received::Pong(Vec::new()), "and nothing else");
}

/// An event without the offset that it has where clients may recover.
fn event(packet: &str) -> String {
    let start = packet.find('[').unwrap_or_else(|| panic!("{packet}"));
    let mut event: Vec<serde_json::Value> = serde_json::from_str(&packet[start..]).expect("JSON");
    if event.len() > 2 || event[0] == "connected" && event.len() > 1 {
        event.pop();
    }
    serde_json::Value::from(event).to_string()
}

const EVENTS: [&str; 6] = [
    r#"["early",1]"#,
    r#"["early",2]"#,
    r#"["early",3]"#,
    r#"["said","one"]"#,
    r#"["said","two"]"#,
    r#"["connected"]"#,
];

#[test]
fn what_is_emitted_meanwhile_comes_right_behind_the_answer() {
    for config in [config(), ServerConfig { recovery: Some(Recovery::default()), ..config() }] {
        let (server, decide) = deciding(config);
        let mut client = Client::open(server.address());
        client.text("40");
        synchronize(&mut client);
        say(&server, "one");
        synchronize(&mut client);
        say(&server, "two");
        decide.send_replace(Decision::In);
        let answer = client.receive_text();
        assert!(answer.starts_with(r#"40{"sid":""#), "{answer}");
        for expected in EVENTS {
            assert_eq!(event(&client.receive_text()), expected);
        }
        say(&server, "three");
        assert_eq!(event(&client.receive_text()), r#"["said","three"]"#);
    }
}

#[test]
fn also_over_polling() {
    let (server, decide) = deciding(config());
    let mut client = Polling::open(server.address());
    client.post("40\u{1e}40/b");
    let answer = client.poll();
    assert!(answer.starts_with("40/b,"), "{answer}");
    say(&server, "one");
    say(&server, "two");
    client.post("42/b,0[\"echo\"]");
    assert_eq!(client.poll(), "43/b,0[]", "and nothing else");
    decide.send_replace(Decision::In);
    let mut packets = Vec::new();
    while packets.len() < 1 + EVENTS.len() {
        packets.extend(client.poll().split('\u{1e}').map(str::to_owned));
    }
    assert!(packets[0].starts_with("40{"), "{packets:?}");
    let events: Vec<_> = packets[1..].iter().map(|packet| event(packet)).collect();
    assert_eq!(events, EVENTS);
}

/// A client of revision 3 asks for the main namespace by opening the session.
#[test]
fn also_for_old_clients() {
    let (server, decide) = deciding(with_everything(config()));
    let mut client = WebSocketClient::open(server.address(), OLD);
    assert!(client.receive_text().starts_with("0{"));
    synchronize(&mut client);
    say(&server, "one");
    say(&server, "two");
    decide.send_replace(Decision::In);
    client.expect("40");
    for expected in EVENTS {
        assert_eq!(event(&client.receive_text()), expected);
    }
}

/// The other sockets of a connection wait for nothing.
#[test]
fn each_namespace_has_its_own() {
    let (server, decide) = deciding(config());
    let mut client = Client::open(server.address());
    client.text("40");
    client.text("40/b");
    assert!(client.receive_text().starts_with("40/b,"));
    client.text("42/b,0[\"join\",\"a\"]");
    client.expect("43/b,0[true]");
    say(&server, "one");
    server.handle().to("/b", &room()).emit("said", &("elsewhere",)).expect("encodes");
    client.expect("42/b,[\"said\",\"elsewhere\"]");
    say(&server, "two");
    decide.send_replace(Decision::In);
    assert!(client.receive_text().starts_with("40{"));
    for expected in EVENTS {
        client.expect(&format!("42{expected}"));
    }
}

#[test]
fn who_is_refused_hears_nothing_but_that() {
    let (server, decide) = deciding(config());
    let mut client = Client::open(server.address());
    client.text("40/b");
    assert!(client.receive_text().starts_with("40/b,"));
    client.text("40");
    synchronize(&mut client);
    say(&server, "one");
    decide.send_replace(Decision::Out);
    client.expect(&format!("44{FORBIDDEN}"));
    say(&server, "two");
    client.call("42/b,0[\"echo\"]", "43/b,0[]");
    // The next one begins with nothing.
    decide.send_replace(Decision::In);
    client.text("40");
    assert!(client.receive_text().starts_with("40{"));
    for expected in EVENTS.iter().filter(|expected| !expected.contains("said")) {
        client.expect(&format!("42{expected}"));
    }
}
