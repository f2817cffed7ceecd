//! How often a client may do what costs the server something. Addresses are counted by a clock that stands still until
//! a test moves it; events by one that cannot be set, so that tests send many at once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use roomkey::{ForwardedHeader, Limits, Namespace, Origin, OriginPolicy, ServerConfig, TrustedProxies};
use roomkey_testkit::{
    Client, HttpClient, Opcode, Polling, Received, Response, Stopwatch, TestClock, TestServer,
    WebSocketClient, authentication, eventually, token,
};
use serde_json::json;

use crate::{
    limits::counted,
    support::{config, namespace, start_with},
};

const HANDSHAKE: &str = "/socket.io/?EIO=4&transport=polling";
const INVALID: &str =
    r#"44{"message":"Authentication error: Invalid token","data":{"code":"TOKEN_INVALID","retry":"never"}}"#;

/// A server with these limits and a clock that stands still; a proxy on this machine is believed.
fn start(limits: Limits, main: Namespace) -> (TestServer, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let networks = vec!["127.0.0.1".parse().expect("a network")];
    let config = ServerConfig {
        limits,
        clock: clock.clone(),
        trusted_proxies: TrustedProxies { networks, header: ForwardedHeader::XForwardedFor },
        ..config()
    };
    (start_with(config, namespace(main)), clock)
}

fn few_handshakes() -> Limits {
    Limits {
        handshakes_per_address_per_s: 1,
        handshakes_per_address_burst: 3,
        ..Limits::default().without_rates()
    }
}

fn handshake(address: SocketAddr, headers: &str) -> Response {
    let mut http = HttpClient::connect(address);
    http.request("GET", HANDSHAKE, headers, "");
    http.response()
}

fn from(address: &str) -> String {
    format!("X-Forwarded-For: {address}\r\n")
}

#[test]
fn handshakes_beyond_the_rate_are_429_and_say_when_to_come_back() {
    let (server, clock) = start(few_handshakes(), Namespace::open());
    for _ in 0..3 {
        assert_eq!(handshake(server.address(), "").status, 200);
    }
    let refused = handshake(server.address(), "");
    assert_eq!(
        refused.brief(),
        (429, r#"{"message":"Too many requests","code":"RATE_LIMITED","retry":"after","retryAfterMs":1000}"#)
    );
    let header = |name| refused.header(name).unwrap_or_default();
    assert_eq!(header("retry-after"), "1");
    assert_eq!(header("ratelimit-policy"), r#""handshake";q=3;w=3"#);
    assert_eq!(header("ratelimit"), r#""handshake";r=0;t=1"#);
    assert_eq!(header("connection"), "close");
    let websocket = WebSocketClient::ask(HttpClient::connect(server.address()), Client::TARGET, "");
    let refused = websocket.expect_err("it is too early");
    assert_eq!(refused.brief(), (429, "Too many requests"));
    assert_eq!(refused.header("retry-after").as_deref(), Some("2"), "not everybody at once");
    assert_eq!(refused.header("ratelimit").as_deref(), Some(r#""handshake";r=0;t=1"#));
    clock.advance_secs(1);
    Client::connect(server.address()).call("420[\"echo\",1]", "430[1]");
    assert_eq!(handshake(server.address(), "").status, 429);
}

/// A page may read when it may come back, of an answer that it may read at all.
#[test]
fn pages_may_read_when_to_come_back() {
    let clock = Arc::new(TestClock::default());
    let origins = OriginPolicy::listed(vec![Origin::parse("https://app.example.com").expect("an origin")]);
    let config = ServerConfig { limits: few_handshakes(), clock, origins, ..config() };
    let server = start_with(config, namespace(Namespace::open()));
    let page = "Origin: https://app.example.com\r\n";
    for _ in 0..3 {
        assert_eq!(handshake(server.address(), page).header("access-control-expose-headers"), None);
    }
    let refused = handshake(server.address(), page);
    assert_eq!(
        refused.header("access-control-expose-headers").as_deref(),
        Some("Retry-After, RateLimit, RateLimit-Policy")
    );
    assert_eq!(handshake(server.address(), "").header("access-control-expose-headers"), None);
}

#[test]
fn each_ipv4_address_and_ipv6_network_has_its_own_rate() {
    let (server, _) = start(few_handshakes(), Namespace::open());
    let status = |headers: &str| handshake(server.address(), headers).status;
    for last in 0..3 {
        assert_eq!(status(&from("198.51.100.1")), 200);
        assert_eq!(status(&from(&format!("2001:db8::{last}"))), 200);
    }
    assert_eq!(status(&from("198.51.100.1")), 429);
    assert_eq!(
        status(&from("203.0.113.1, 198.51.100.1")),
        429,
        "what the client adds itself is not believed"
    );
    assert_eq!(status(&from("2001:db8::ffff")), 429);
    assert_eq!(status(&from("198.51.100.2")), 200);
    assert_eq!(status(&from("2001:db8:0:1::1")), 200);
}

#[test]
fn a_session_that_is_open_is_not_under_the_rate_of_handshakes() {
    let (server, _) = start(few_handshakes(), Namespace::open());
    let mut client = Polling::connect(server.address());
    for _ in 0..2 {
        assert_eq!(handshake(server.address(), "").status, 200);
    }
    assert_eq!(handshake(server.address(), "").status, 429);
    for _ in 0..10 {
        client.post("420[\"echo\",1]");
        assert_eq!(client.poll(), "430[1]");
    }
    let mut websocket = WebSocketClient::open(server.address(), &client.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
}

#[test]
fn who_guesses_session_ids_is_slowed_down_and_their_owners_do_not_notice() {
    let limits = Limits {
        unknown_sessions_per_address_per_s: 1,
        unknown_sessions_per_address_burst: 3,
        ..Limits::default().without_rates()
    };
    let (server, clock) = start(limits, Namespace::open());
    let mut owner = Polling::connect(server.address());
    let guess = |headers: &str| {
        let mut http = HttpClient::connect(server.address());
        http.request("GET", &format!("{HANDSHAKE}&sid={:0>27}", 7), headers, "");
        http.response()
    };
    for _ in 0..3 {
        assert_eq!(guess("").brief(), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
    }
    let refused = guess("");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("ratelimit").as_deref(), Some(r#""unknown-session";r=0;t=1"#));
    assert_eq!(refused.header("connection").as_deref(), Some("close"));
    assert_eq!(guess(&from("198.51.100.1")).status, 400);
    owner.post("420[\"echo\",1]");
    assert_eq!(owner.poll(), "430[1]");
    assert_eq!(handshake(server.address(), "").status, 200);
    clock.advance_secs(1);
    assert_eq!(guess("").status, 400);
}

#[test]
fn more_addresses_than_are_remembered_are_all_let_in() {
    let limits = Limits { rate_keys: 64, ..few_handshakes() };
    let (server, _) = start(limits, Namespace::open());
    for last in 0..=255 {
        assert_eq!(handshake(server.address(), &from(&format!("198.51.100.{last}"))).status, 200);
    }
    let counted = counted(&server);
    assert!(matches!(&counted[..], [(name, 1..)] if name == "rate_keys"), "{counted:?}");
}

/// A client that shows a token that is no good, and has not heard of it yet.
fn with_bad_token(server: &TestServer) -> Client {
    let mut client = Client::open(server.address());
    client.text(r#"40{"token":"a.b.c"}"#);
    client
}

#[test]
fn bad_tokens_are_refused_later_and_later_and_a_good_one_is_not_kept_waiting() {
    let limits = Limits { refusals_per_address_per_min: 2, ..Limits::default().without_rates() };
    let (server, _) = start(limits, Namespace::new(authentication()));
    for _ in 0..2 {
        with_bad_token(&server).expect(INVALID);
    }
    let time = Stopwatch::start();
    let mut waiting: Vec<_> = (0..5).map(|_| with_bad_token(&server)).collect();
    let good = token(&json!({ "id": "ada", "exp": TestClock::START_SECS + 60 }));
    Client::connect_as(server.address(), &good).call("420[\"echo\",1]", "430[1]");
    for (client, wait_ms) in waiting.iter_mut().zip([250, 500, 1000, 2000, 4000]) {
        client.expect(INVALID);
        assert!(time.elapsed() >= Duration::from_millis(wait_ms), "{wait_ms}");
    }
    assert_eq!(counted(&server), [("refusals_per_address_per_min".to_owned(), 5)]);
}

#[test]
fn a_bad_token_that_cannot_wait_for_its_refusal_closes_the_connection() {
    let limits = Limits {
        refusals_per_address_per_min: 1,
        refusals_waiting_per_address: 0,
        ..Limits::default().without_rates()
    };
    let (server, _) = start(limits, Namespace::new(authentication()));
    with_bad_token(&server).expect(INVALID);
    assert_eq!(with_bad_token(&server).closed(), Some(1013), "to be tried again later");
    assert_eq!(counted(&server), [("refusals_waiting_per_address".to_owned(), 1)]);
}

#[test]
fn tokens_that_were_good_once_are_no_guesses() {
    let limits = Limits { refusals_per_address_per_min: 1, ..Limits::default().without_rates() };
    let (server, _) = start(limits, Namespace::new(authentication()));
    let expired = token(&json!({ "id": "ada", "exp": TestClock::START_SECS - 3600 }));
    for _ in 0..10 {
        let mut client = Client::open(server.address());
        client.text(&format!(r#"40{{"token":"{expired}"}}"#));
        assert!(client.receive_text().contains("TOKEN_EXPIRED"));
    }
    with_bad_token(&server).expect(INVALID);
    assert_eq!(counted(&server), []);
}

fn few_events() -> Limits {
    Limits { events_per_socket_per_s: 1, events_per_socket_burst: 3, ..Limits::default().without_rates() }
}

#[test]
fn events_beyond_the_rate_are_refused_and_not_handled() {
    let (server, _) = start(few_events(), Namespace::open());
    let mut client = Client::connect(server.address());
    let mut other = Client::connect(server.address());
    for id in 0..3 {
        client.call(&format!("42{id}[\"echo\",1]"), &format!("43{id}[1]"));
    }
    client.text("423[\"echo\",1]");
    let refused = client.receive_text();
    let expected =
        r#"433[{"error":"Too many requests","code":"RATE_LIMITED","retry":"after","retryAfterMs":"#;
    assert!(refused.starts_with(expected), "{refused}");
    client.text("42[\"reply\",1]");
    client.expect(r#"42["error",{"code":"RATE_LIMITED","message":"Too many requests"}]"#);
    other.call("420[\"echo\",2]", "430[2]");
}

#[test]
fn who_floods_on_regardless_is_disconnected() {
    let (server, _) = start(few_events(), Namespace::open());
    let mut client = Client::connect(server.address());
    let frame = WebSocketClient::frame(Opcode::Text, b"42[\"echo\"]");
    client.send(frame.repeat(20));
    let mut refused = 0;
    let close = loop {
        match client.receive() {
            Received::Text(text) => {
                assert!(text.contains("RATE_LIMITED"), "{text}");
                refused += 1;
            }
            Received::Close(code) => break code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((refused, close), (3, Some(1008)));
}

#[test]
fn the_sockets_of_a_user_share_one_rate() {
    let limits =
        Limits { events_per_user_per_s: 1, events_per_user_burst: 4, ..Limits::default().without_rates() };
    let (server, _) = start(limits, Namespace::new(authentication()));
    let token = |id| token(&json!({ "id": id, "exp": TestClock::START_SECS + 60 }));
    let mut clients: Vec<_> = (0..2).map(|_| Client::connect_as(server.address(), &token("ada"))).collect();
    for client in &mut clients {
        for id in 0..2 {
            client.call(&format!("42{id}[\"echo\",1]"), &format!("43{id}[1]"));
        }
    }
    for client in &mut clients {
        client.text("422[\"echo\",1]");
        assert!(client.receive_text().contains("RATE_LIMITED"));
    }
    Client::connect_as(server.address(), &token("bob")).call("420[\"echo\",1]", "430[1]");
    assert_eq!(counted(&server), [("events_per_user_per_s".to_owned(), 2)]);
    drop(clients);
    let mut again = Client::connect_as(server.address(), &token("ada"));
    again.text("420[\"echo\",1]");
    assert!(again.receive_text().contains("RATE_LIMITED"), "to connect anew gives no new burst");
}

#[test]
fn the_oldest_socket_of_a_user_makes_room_for_one_too_many() {
    let limits = Limits { sockets_per_user: 2, ..Limits::default().without_rates() };
    let (server, _) = start(limits, Namespace::new(authentication()));
    let token = |id| token(&json!({ "id": id, "exp": TestClock::START_SECS + 60 }));
    let connect = |id| Client::connect_as(server.address(), &token(id));
    let (mut first, mut second, mut other) = (connect("ada"), connect("ada"), connect("bob"));
    let mut third = connect("ada");
    let revoked = first.receive_text();
    assert!(revoked.starts_with(r#"42["auth:revoked","#), "{revoked}");
    assert!(revoked.contains(r#""reason":"session_limit""#), "{revoked}");
    first.expect("41");
    assert_eq!(first.closed(), Some(4403));
    for client in [&mut second, &mut third, &mut other] {
        client.call("420[\"echo\",1]", "430[1]");
    }
    assert_eq!(counted(&server), [("sockets_per_user".to_owned(), 1)]);
    drop(second);
    eventually("the second is gone", || server.handle().connection_count() == 2);
    let mut fourth = connect("ada");
    fourth.call("420[\"echo\",1]", "430[1]");
    third.call("420[\"echo\",1]", "430[1]");
    assert_eq!(counted(&server), [("sockets_per_user".to_owned(), 1)], "nobody else had to go");
}

/// A look at a token is work, too: who comes and goes without end is sent away.
#[test]
fn coming_and_going_has_the_rate_of_events() {
    let limits = Limits {
        events_per_socket_per_s: 1,
        events_per_socket_burst: 3,
        ..Limits::default().without_rates()
    };
    let (server, _) = start(limits, Namespace::open());
    let mut client = Client::open(server.address());
    for _ in 0..4 {
        client.join("40");
        client.text("41");
    }
    client.text("40");
    assert_eq!(client.receive(), Received::Close(Some(1008)));
}
