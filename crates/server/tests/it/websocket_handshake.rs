//! Requests that ask for a WebSocket, and the answers to those that do not get one.

use roomkey::OriginPolicy;
use roomkey_testkit::{Client, HttpClient, Opcode, Polling, Received, TestServer, WebSocketClient};

use crate::support::{config, start};

#[test]
fn a_websocket_begins_with_the_open_packet() {
    let server = start(config());
    let mut websocket = WebSocketClient::open(server.address(), Client::TARGET);
    let open = websocket.receive_text();
    let (sid, rest) = open.strip_prefix(r#"0{"sid":""#).and_then(|rest| rest.split_once('"')).expect("an id");
    assert_eq!(sid.len(), 27);
    assert_eq!(rest, r#","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#);
}

#[track_caller]
fn check_refused(server: &TestServer, request: &str, status: u16, body: &str) {
    let mut http = HttpClient::connect(server.address());
    http.send(request);
    let response = http.response();
    assert_eq!(response.brief(), (status, body), "{request}");
    assert_eq!(response.header("content-type").as_deref(), Some("text/html"), "{request}");
    assert_eq!(http.rest(), "", "the connection is closed");
}

#[test]
fn refusals_are_text_and_close_the_connection() {
    let server = start(config());
    for (query, status, body) in [
        ("EIO=4", 400, "Transport unknown"),
        ("EIO=4&transport=foo", 400, "Transport unknown"),
        ("EIO=4&transport=__proto__", 400, "Transport unknown"),
        ("EIO=4&transport=websocket&transport=websocket", 400, "Bad request"),
        ("EIO=4&transport=websocket&sid=unknown", 400, "Session ID unknown"),
        ("EIO=4&transport=polling", 400, "Bad request"),
        ("EIO=3&transport=websocket", 400, "Unsupported protocol version"),
        ("transport=websocket", 400, "Unsupported protocol version"),
    ] {
        let request = WebSocketClient::request(&format!("/socket.io/?{query}"), "");
        check_refused(&server, &request, status, body);
    }
    let evil = WebSocketClient::request(Client::TARGET, "Origin: http://evil.example\r\n");
    check_refused(&server, &evil, 403, "Forbidden");
    let mut http = HttpClient::connect(server.address());
    http.send(&evil);
    let answer = http.rest();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert_eq!(server.handle().connection_count(), 0);
}

#[test]
fn a_wrong_handshake_is_refused() {
    let server = start(config());
    let good = WebSocketClient::request(Client::TARGET, "");
    for (from, to, status, body) in [
        ("GET", "POST", 400, "Bad handshake method"),
        ("Version: 13", "Version: 12", 426, "Missing or invalid Sec-WebSocket-Version header"),
        ("Version: 13", "Version: ", 426, "Missing or invalid Sec-WebSocket-Version header"),
        ("dGhlIHNhbXBsZSBub25jZQ==", "AAAA", 400, "Missing or invalid Sec-WebSocket-Key header"),
        ("Sec-WebSocket-Key", "X-Key", 400, "Missing or invalid Sec-WebSocket-Key header"),
    ] {
        assert!(good.contains(from));
        check_refused(&server, &good.replacen(from, to, 1), status, body);
    }
    let mut http = HttpClient::connect(server.address());
    http.send(good.replacen("Upgrade: websocket", "Upgrade: h2c", 1));
    assert_eq!(http.response().brief(), (400, r#"{"code":3,"message":"Bad request"}"#));
    let mut http = HttpClient::connect(server.address());
    http.send(good.replacen("Version: 13", "Version: 8", 1));
    assert_eq!(http.response().header("sec-websocket-version").as_deref(), Some("13"));
}

#[test]
fn headers_are_read_as_lists() {
    let server = start(config());
    let good = WebSocketClient::request(Client::TARGET, "");
    for connection in ["keep-alive, Upgrade", "upgrade", "keep-alive\r\nConnection: Upgrade"] {
        let mut http = HttpClient::connect(server.address());
        http.send(good.replacen("Upgrade", connection, 1));
        assert_eq!(http.response().status, 101, "{connection}");
    }
}

#[test]
fn bytes_behind_a_refused_request_are_never_served() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    let refused = WebSocketClient::request("/socket.io/?EIO=4&transport=foo", "");
    http.send(format!("{refused}GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_eq!(http.response().status, 400);
    assert_eq!(http.rest(), "");
    assert_eq!(server.handle().connection_count(), 0);
}

/// The first frame of a fast client may come together with its request.
#[test]
fn bytes_behind_an_accepted_request_are_its_first_frames() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    let mut bytes = WebSocketClient::request(Client::TARGET, "").into_bytes();
    bytes.extend(WebSocketClient::frame(Opcode::Text, b"40"));
    http.send(&bytes[..bytes.len() - 3]);
    let mut websocket = WebSocketClient::answered(http).expect("a WebSocket");
    websocket.send(&bytes[bytes.len() - 3..]);
    assert!(websocket.receive_text().starts_with("0{"));
    assert!(websocket.receive_text().starts_with("40{"));
}

#[test]
fn extensions_and_subprotocols_are_not_negotiated() {
    let server = start(config());
    let spaces = format!("Sec-WebSocket-Protocol: b{}x\r\n", " ".repeat(3500));
    for headers in [
        spaces.as_str(),
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
        "Sec-WebSocket-Extensions: constructor, __proto__\r\n",
        "Sec-WebSocket-Protocol: a, b\r\n",
    ] {
        let mut http = HttpClient::connect(server.address());
        http.send(WebSocketClient::request(Client::TARGET, headers));
        let response = http.response();
        assert_eq!(response.status, 101);
        assert_eq!(response.header("sec-websocket-extensions"), None);
        assert_eq!(response.header("sec-websocket-protocol"), None);
    }
}

#[test]
fn a_session_on_a_websocket_takes_no_second_one() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    let target = format!("{}&sid={}", Client::TARGET, client.sid());
    check_refused(&server, &WebSocketClient::request(&target, ""), 400, "Bad request");
    client.call("420[\"echo\"]", "430[]");
}

#[test]
fn a_websocket_may_follow_requests_on_the_same_connection() {
    let server = start(roomkey::ServerConfig { origins: OriginPolicy::any(), ..config() });
    let mut http = HttpClient::connect(server.address());
    assert_eq!(http.fetch("GET", "/nothing", "").status, 404);
    assert_eq!(http.fetch("GET", "/socket.io/?EIO=4&transport=polling", "").status, 200);
    let mut websocket = WebSocketClient::ask(http, Client::TARGET, "").expect("a WebSocket");
    assert!(websocket.receive_text().starts_with("0{"));
    websocket.text("40");
    assert!(websocket.receive_text().starts_with("40{"));
    websocket.text("420[\"echo\",1]");
    websocket.expect("430[1]");
    let mut http = HttpClient::connect(server.address());
    assert_eq!(http.fetch("GET", "/nothing", "").status, 404);
    let refused = WebSocketClient::ask(http, "/socket.io/?EIO=4&transport=foo", "").expect_err("a refusal");
    assert_eq!(refused.brief(), (400, "Transport unknown"));
    assert_eq!(refused.header("connection").as_deref(), Some("close"));
}

#[test]
fn a_session_may_be_upgraded_on_a_connection_it_polled_on() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    let polling = Polling::connect(server.address());
    assert_eq!(http.fetch("POST", &polling.target(), "6").brief(), (200, "ok"));
    let mut websocket = WebSocketClient::ask(http, &polling.upgrade_target(), "").expect("a WebSocket");
    websocket.text("2probe");
    websocket.expect("3probe");
    websocket.text("5");
    websocket.text("420[\"echo\"]");
    assert_eq!(websocket.receive(), Received::Text("430[]".to_owned()));
}
