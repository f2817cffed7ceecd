//! Joining namespaces (Socket.IO protocol v5).

use std::time::Duration;

use roomkey::{ErrorCode, Failure, Limits, Namespace, ServerBuilder, ServerConfig, Socket};
use roomkey_testkit::{Client, Polling, Received, Stopwatch, TestServer, authentication, eventually, token};
use serde_json::{Value, json};

use crate::support::{config, config_with, namespace, start, start_with};

fn check_answer(client: &mut Client, packet: &str, prefix: &str) -> String {
    client.text(packet);
    let answer = client.receive_text();
    assert!(answer.starts_with(prefix), "{packet}: {answer}");
    answer
}

#[test]
fn a_namespace_is_joined_with_and_without_auth() {
    let server = start(config());
    for packet in ["40", "40/,", "40{}", r#"40{"token":1}"#, r#"40/,{"a":[]}"#] {
        let mut client = Client::open(server.address());
        let answer = check_answer(&mut client, packet, r#"40{"sid":""#);
        let id =
            answer.strip_prefix(r#"40{"sid":""#).and_then(|rest| rest.strip_suffix(r#""}"#)).expect("an id");
        assert_eq!(id.len(), 20, "other servers of a cluster tell ids from rooms by their length");
        assert_ne!(id, &client.sid()[..20], "the session's id is a secret");
    }
}

#[test]
fn namespaces_share_a_connection() {
    let builder = ServerBuilder::new(config())
        .namespace("/", namespace(Namespace::open()))
        .namespace("/custom", namespace(Namespace::open()));
    let server = TestServer::start(builder.bind().expect("a free port"));
    let mut client = Client::open(server.address());
    check_answer(&mut client, "40/custom,", r#"40/custom,{"sid":""#);
    client.call("42/custom,7[\"echo\",1]", "43/custom,7[1]");
    let first = check_answer(&mut client, "40", r#"40{"sid":""#);
    client.call("427[\"echo\",2]", "437[2]");
    client.text("41");
    client.call("42/custom,8[\"echo\"]", "43/custom,8[]");
    let second = check_answer(&mut client, "40", r#"40{"sid":""#);
    assert_ne!(first, second, "joining again gives a new id");
    client.call("428[\"echo\"]", "438[]");
    for packet in ["40/Custom,", "40/custom?a=b,", "40/custom/,", "40/nothing"] {
        let name = packet.trim_start_matches("40").trim_end_matches(',');
        client.call(packet, &format!(r#"44{name},{{"message":"Invalid namespace"}}"#));
    }
    client.call("429[\"echo\"]", "439[]");
}

#[test]
fn a_client_that_joins_nothing_is_closed() {
    let server = start(config_with(Limits { auth_deadline_ms: 200, ..Limits::default() }));
    let watch = Stopwatch::start();
    let mut silent = Client::open(server.address());
    assert_eq!(silent.closed(), None);
    assert!(watch.elapsed() >= Duration::from_millis(200));
    let mut polling = Polling::open(server.address());
    assert_eq!(polling.poll(), "1");
    assert!(polling.is_gone());
    let mut joined = Client::connect(server.address());
    joined.text("41");
    let watch = Stopwatch::start();
    eventually("the deadline is over", || watch.elapsed() > Duration::from_millis(300));
    joined.join("40");
}

fn gate(socket: &Socket) -> Result<(), Failure> {
    match socket.auth() {
        Some(r#"{"token":"good"}"#) => Ok(()),
        _ => Err(Failure::forbidden()),
    }
}

fn gated(config: ServerConfig) -> TestServer {
    let main = Namespace::open().middleware(async |socket: Socket| gate(&socket));
    start_with(config, namespace(main))
}

const FORBIDDEN: &str = r#"44{"message":"Not allowed","data":{"code":"FORBIDDEN","retry":"never"}}"#;

#[test]
fn a_refused_client_may_try_again_on_the_same_connection() {
    let server = gated(config());
    let mut client = Client::open(server.address());
    client.call("40", FORBIDDEN);
    client.call(r#"40{"token":"bad"}"#, FORBIDDEN);
    client.join(r#"40{"token":"good"}"#);
    client.call("420[\"echo\"]", "430[]");

    let mut client = Polling::open(server.address());
    client.post("40");
    assert_eq!(client.poll(), FORBIDDEN);
    client.post(r#"40{"token":"good"}"#);
    assert!(client.poll().starts_with("40{"));
}

#[test]
fn the_third_failure_is_the_last() {
    let server = gated(config());
    let mut client = Client::open(server.address());
    for _ in 0..3 {
        client.call("40", FORBIDDEN);
    }
    assert_eq!(client.receive(), Received::Close(None));

    let mut client = Polling::open(server.address());
    for _ in 0..2 {
        client.post("40");
        assert_eq!(client.poll(), FORBIDDEN);
    }
    client.post("40");
    assert_eq!(client.poll(), FORBIDDEN);
    assert_eq!(client.poll(), "1");
    assert!(client.is_gone());
}

#[test]
fn a_refused_client_that_stays_is_closed() {
    let server = gated(config());
    let mut client = Client::open(server.address());
    client.call("40", FORBIDDEN);
    assert_eq!(client.closed(), None);
    let mut client = Client::open(server.address());
    client.call("40/nothing", r#"44/nothing,{"message":"Invalid namespace"}"#);
    assert_eq!(client.closed(), None);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

/// The second chance is given time of its own: what is slow is ours.
#[test]
fn a_client_that_is_being_admitted_is_not_closed_for_an_earlier_refusal() {
    let main = Namespace::open().middleware(async |_: Socket| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        Ok(())
    });
    let server = start_with(config(), main);
    let mut client = Client::open(server.address());
    client.call("40/nothing", r#"44/nothing,{"message":"Invalid namespace"}"#);
    client.join("40");
}

#[test]
fn joining_twice_ends_the_connection() {
    let server = start(config());
    for packet in ["40", r#"40{"a":1}"#, "40/,"] {
        let mut client = Client::connect(server.address());
        client.text(packet);
        assert_eq!(client.closed(), None, "{packet}");
    }
    let mut client = Polling::connect(server.address());
    client.post("40");
    assert_eq!(client.poll(), "1");
    assert!(client.is_gone());
}

/// Nobody is in before the answer, and asking again while the first answer is due is a violation, too.
#[test]
fn while_the_answer_is_due_nothing_else_may_be_sent() {
    let main = Namespace::open().middleware(async |_: Socket| std::future::pending().await);
    let server = start_with(config(), namespace(main));
    for packet in ["40", "42[\"echo\"]", "41", "431[]"] {
        let mut client = Client::open(server.address());
        client.text("40");
        client.text(packet);
        assert_eq!(client.closed(), None, "{packet}");
    }
    let mut flood = Polling::open(server.address());
    flood.post(&vec!["40"; 1000].join("\u{1e}"));
    assert_eq!(flood.poll(), "1");
}

#[test]
fn middlewares_run_in_order_and_the_first_refusal_counts() {
    let main = Namespace::open()
        .middleware(async |socket: Socket| {
            socket.extensions(|extensions| extensions.insert("first"));
            Ok(())
        })
        .middleware(async |socket: Socket| {
            tokio::task::yield_now().await;
            match socket.extensions(|extensions| extensions.get::<&str>().copied()) {
                Some("first") => Err(Failure::with_message(ErrorCode::Conflict, "not twice")),
                _ => Ok(()),
            }
        })
        .middleware(async |_: Socket| panic!("comes after a refusal"));
    let server = start_with(config(), main);
    let mut client = Client::open(server.address());
    client.call("40", r#"44{"message":"not twice","data":{"code":"CONFLICT","retry":"never"}}"#);
}

/// Stock clients do not come back after a refusal, but they do after a close.
#[test]
fn a_client_that_should_come_back_later_is_closed() {
    let main = Namespace::open().middleware(async |_: Socket| Err(ErrorCode::Unavailable.into()));
    let server = start_with(config(), main);
    let mut client = Client::open(server.address());
    client.text("40");
    assert_eq!(client.receive(), Received::Close(Some(1013)));
    let mut client = Polling::open(server.address());
    client.post("40");
    assert_eq!(client.poll(), "1");
    assert!(client.is_gone());
}

#[test]
fn the_auth_payload_and_the_handshake_reach_the_application() {
    let main = Namespace::open().on_connect(async |socket: Socket| {
        let handshake = socket.handshake();
        let auth: Value = serde_json::from_str(socket.auth().expect("an open namespace")).expect("JSON");
        let seen = json!([auth, handshake.query("room"), handshake.header("x-app"), handshake.address]);
        socket.emit("seen", &(seen,)).expect("JSON");
    });
    let server = start_with(config(), main);
    let connect = |auth: &str| {
        let mut client = roomkey_testkit::WebSocketClient::ask(
            roomkey_testkit::HttpClient::connect(server.address()),
            "/socket.io/?room=a%20b&EIO=4&transport=websocket",
            "X-App: yes\r\n",
        )
        .expect("a WebSocket");
        assert!(client.receive_text().starts_with("0{"));
        client.text(auth);
        assert!(client.receive_text().starts_with("40{"));
        client.receive_text()
    };
    assert_eq!(connect(r#"40{"a":{"b":null}}"#), r#"42["seen",[{"a":{"b":null}},"a b","yes","127.0.0.1"]]"#);
    assert_eq!(connect("40"), r#"42["seen",[{},"a b","yes","127.0.0.1"]]"#);
}

#[test]
fn tokens_are_asked_for_and_other_users_are_not_let_in_beside_the_first() {
    let builder = ServerBuilder::new(config())
        .namespace("/", namespace(Namespace::new(authentication())))
        .namespace("/other", namespace(Namespace::new(authentication())));
    let server = TestServer::start(builder.bind().expect("a free port"));
    let exp = 4_000_000_000_u64.min(now_secs() + 3600);
    let (ada, bob) = (token(&json!({"id": "ada", "exp": exp})), token(&json!({"id": "bob", "exp": exp})));
    let mut client = Client::open(server.address());
    client.call(
        "40",
        r#"44{"message":"Authentication error: No token provided","data":{"code":"TOKEN_MISSING","retry":"never"}}"#,
    );
    client.call(
        r#"40{"token":"x.y.z"}"#,
        r#"44{"message":"Authentication error: Invalid token","data":{"code":"TOKEN_INVALID","retry":"never"}}"#,
    );
    client.join(&format!(r#"40{{"token":"{ada}"}}"#));
    client.call(
        &format!(r#"40/other,{{"token":"{bob}"}}"#),
        r#"44/other,{"message":"The token belongs to somebody else","data":{"code":"PRINCIPAL_MISMATCH","retry":"never"}}"#,
    );
    assert_eq!(client.closed(), None, "that was the third failure");
    let mut client = Client::connect_as(server.address(), &ada);
    client.join(&format!(r#"40/other,{{"token":"Bearer {ada}"}}"#));
}

fn now_secs() -> u64 {
    use roomkey::Clock;
    roomkey::SystemClock.now().as_secs()
}

#[test]
fn namespaces_of_one_connection_are_counted() {
    let mut builder = ServerBuilder::new(config());
    for index in 0..17 {
        builder = builder.namespace(&format!("/{index}"), namespace(Namespace::open()));
    }
    let server = TestServer::start(builder.bind().expect("a free port"));
    let mut client = Client::open(server.address());
    for index in 0..16 {
        check_answer(&mut client, &format!("40/{index},"), &format!(r#"40/{index},{{"sid":""#));
    }
    client.text("40/16,");
    assert_eq!(client.closed(), None);
    let mut client = Client::open(server.address());
    for index in 0..100 {
        client.call(&format!("40/no{index}"), &format!(r#"44/no{index},{{"message":"Invalid namespace"}}"#));
    }
    check_answer(&mut client, "40/0,", r#"40/0,{"sid":""#);
}
