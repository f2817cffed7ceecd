//! Requests that are malformed, ambiguous, too large, too slow or incomplete.

use std::time::Duration;

use roomkey::Limits;
use roomkey_testkit::{Client, HttpClient, Polling, Stopwatch, WebSocketClient, eventually};

use crate::support::{config, config_with, start};

const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";

/// One message boundary, or none: whatever could be read in two ways is refused, and nothing behind it is served.
#[test]
fn requests_with_an_unclear_end_are_refused() {
    let server = start(config());
    for headers in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "A: b\r\n folded\r\n",
        "A : b\r\n",
        "A b\r\n",
        ": b\r\n",
    ] {
        let request = format!("POST /nothing HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let attack = format!("{request}0\r\n\r\n{HANDSHAKE}");
        for first in ["", "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"] {
            let mut http = HttpClient::connect(server.address());
            if !first.is_empty() {
                http.send(first);
                assert_eq!(http.response().status, 404);
            }
            http.send(&attack);
            http.shut_down();
            let rest = http.rest();
            // Of a later request the server may know one of the two ends only; it still is the last.
            let is_refused = rest.starts_with("HTTP/1.1 400 ");
            assert!(is_refused || !first.is_empty() && headers.contains("chunked"), "{headers}: {rest}");
            assert_eq!(rest.matches("HTTP/1.1").count(), 1, "{headers}: {rest}");
        }
    }
    assert_eq!(server.handle().connection_count(), 0);
}

#[test]
fn requests_may_be_pipelined() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    http.send(HANDSHAKE.repeat(3));
    for _ in 0..3 {
        assert_eq!(http.response().status, 200);
    }
    let mut polling = Polling::connect(server.address());
    let echo = "420[\"echo\"]";
    http.send(format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{echo}\
         GET {target} HTTP/1.1\r\nHost: x\r\n\r\n",
        echo.len(),
        target = polling.target()
    ));
    assert_eq!(http.response().brief(), (200, "ok"));
    assert_eq!(http.response().brief(), (200, "430[]"));
    polling.post("6");
}

#[test]
fn what_is_no_request_is_refused() {
    let server = start(config());
    for bytes in [
        "\x16\x03\x01\x02\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n",
        "\r\n\r\n\0\r\nQUIT\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\nCookie: a\0=b\r\n\r\n",
    ] {
        let mut http = HttpClient::connect(server.address());
        http.send(bytes);
        let rest = http.rest();
        assert!(rest.starts_with("HTTP/1.1 400 "), "{bytes:?}: {rest}");
    }
}

#[test]
fn heads_have_a_limit() {
    let server = start(config());
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(64 * 1024));
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: a\r\n".repeat(200));
    let cookies = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "a=b; ".repeat(10_000));
    let upgrade = WebSocketClient::request(Client::TARGET, &"A: a\r\n".repeat(200));
    for request in [&long, &many, &cookies, &upgrade] {
        let mut http = HttpClient::connect(server.address());
        http.send(request);
        assert_eq!(http.response().status, 431);
        http.rest();
        let mut http = HttpClient::connect(server.address());
        http.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(http.response().status, 404);
        http.send(request);
        assert_eq!(http.response().status, 431, "not the first request");
    }
}

#[test]
fn slow_heads_are_not_waited_for() {
    let server = start(config_with(Limits { http_head_ms: 300, ..Limits::default() }));
    let watch = Stopwatch::start();
    let silent: Vec<_> = (0..50).map(|_| HttpClient::connect(server.address())).collect();
    let mut begun = HttpClient::connect(server.address());
    begun.send("GET / HTTP/1.1\r\nHos");
    let mut later = HttpClient::connect(server.address());
    later.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(later.response().status, 404);
    later.send("GET / HTTP/1.1\r\nHos");
    HttpClient::connect(server.address()).fetch("GET", "/nothing", "");
    for mut http in silent.into_iter().chain([begun, later]) {
        http.rest();
    }
    assert!(watch.elapsed() >= Duration::from_millis(300));
}

#[test]
fn slow_bodies_are_not_waited_for() {
    let server = start(config_with(Limits { http_body_ms: 300, ..Limits::default() }));
    let client = Polling::connect(server.address());
    let mut http = HttpClient::connect(server.address());
    http.send(format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n42[", client.target()));
    assert_eq!(http.response().brief(), (408, ""));
    http.rest();
    eventually("the session is gone", || client.is_gone());
}

#[test]
fn an_idle_connection_may_ask_again() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    for _ in 0..3 {
        assert_eq!(http.fetch("GET", "/nothing", "").status, 404);
    }
    http.send("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_eq!(http.response().status, 404);
    assert_eq!(http.rest(), "");
    let mut old = HttpClient::connect(server.address());
    old.send("GET /nothing HTTP/1.0\r\n\r\n");
    assert_eq!(old.response().status, 404);
    assert_eq!(old.rest(), "");
}

#[test]
fn connections_have_a_limit() {
    let server = start(config_with(Limits { http_connections: 3, ..Limits::default() }));
    let open: Vec<_> = (0..3)
        .map(|_| {
            let mut http = HttpClient::connect(server.address());
            http.fetch("GET", "/nothing", "");
            http
        })
        .collect();
    assert_eq!(HttpClient::connect(server.address()).rest(), "");
    drop(open);
    eventually("there is room again", || {
        let mut http = HttpClient::connect(server.address());
        http.send("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
        http.shut_down();
        http.rest().starts_with("HTTP/1.1 404")
    });
}
