//! The answers to requests that Engine.IO refuses, and which check comes first.

use roomkey::{OriginPolicy, ServerConfig, Transports};
use roomkey_testkit::{Client, HttpClient, Polling, TestServer};

use crate::support::{config, start};

const UNKNOWN_TRANSPORT: (u16, &str) = (400, r#"{"code":0,"message":"Transport unknown"}"#);
const UNKNOWN_SESSION: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);
const BAD_METHOD: (u16, &str) = (400, r#"{"code":2,"message":"Bad handshake method"}"#);
const BAD_REQUEST: (u16, &str) = (400, r#"{"code":3,"message":"Bad request"}"#);
const FORBIDDEN: (u16, &str) = (403, r#"{"code":4,"message":"Forbidden"}"#);
const UNSUPPORTED_VERSION: (u16, &str) = (400, r#"{"code":5,"message":"Unsupported protocol version"}"#);

#[track_caller]
fn check(server: &TestServer, method: &str, query: &str, headers: &str, expected: (u16, &str)) {
    let mut http = HttpClient::connect(server.address());
    http.request(method, &format!("/socket.io/?{query}"), headers, "");
    let response = http.response();
    assert_eq!(response.brief(), expected, "{method} {query} {headers}");
    assert_eq!(response.header("content-type").as_deref(), Some("application/json"));
}

#[test]
fn bad_requests_have_a_code_each() {
    let server = start(config());
    for (method, query, expected) in [
        ("GET", "EIO=4", UNKNOWN_TRANSPORT),
        ("GET", "", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=foo", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=__proto__", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=webtransport", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=polling&sid=unknown", UNKNOWN_SESSION),
        ("GET", "EIO=4&transport=polling&sid=__proto__", UNKNOWN_SESSION),
        ("GET", "EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAA", UNKNOWN_SESSION),
        ("GET", "EIO=4&transport=polling&sid=%C3%A9", UNKNOWN_SESSION),
        ("POST", "EIO=4&transport=polling&sid=unknown", UNKNOWN_SESSION),
        ("DELETE", "EIO=4&transport=polling&sid=unknown", UNKNOWN_SESSION),
        ("POST", "EIO=4&transport=polling", BAD_METHOD),
        ("OPTIONS", "EIO=4&transport=polling", BAD_METHOD),
        ("GET", "EIO=4&transport=websocket", BAD_REQUEST),
        ("GET", "EIO=4&transport=polling&transport=polling", BAD_REQUEST),
        ("GET", "EIO=4&EIO=4&transport=polling", BAD_REQUEST),
        ("GET", "EIO=4&transport=polling&sid=a&sid=b", BAD_REQUEST),
        ("GET", "transport=polling", UNSUPPORTED_VERSION),
        ("GET", "EIO=3&transport=polling", UNSUPPORTED_VERSION),
        ("GET", "EIO=5&transport=polling", UNSUPPORTED_VERSION),
        ("GET", "EIO=abc&transport=polling", UNSUPPORTED_VERSION),
        ("GET", "EIO=4%20&transport=polling", UNSUPPORTED_VERSION),
    ] {
        check(&server, method, query, "", expected);
    }
    let long = format!("EIO=4&transport=polling&sid={}", "a".repeat(10_000));
    check(&server, "GET", &long, "", UNKNOWN_SESSION);
    assert_eq!(server.handle().connection_count(), 0, "none of them is a session");
}

#[test]
fn an_empty_session_id_is_a_handshake() {
    let server = start(config());
    let target = "/socket.io/?EIO=4&transport=polling&sid=&b64=1&j=0";
    let response = HttpClient::connect(server.address()).fetch("GET", target, "");
    assert!(response.status == 200 && response.body.starts_with(r#"0{"sid":"#), "{response:?}");
    let content_type = response.header("content-type");
    assert_eq!(content_type.as_deref(), Some("text/plain; charset=UTF-8"), "never a script");
}

#[test]
fn the_checks_are_made_in_the_order_of_the_reference_server() {
    let server = start(config());
    let evil = "Origin: http://evil.example\r\n";
    check(&server, "POST", "EIO=9&transport=foo&sid=unknown", evil, UNKNOWN_TRANSPORT);
    check(&server, "POST", "EIO=9&transport=polling&sid=unknown", evil, FORBIDDEN);
    check(&server, "POST", "EIO=9&transport=polling&sid=unknown", "", UNKNOWN_SESSION);
    check(&server, "POST", "EIO=9&transport=websocket", "", BAD_METHOD);
    check(&server, "GET", "EIO=9&transport=websocket", "", BAD_REQUEST);
    check(&server, "GET", "EIO=9&transport=polling", "", UNSUPPORTED_VERSION);
}

#[test]
fn a_request_must_fit_its_session() {
    let server = start(ServerConfig { origins: OriginPolicy::any(), ..config() });
    let polling = Polling::connect(server.address());
    let sid = polling.sid();
    check(&server, "GET", &format!("EIO=3&transport=polling&sid={sid}"), "", BAD_REQUEST);
    check(&server, "GET", &format!("EIO=4&transport=websocket&sid={sid}"), "", BAD_REQUEST);
    let mut websocket = Client::connect(server.address());
    let sid = websocket.sid().to_owned();
    for method in ["GET", "POST"] {
        check(&server, method, &format!("EIO=4&transport=polling&sid={sid}"), "", BAD_REQUEST);
    }
    websocket.call("420[\"echo\"]", "430[]");
    let mut polling = polling;
    polling.post("420[\"echo\"]");
    assert_eq!(polling.poll(), "430[]");
}

#[test]
fn a_transport_that_is_switched_off_is_unknown() {
    let polling = Transports { polling: true, websocket: false };
    let server = start(ServerConfig { transports: polling, ..config() });
    check(&server, "GET", "EIO=4&transport=websocket", "", UNKNOWN_TRANSPORT);
    let mut http = HttpClient::connect(server.address());
    let response = http.fetch("GET", "/socket.io/?EIO=4&transport=polling", "");
    assert!(response.body.contains(r#""upgrades":[],"#), "{}", response.body);

    let websocket = Transports { polling: false, websocket: true };
    let server = start(ServerConfig { transports: websocket, ..config() });
    check(&server, "GET", "EIO=4&transport=polling", "", UNKNOWN_TRANSPORT);
    Client::connect(server.address()).call("420[\"echo\"]", "430[]");
}

#[test]
fn only_the_configured_path_is_served() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    for path in [
        "/socket.io",
        "/socket.io-admin/",
        "/",
        "//socket.io/",
        "/%73ocket.io/",
        "/SOCKET.IO/",
        "/socket.io%2f",
        "/./socket.io/",
        "/x/../socket.io/",
        "/x/socket.io/",
    ] {
        let response = http.fetch("GET", &format!("{path}?EIO=4&transport=polling"), "");
        assert_eq!(response.status, 404, "{path}");
    }
    let response = http.fetch("GET", "/socket.io/anything?EIO=4&transport=polling", "");
    assert_eq!(response.status, 200, "as the reference server does");

    let server = start(ServerConfig { path: "/chat".to_owned(), ..config() });
    let mut http = HttpClient::connect(server.address());
    for (path, status) in [("/chat/", 200), ("/chat", 404), ("/chatter/", 404), ("/socket.io/", 404)] {
        let response = http.fetch("GET", &format!("{path}?EIO=4&transport=polling"), "");
        assert_eq!(response.status, status, "{path}");
    }
}
