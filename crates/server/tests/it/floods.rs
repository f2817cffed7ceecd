//! The same again and again: it costs its sender some connections, and nobody else anything.

use std::time::Duration;

use roomkey::{Limits, Namespace, RoomName, ServerConfig, Socket};
use roomkey_testkit::{Client, HttpClient, Opcode, Polling, WebSocketClient, eventually};

use crate::{
    contained::contained,
    support::{config, config_with, namespace, start, start_with, with_everything},
};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const UNKNOWN: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);

/// A server on which clients that say nothing are gone soon, and one address may open many sessions.
fn quick() -> ServerConfig {
    let limits = Limits { unauthenticated_sessions_per_address: 20_000, ..Limits::default() };
    let (ping_interval, ping_timeout) = (Duration::from_millis(400), Duration::from_millis(600));
    ServerConfig { ping_interval, ping_timeout, ..with_everything(config_with(limits)) }
}

/// Opens a session on this connection, and gives the target of its requests.
fn open(http: &mut HttpClient) -> String {
    let response = http.fetch("GET", HANDSHAKE, "");
    assert_eq!(response.status, 200, "{response:?}");
    format!("{HANDSHAKE}&sid={}", &response.body[9..36])
}

/// CVE-2026-59725: answered to the end, so that the connection can be used again, and nothing is left.
#[test]
fn a_thousand_octet_streams() {
    let server = start(quick());
    contained(&server, || {
        let mut http = HttpClient::connect(server.address());
        for _ in 0..1000 {
            let target = open(&mut http);
            http.request("POST", &target, "Content-Type: application/octet-stream\r\n", "42[\"a\"]");
            assert_eq!(http.response().brief(), (400, ""));
        }
        let target = open(&mut http);
        assert_eq!(http.fetch("GET", &target, "").brief(), (200, "2"), "a session in order");
    });
}

#[test]
fn ten_thousand_sessions_that_nobody_polls() {
    let server = start(quick());
    contained(&server, || {
        let mut http = HttpClient::connect(server.address());
        for _ in 0..10_000 {
            open(&mut http);
        }
    });
}

#[test]
fn a_thousand_guessed_session_ids() {
    let server = start(config());
    contained(&server, || {
        let mut http = HttpClient::connect(server.address());
        for guess in 0..1000 {
            let target = format!("{HANDSHAKE}&sid={guess:0>27}");
            assert_eq!(http.fetch("GET", &target, "").brief(), UNKNOWN);
        }
    });
}

/// A connection's requests are answered one after another: the second poll is not even looked at while the first is
/// held, and what the client sends beyond that stays with its kernel.
#[test]
fn a_thousand_pipelined_polls() {
    let server = start(quick());
    contained(&server, || {
        let mut client = Polling::connect(server.address());
        let mut pipeline = HttpClient::connect(server.address());
        pipeline.send(format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", client.target()).repeat(1000));
        for number in 0..3 {
            client.post(&format!("42[\"reply\",{number}]"));
            let answer = pipeline.response().body;
            assert!(answer.starts_with(&format!("42[\"reply\",{number}")), "{answer}");
        }
        drop(pipeline);
        eventually("the session is gone", || client.is_gone());
    });
}

#[test]
fn upgrades_that_are_begun_and_never_finished() {
    let server = start(ServerConfig { upgrade_timeout: Duration::from_millis(300), ..config() });
    contained(&server, || {
        let mut sessions: Vec<_> = (0..50).map(|_| Polling::connect(server.address())).collect();
        let silent: Vec<_> = sessions
            .iter()
            .enumerate()
            .map(|(index, session)| {
                let mut websocket = WebSocketClient::open(server.address(), &session.upgrade_target());
                match index % 3 {
                    0 => {}
                    1 => websocket.send(&WebSocketClient::frame(Opcode::Text, b"2probe")[..5]),
                    _ => {
                        websocket.text("2probe");
                        websocket.expect("3probe");
                    }
                }
                websocket
            })
            .collect();
        for mut websocket in silent {
            assert_eq!(websocket.closed(), None, "its time is over");
        }
        for _ in 0..10 {
            for session in &sessions {
                drop(WebSocketClient::open(server.address(), &session.upgrade_target()));
            }
        }
        for session in &mut sessions {
            session.post("420[\"echo\"]");
            assert_eq!(session.poll().trim_start_matches("6\u{1e}"), "430[]", "it goes on as it was");
            session.post("1");
        }
    });
}

/// CVE-2022-41940: gone before, while and after it is answered; what is written then is answered by a reset.
#[test]
fn clients_that_do_not_wait_for_the_answer() {
    let server = start(quick());
    let get = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let upgrade = |target: &str| WebSocketClient::request(target, "");
    contained(&server, || {
        for _ in 0..50 {
            for request in [
                upgrade("/socket.io/?EIO=4&transport=foo"),
                upgrade("/socket.io/?EIO=4&transport=websocket&sid=unknown"),
                upgrade(Client::TARGET),
                upgrade(Client::TARGET).split_at(60).0.to_owned(),
                get("/socket.io/?EIO=4&transport=foo"),
                get(HANDSHAKE),
                get(HANDSHAKE).repeat(20),
                "\n\n\n".to_owned(),
                String::new(),
            ] {
                HttpClient::connect(server.address()).send(request);
            }
        }
    });
}

#[test]
fn heads_that_never_end() {
    let server = start(config_with(Limits { http_head_ms: 500, ..Limits::default() }));
    contained(&server, || {
        let slow: Vec<_> = (0..300)
            .map(|index| {
                let mut http = HttpClient::connect(server.address());
                http.send(&b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n"[..index % 60]);
                http
            })
            .collect();
        for mut http in slow {
            assert_eq!(http.rest(), "");
        }
    });
}

/// What is still awaited is given up with the connection.
#[test]
fn clients_that_leave_in_the_middle_of_a_message() {
    let server = start(with_everything(config()));
    let half = vec![7; 90_000];
    contained(&server, || {
        for _ in 0..30 {
            let mut client = Client::connect(server.address());
            client.text(r#"4510-["echo",{"_placeholder":true,"num":9}]"#);
            for _ in 0..9 {
                client.binary(&half);
            }
            let mut client = Client::connect(server.address());
            let frame = WebSocketClient::frame(Opcode::Text, &[b'4'; 900_000]);
            client.send(&frame[..frame.len() - 1]);
            let mut client = Polling::connect(server.address());
            client.post(r#"452-["echo",{"_placeholder":true,"num":1}]"#);
            client.post("bAAAA");
            client.post("1");
        }
    });
}

#[test]
fn rooms_joined_and_left() {
    let main = namespace(Namespace::open()).on("churn", async |socket: Socket, (turn,): (usize,)| {
        let mut joined = 0_u32;
        for index in 0..200 {
            let room = RoomName::new(format!("{turn}-{index}-{}", "x".repeat(100))).expect("a good name");
            joined += u32::from(socket.join(&room).is_ok());
            if index % 2 == 0 {
                socket.leave(&room);
            }
        }
        joined
    });
    let server = start_with(config(), main);
    contained(&server, || {
        for turn in 0..100 {
            let mut client = Client::connect(server.address());
            client.call(&format!("420[\"churn\",{turn}]"), "430[200]");
        }
    });
}

#[test]
fn payloads_of_nothing() {
    let server = start(config());
    contained(&server, || {
        for body in ["6\u{1e}".repeat(500_000), "\u{1e}".repeat(1_000_000), "6".repeat(1_000_000)] {
            let mut client = Polling::connect(server.address());
            let status = client.try_post(&body).status;
            // One long noop is a noop.
            assert_eq!(status, if body.contains('\u{1e}') { 400 } else { 200 });
            client.try_post("1");
            eventually("the session is gone", || client.is_gone());
        }
    });
}
