//! Which pages may connect: asked on every request, over every transport.

use roomkey::{Namespace, Origin, OriginPolicy, ServerConfig};
use roomkey_testkit::{Client, HttpClient, Polling, Response, TestServer, WebSocketClient};

use crate::support::{config, namespace, start, start_with};

const APP: &str = "https://app.example.com";
const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const FORBIDDEN: (u16, &str) = (403, r#"{"code":4,"message":"Forbidden"}"#);
const BAD_REQUEST: (u16, &str) = (400, r#"{"code":3,"message":"Bad request"}"#);
const UNKNOWN: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);

const DENIED: &[&str] = &[
    "https://evil.com",
    "https://app.example.com.evil.com",
    "https://evilapp.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.",
    "https://app.example.com/",
    "https://user@app.example.com",
    "https://xn--pp-example-com-e5b",
    "null",
    "file://",
    "",
];

fn policy() -> OriginPolicy {
    OriginPolicy::listed(vec![
        Origin::parse(APP).expect("an origin"),
        Origin::parse("https://other.example.com").expect("an origin"),
    ])
}

fn server() -> TestServer {
    start(ServerConfig { origins: policy(), ..config() })
}

fn fetch(server: &TestServer, method: &str, target: &str, headers: &str, body: &str) -> Response {
    let mut http = HttpClient::connect(server.address());
    http.request(method, target, headers, body);
    http.response()
}

fn ask(server: &TestServer, target: &str, headers: &str) -> Result<WebSocketClient, Response> {
    WebSocketClient::ask(HttpClient::connect(server.address()), target, headers)
}

#[test]
fn only_listed_origins_open_a_session() {
    let server = server();
    for origin in [APP, "https://APP.example.com", "https://app.example.com:443"] {
        let headers = format!("Origin: {origin}\r\n");
        assert_eq!(fetch(&server, "GET", HANDSHAKE, &headers, "").status, 200, "{origin}");
        assert!(ask(&server, Client::TARGET, &headers).is_ok(), "{origin}");
    }
    let long = format!("https://{}", "a".repeat(10_000));
    for origin in DENIED.iter().copied().chain([long.as_str()]) {
        let headers = format!("Origin: {origin}\r\n");
        assert_eq!(fetch(&server, "GET", HANDSHAKE, &headers, "").brief(), FORBIDDEN, "{origin}");
        let refused = ask(&server, Client::TARGET, &headers).expect_err("not this origin");
        assert_eq!(refused.brief(), (403, "Forbidden"), "{origin}");
    }
    let twice = format!("Origin: {APP}\r\nOrigin: {APP}\r\n");
    assert_eq!(fetch(&server, "GET", HANDSHAKE, &twice, "").brief(), BAD_REQUEST);
    assert_eq!(fetch(&server, "GET", HANDSHAKE, "Origin: https://\u{e9}\r\n", "").status, 400);
}

#[test]
fn every_request_of_a_session_is_asked() {
    let server = server();
    let mut polling = Polling::connect(server.address());
    for origin in DENIED {
        let headers = format!("Origin: {origin}\r\n");
        let target = polling.target();
        assert_eq!(fetch(&server, "GET", &target, &headers, "").brief(), FORBIDDEN, "{origin}");
        assert_eq!(fetch(&server, "POST", &target, &headers, "42[\"reply\"]").brief(), FORBIDDEN, "{origin}");
        let refused = ask(&server, &polling.upgrade_target(), &headers).expect_err("not this origin");
        assert_eq!(refused.brief(), (403, "Forbidden"), "{origin}");
    }
    polling.post("420[\"echo\"]");
    assert_eq!(polling.poll(), "430[]", "nobody else has harmed the session");
}

/// An id that another page got hold of is of no use to it, and its owner does not notice.
#[test]
fn a_session_belongs_to_the_page_that_opened_it() {
    let server = server();
    let own = format!("Origin: {APP}\r\n");
    let other = "Origin: https://other.example.com\r\n";
    let open = fetch(&server, "GET", HANDSHAKE, &own, "").body;
    let sid = &open[9..36];
    let target = format!("{HANDSHAKE}&sid={sid}");
    assert_eq!(fetch(&server, "POST", &target, &own, "40").brief(), (200, "ok"));
    assert_eq!(fetch(&server, "GET", &target, other, "").brief(), UNKNOWN);
    assert_eq!(fetch(&server, "POST", &target, other, "41").brief(), UNKNOWN);
    let upgrade = format!("{}&sid={sid}", Client::TARGET);
    assert_eq!(ask(&server, &upgrade, other).expect_err("not its page").brief(), (400, "Session ID unknown"));
    let answer = fetch(&server, "GET", &target, "", "");
    assert!(answer.body.starts_with("40{"), "a same-origin GET has no Origin: {answer:?}");
    assert!(ask(&server, &upgrade, &own).is_ok());
}

#[test]
fn answers_tell_browsers_who_may_read_them() {
    let server = server();
    let own = format!("Origin: {APP}\r\n");
    for (target, status) in [(HANDSHAKE, 200), ("/socket.io/?EIO=9&transport=polling", 400), ("/none", 404)] {
        let response = fetch(&server, "GET", target, &own, "");
        assert_eq!(response.status, status);
        assert_eq!(response.header("access-control-allow-origin").as_deref(), Some(APP), "{target}");
        assert_eq!(response.header("access-control-allow-credentials").as_deref(), Some("true"));
        assert_eq!(response.header("vary").as_deref(), Some("Origin"));
    }
    for headers in ["Origin: https://evil.com\r\n", ""] {
        let response = fetch(&server, "GET", HANDSHAKE, headers, "");
        assert_eq!(response.header("access-control-allow-origin"), None);
        assert_eq!(response.header("access-control-allow-credentials"), None);
        assert_eq!(response.header("vary").as_deref(), Some("Origin"));
    }
}

#[test]
fn preflights_are_answered() {
    let server = server();
    let asks =
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type,x-foo\r\n";
    let response = fetch(&server, "OPTIONS", HANDSHAKE, &format!("Origin: {APP}\r\n{asks}"), "");
    assert_eq!(response.brief(), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", APP),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE"),
        ("access-control-allow-headers", "content-type,x-foo"),
        ("vary", "Origin, Access-Control-Request-Headers"),
    ] {
        assert_eq!(response.header(name).as_deref(), Some(value), "{name}");
    }
    let response = fetch(&server, "OPTIONS", HANDSHAKE, &format!("Origin: https://evil.com\r\n{asks}"), "");
    assert_eq!(response.header("access-control-allow-origin"), None);
    assert_eq!(response.header("access-control-allow-methods"), None);
}

#[test]
fn anybody_is_never_anybody_with_credentials() {
    let server = start(ServerConfig { origins: OriginPolicy::any(), ..config() });
    let response = fetch(&server, "GET", HANDSHAKE, "Origin: https://evil.com\r\n", "");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(response.header("access-control-allow-credentials"), None);
}

/// A name that was re-bound to a loopback address is not ours (DNS rebinding).
#[test]
fn a_foreign_host_is_misdirected() {
    let server = start_with(
        ServerConfig { origins: policy(), check_host: true, ..config() },
        namespace(Namespace::open()),
    );
    let mut http = HttpClient::connect(server.address());
    for (host, status) in [
        ("localhost", 200),
        ("localhost:3000", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("app.example.com", 200),
        ("APP.example.com", 200),
        ("evil.com", 421),
        ("localhost.evil.com", 421),
        ("", 421),
    ] {
        http.send(format!("GET {HANDSHAKE} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(http.response().status, status, "{host}");
        let upgrade = WebSocketClient::request(Client::TARGET, "").replacen("localhost", host, 1);
        let mut websocket = HttpClient::connect(server.address());
        websocket.send(upgrade);
        let expected = if status == 200 { 101 } else { status };
        assert_eq!(websocket.response().status, expected, "{host}");
    }
    http.send(format!("GET {HANDSHAKE} HTTP/1.1\r\n\r\n"));
    assert_eq!(http.response().status, 421, "no host at all");
}
