//! From long-polling to WebSocket (Engine.IO protocol v4): nothing is lost, nothing comes twice, nothing overtakes.

use std::time::Duration;

use roomkey::ServerConfig;
use roomkey_testkit::{HttpClient, Opcode, Polling, Received, WebSocketClient, eventually};

use crate::{
    contained::contained,
    support::{config, start},
};

const BAD_REQUEST: (u16, &str) = (400, r#"{"code":3,"message":"Bad request"}"#);

fn probe(polling: &Polling, address: std::net::SocketAddr) -> WebSocketClient {
    let mut websocket = WebSocketClient::open(address, &polling.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    websocket
}

#[test]
fn a_probe_and_an_upgrade_packet_move_the_session() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let mut websocket = probe(&polling, server.address());
    websocket.text("5");
    websocket.text("420[\"echo\",1]");
    websocket.expect("430[1]");
    for method in ["GET", "POST"] {
        let response = HttpClient::connect(server.address()).fetch(method, &polling.target(), "");
        assert_eq!(response.brief(), BAD_REQUEST, "{method}");
    }
    let response = polling.try_post("420[\"echo\"]");
    assert_eq!(response.brief(), BAD_REQUEST);
    let second = HttpClient::connect(server.address());
    let refused = WebSocketClient::ask(second, &polling.upgrade_target(), "").expect_err("one is enough");
    assert_eq!(refused.brief(), (400, "Bad request"));
    websocket.text("421[\"echo\"]");
    websocket.expect("431[]");
    assert_eq!(server.handle().connection_count(), 1);
}

#[test]
fn a_session_may_join_after_the_upgrade() {
    let server = start(config());
    let polling = Polling::open(server.address());
    let mut websocket = probe(&polling, server.address());
    websocket.text("5");
    websocket.text("40");
    assert!(websocket.receive_text().starts_with("40{"));
}

#[test]
fn a_probe_lets_polls_return() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let mut held = polling.hold();
    let _websocket = probe(&polling, server.address());
    assert_eq!(held.response().brief(), (200, "6"));
    assert_eq!(polling.poll(), "6", "and so is every new one");
    assert_eq!(polling.poll(), "6");
}

#[test]
fn polling_goes_on_until_the_upgrade_packet() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let mut websocket = probe(&polling, server.address());
    polling.post("42[\"reply\",1]");
    assert_eq!(polling.poll(), r#"42["reply",1]"#);
    polling.post("42[\"reply\",2]");
    polling.post("42[\"reply\",3]\u{1e}451-[\"reply\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQI=");
    websocket.text("5");
    websocket.text("42[\"reply\",4]");
    websocket.expect(r#"42["reply",2]"#);
    websocket.expect(r#"42["reply",3]"#);
    websocket.expect(r#"451-["reply",{"_placeholder":true,"num":0}]"#);
    assert_eq!(websocket.receive(), Received::Binary(vec![1, 2]));
    websocket.expect(r#"42["reply",4]"#);
}

/// Whatever the moment of the upgrade, every event arrives once and in order.
#[test]
fn a_stream_of_events_survives_the_upgrade() {
    let server = start(config());
    for after in 0..20 {
        let mut polling = Polling::connect(server.address());
        let mut seen = Vec::new();
        let mut posted = 0;
        let mut post = |polling: &mut Polling| {
            polling.post(&format!("42[\"reply\",{posted}]"));
            posted += 1;
        };
        let mut websocket = None;
        for round in 0..10 {
            post(&mut polling);
            if round % 3 == 0 {
                seen.extend(polling.poll().split('\u{1e}').map(str::to_owned));
            }
            if round == after / 2 {
                websocket = Some(probe(&polling, server.address()));
            }
        }
        let mut websocket = websocket.expect("there was a probe");
        let mut held = polling.hold();
        websocket.text("5");
        let last = held.response();
        match last.status {
            200 => seen.extend(last.body.split('\u{1e}').filter(|packet| *packet != "6").map(str::to_owned)),
            _ => assert_eq!(last.brief(), BAD_REQUEST, "it came after the upgrade"),
        }
        websocket.text("420[\"echo\"]");
        loop {
            match websocket.receive_text() {
                text if text == "430[]" => break,
                text => seen.push(text),
            }
        }
        seen.retain(|packet| packet != "6");
        assert_eq!(seen, (0..10).map(|index| format!("42[\"reply\",{index}]")).collect::<Vec<_>>());
    }
}

#[test]
fn of_two_probes_the_second_is_closed() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let mut first = probe(&polling, server.address());
    let mut second = WebSocketClient::open(server.address(), &polling.upgrade_target());
    second.text("2probe");
    assert_eq!(second.receive(), Received::Close(None));
    polling.post("42[\"reply\"]");
    first.text("5");
    first.expect(r#"42["reply"]"#);
}

#[test]
fn a_probe_that_goes_away_harms_nothing() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    drop(probe(&polling, server.address()));
    polling.post("420[\"echo\"]");
    assert_eq!(polling.poll().trim_start_matches("6\u{1e}"), "430[]");
    eventually("another may try", || {
        let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
        websocket.text("2probe");
        websocket.receive() == Received::Text("3probe".to_owned())
    });
}

#[test]
fn a_probe_that_begins_wrong_is_closed_and_harms_nothing() {
    let server = start(config());
    for frame in [
        WebSocketClient::frame(Opcode::Text, b"42[\"reply\"]"),
        WebSocketClient::frame(Opcode::Text, b"2"),
        WebSocketClient::frame(Opcode::Text, b""),
        WebSocketClient::frame(Opcode::Text, b"2probe2"),
        WebSocketClient::frame(Opcode::Binary, b"2probe"),
        b"\x81\x016".to_vec(),
    ] {
        let mut polling = Polling::connect(server.address());
        let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
        websocket.send(&frame);
        assert_eq!(websocket.receive(), Received::Close(None), "{}", frame.escape_ascii());
        polling.post("420[\"echo\"]");
        assert_eq!(polling.poll(), "430[]");
        let mut websocket = probe(&polling, server.address());
        websocket.text("5");
        websocket.text("421[\"echo\"]");
        websocket.expect("431[]");
    }
}

#[test]
fn a_probe_that_never_finishes_is_closed() {
    let server = start(ServerConfig { upgrade_timeout: Duration::from_millis(150), ..config() });
    let mut polling = Polling::connect(server.address());
    let mut silent = WebSocketClient::open(server.address(), &polling.upgrade_target());
    assert_eq!(silent.receive(), Received::Close(None));
    let mut probed = probe(&polling, server.address());
    assert_eq!(probed.receive(), Received::Close(None));
    polling.post("420[\"echo\"]");
    assert_eq!(polling.poll(), "430[]");
}

#[test]
fn an_upgrade_without_a_probe_is_accepted() {
    let server = start(config());
    let polling = Polling::connect(server.address());
    let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
    websocket.text("5");
    websocket.text("420[\"echo\"]");
    websocket.expect("430[]");
}

#[test]
fn a_second_upgrade_packet_is_ignored_and_a_second_probe_is_not() {
    let server = start(config());
    let polling = Polling::connect(server.address());
    let mut websocket = probe(&polling, server.address());
    websocket.text("5");
    websocket.text("5");
    websocket.text("420[\"echo\"]");
    websocket.expect("430[]");
    websocket.text("2probe");
    assert_eq!(websocket.closed(), None);
}

#[test]
fn a_probe_ends_with_its_session() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let mut websocket = probe(&polling, server.address());
    polling.post("1");
    assert_eq!(websocket.receive(), Received::Close(None));
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn a_large_backlog_moves_with_the_session() {
    let server = start(config());
    let mut polling = Polling::connect(server.address());
    let text = "x".repeat(100_000);
    for index in 0..8 {
        polling.post(&format!("42[\"reply\",{index},\"{text}\"]"));
    }
    let mut websocket = probe(&polling, server.address());
    websocket.text("5");
    for index in 0..8 {
        websocket.expect(&format!("42[\"reply\",{index},\"{text}\"]"));
    }
    websocket.text("420[\"echo\"]");
    websocket.expect("430[]");
}

/// CVE-2022-21676: what comes right behind the upgrade packet is read by the same rules as ever.
#[test]
fn a_broken_frame_right_behind_the_upgrade_closes_the_websocket() {
    let server = start(config());
    contained(&server, || {
        for first in [0xa1, 0x91, 0xb1, 0xc1, 0x83] {
            let polling = Polling::connect(server.address());
            let mut websocket = WebSocketClient::open(server.address(), &polling.upgrade_target());
            let mut bytes = WebSocketClient::frame(Opcode::Text, b"2probe");
            bytes.extend(WebSocketClient::frame(Opcode::Text, b"5"));
            bytes.extend([first, 0x80, 0, 0, 0, 0]);
            websocket.send(bytes);
            assert_eq!(websocket.closed(), Some(1002), "{first:#x}");
            assert!(polling.is_gone());
        }
    });
}
