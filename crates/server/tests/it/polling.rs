//! Engine.IO over long-polling (Engine.IO protocol v4).

use std::time::Duration;

use roomkey::{Limits, ServerConfig};
use roomkey_testkit::{HttpClient, Polling, TestServer, eventually};

use crate::support::{config, config_with, start};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling&t=abc";
const UNKNOWN: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);

fn is_empty(server: &TestServer) -> bool {
    server.handle().connection_count() == 0
}

#[test]
fn the_handshake_is_answered_by_an_open_packet() {
    let server = start(config());
    let response = HttpClient::connect(server.address()).fetch("GET", HANDSHAKE, "");
    assert_eq!(response.status, 200);
    for (name, value) in [
        ("content-type", "text/plain; charset=UTF-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(response.header(name).as_deref(), Some(value));
    }
    assert_eq!(response.header("set-cookie"), None);
    let sid = response.body.get(9..36).expect("a session id");
    assert!(sid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{sid}");
    assert_eq!(
        response.body,
        format!(
            r#"0{{"sid":"{sid}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#
        )
    );
}

#[test]
fn packets_go_both_ways() {
    let server = start(config());
    let mut client = Polling::open(server.address());
    client.post("40");
    let answer = client.poll();
    assert!(answer.starts_with(r#"40{"sid":""#), "{answer}");
    client.post("42[\"reply\",1,{\"é\":null}]\u{1e}4212[\"echo\",\"x\"]\u{1e}420[\"echo\"]");
    assert_eq!(client.poll(), "42[\"reply\",1,{\"é\":null}]\u{1e}4312[\"x\"]\u{1e}430[]");
}

#[test]
fn the_answer_to_a_post_is_ok() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    let response = client.try_post("42[\"none\"]");
    assert_eq!(response.brief(), (200, "ok"));
    assert_eq!(response.header("content-type").as_deref(), Some("text/html"));
    assert_eq!(response.header("cache-control").as_deref(), Some("no-store"));
}

#[test]
fn any_content_type_is_taken_but_one() {
    let server = start(config());
    for headers in ["", "Content-type: text/plain;charset=UTF-8\r\n", "Content-Type: application/json\r\n"] {
        let mut client = Polling::connect(server.address());
        let mut http = HttpClient::connect(server.address());
        http.request("POST", &client.target(), headers, "420[\"echo\"]");
        assert_eq!(http.response().brief(), (200, "ok"), "{headers}");
        assert_eq!(client.poll(), "430[]");
    }
}

/// CVE-2026-59725: such a request must be answered, and the session must go.
#[test]
fn octet_streams_are_answered_and_end_the_session() {
    let server = start(config());
    for _ in 0..50 {
        let client = Polling::connect(server.address());
        let mut http = HttpClient::connect(server.address());
        http.request("POST", &client.target(), "Content-Type: application/octet-stream\r\n", "42[\"a\"]");
        assert_eq!(http.response().brief(), (400, ""));
        eventually("the session is gone", || client.is_gone());
    }
    eventually("nothing is left", || is_empty(&server));
}

#[test]
fn compressed_bodies_are_refused() {
    let server = start(config());
    let client = Polling::connect(server.address());
    let mut http = HttpClient::connect(server.address());
    http.request("POST", &client.target(), "Content-Encoding: gzip\r\n", "x");
    assert_eq!(http.response().brief(), (415, ""));
}

#[test]
fn a_held_poll_is_answered_by_the_next_packet() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    let mut held = client.hold();
    client.post("42[\"reply\",\"now\"]");
    assert_eq!(held.response().brief(), (200, r#"42["reply","now"]"#));
}

#[test]
fn binary_data_is_base64() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    client.post(
        "452-7[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]\u{1e}bAQIDBA==",
    );
    client.post("b");
    assert_eq!(
        client.poll(),
        "462-7[{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]\u{1e}bAQIDBA==\u{1e}b"
    );
}

/// Clients made with python-engineio refuse more.
#[test]
fn a_response_has_at_most_sixteen_packets() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    let events: Vec<_> = (0..40).map(|index| format!("42[\"reply\",{index}]")).collect();
    client.post(&events.join("\u{1e}"));
    let polls = [client.poll(), client.poll(), client.poll()];
    assert_eq!(polls.each_ref().map(|poll| poll.split('\u{1e}').count()), [16, 16, 8]);
    assert_eq!(polls.join("\u{1e}"), events.join("\u{1e}"));
}

#[test]
fn a_body_may_be_as_long_as_announced_and_no_longer() {
    let limits = Limits { message_bytes: 60_000, ..Limits::default() };
    let server = start(config_with(limits));
    let mut client = Polling::connect(server.address());
    let body = format!("42[\"none\",\"{}\"]", "x".repeat(60_000 - 13));
    assert_eq!(body.len(), 60_000);
    client.post(&body);
    let refusal = client.try_post(&format!("{body}x"));
    assert_eq!(refusal.brief(), (413, ""));
    assert_eq!(refusal.header("connection").as_deref(), Some("close"), "the rest is not read");
    eventually("the session is gone", || client.is_gone());
}

#[test]
fn a_chunked_body_has_the_same_limit() {
    let server = start(config_with(Limits { message_bytes: 20_000, ..Limits::default() }));
    let mut client = Polling::connect(server.address());
    let mut http = HttpClient::connect(server.address());
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", client.target());
    http.send(&head);
    http.send("b\r\n420[\"echo\"]\r\n0\r\n\r\n");
    assert_eq!(http.response().brief(), (200, "ok"));
    assert_eq!(client.poll(), "430[]");
    assert_eq!(http.rest(), "", "no length, no further request");
    let mut http = HttpClient::connect(server.address());
    http.send(&head);
    for _ in 0..21 {
        http.send(format!("3e8\r\n{}\r\n", "4".repeat(1000)));
    }
    assert_eq!(http.response().brief(), (413, ""));
}

#[test]
fn packets_before_a_bad_one_count_and_the_session_ends() {
    let server = start(config());
    for bad in ["", "x", "7", "9", "é", "b***", "bA"] {
        let mut client = Polling::connect(server.address());
        let mut other = Polling::connect(server.address());
        other.post(r#"42["join","room"]"#);
        let body = format!("42[\"say\",\"room\",\"before\"]\u{1e}{bad}");
        assert_eq!(client.try_post(&body).brief(), (400, ""), "{bad}");
        assert_eq!(other.poll(), r#"42["said","before"]"#);
        eventually("the session is gone", || client.is_gone());
    }
    let mut client = Polling::connect(server.address());
    assert_eq!(client.try_post("").brief(), (400, ""), "an empty body is no payload");
}

#[test]
fn packets_of_one_request_are_counted() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    client.post(&vec!["6"; 4096].join("\u{1e}"));
    assert_eq!(client.try_post(&vec!["6"; 4097].join("\u{1e}")).brief(), (400, ""));
    eventually("the session is gone", || client.is_gone());
}

#[test]
fn packets_without_meaning_are_ignored() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    client.post("0\u{1e}3\u{1e}3x\u{1e}5\u{1e}6\u{1e}420[\"echo\"]");
    assert_eq!(client.poll(), "430[]");
}

#[test]
fn a_ping_from_the_client_ends_the_session() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    client.post("2");
    assert!(client.is_gone());
}

/// When the close packet overtakes the poll, the poll finds no session: so some rounds may be needed.
#[test]
fn a_close_packet_ends_the_session_and_lets_the_poll_return() {
    let server = start(config());
    eventually("a held poll is answered by a noop", || {
        let mut client = Polling::connect(server.address());
        let mut held = client.hold();
        client.post("6");
        client.post("1");
        let answer = held.response();
        assert!(client.is_gone());
        assert!(answer.brief() == (200, "6") || answer.brief() == UNKNOWN, "{answer:?}");
        answer.status == 200
    });
    eventually("nothing is left", || is_empty(&server));
}

#[test]
fn a_second_poll_ends_the_session() {
    let server = start(config());
    let client = Polling::connect(server.address());
    let (mut one, mut two) = (client.hold(), client.hold());
    let mut answers = [one.response(), two.response()].map(|answer| (answer.status, answer.body));
    answers.sort();
    assert_eq!(answers, [(200, "1".to_owned()), (400, String::new())]);
    eventually("the session is gone", || client.is_gone());
}

#[test]
fn a_second_post_ends_the_session() {
    let server = start(config());
    let client = Polling::connect(server.address());
    let mut first = HttpClient::connect(server.address());
    first.send(format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4", client.target()));
    let mut second = HttpClient::connect(server.address());
    // As long as the second is alone it is served; and when the first comes meanwhile, that is the one too many.
    eventually("they meet", || second.fetch("POST", &client.target(), "6").status == 400);
    eventually("the session is gone", || client.is_gone());
    first.send("2".repeat(99));
    assert_eq!(first.response().status, 400);
}

/// A request that is given up before it was read is none at all: so some rounds may be needed.
#[test]
fn a_poll_that_is_given_up_ends_the_session() {
    let server = start(config());
    eventually("a session ends", || {
        let mut client = Polling::connect(server.address());
        let held = client.hold();
        client.post("6");
        drop(held);
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            client.is_gone()
        })
    });
}

#[test]
fn a_post_that_is_given_up_ends_the_session() {
    let server = start(config());
    let client = Polling::connect(server.address());
    let mut post = HttpClient::connect(server.address());
    post.send(format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42", client.target()));
    drop(post);
    eventually("nothing is left", || is_empty(&server));
    assert!(client.is_gone());
}

#[test]
fn other_methods_are_refused_and_harm_nothing() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"] {
        let response = HttpClient::connect(server.address()).fetch(method, &client.target(), "");
        assert_eq!(response.brief(), (405, ""), "{method}");
    }
    client.post("420[\"echo\"]");
    assert_eq!(client.poll(), "430[]");
}

#[test]
fn many_requests_share_a_connection() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    for id in 0..100 {
        client.post(&format!("42{id}[\"echo\",{id}]"));
        assert_eq!(client.poll(), format!("43{id}[{id}]"));
    }
}

/// A client that has gone for good leaves nothing behind, however many there are of them.
#[test]
fn abandoned_sessions_are_freed() {
    let server = start(ServerConfig {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..config()
    });
    let mut http = HttpClient::connect(server.address());
    for _ in 0..400 {
        assert_eq!(http.fetch("GET", HANDSHAKE, "").status, 200);
    }
    assert!(server.handle().connection_count() > 0);
    eventually("nothing is left", || is_empty(&server));
}
