//! The end of a token is the end of its connection.

use std::{sync::Arc, time::Duration};

use roomkey::{Namespace, ServerConfig};
use roomkey_testkit::{Client, Polling, Received, TestClock, TestServer, authentication, token};
use serde_json::json;

use crate::support::{clocked, config, namespace, next, start_with};

const EXPIRED: &str =
    r#"42["auth:expired",{"code":"TOKEN_EXPIRED","message":"Authentication error: Token expired"}]"#;

fn start() -> (TestServer, Arc<TestClock>) {
    let (config, clock) = clocked();
    let config = ServerConfig { expiry_warning: Duration::ZERO, ..config };
    (start_with(config, namespace(Namespace::new(authentication()))), clock)
}

fn token_for(seconds: u64) -> String {
    token(&json!({ "id": "ada", "exp": TestClock::START_SECS + seconds }))
}

#[test]
fn a_connection_ends_with_its_token_and_without_a_disconnect_packet() {
    let (server, clock) = start();
    let mut client = Client::connect_as(server.address(), &token_for(60));
    clock.advance_secs(59);
    for _ in 0..3 {
        client.expect("2");
        client.text("3");
    }
    clock.advance_secs(1);
    assert_eq!(next(&mut client), Received::Text(EXPIRED.to_owned()));
    assert_eq!(next(&mut client), Received::Close(Some(4401)));
    assert_eq!(next(&mut client), Received::End);
}

#[test]
fn the_same_over_long_polling() {
    let (server, clock) = start();
    let mut client = Polling::open(server.address());
    client.post(&format!(r#"40{{"token":"{}"}}"#, token_for(60)));
    assert!(client.poll().starts_with("40{"));
    clock.advance_secs(60);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|packet| packet != "1") {
        let payload = client.poll();
        heard.extend(payload.split('\u{1e}').filter(|packet| *packet != "2").map(str::to_owned));
    }
    assert_eq!(heard, [EXPIRED, "1"]);
    assert!(client.is_gone());
}

/// With a clock that runs, the deadline itself wakes the server: no ping is near.
#[test]
fn the_deadline_comes_by_itself() {
    let clock = Arc::new(roomkey::SystemClock);
    let config = ServerConfig { clock, expiry_warning: Duration::ZERO, ..config() };
    let server = start_with(config, namespace(Namespace::new(authentication())));
    let now = roomkey::Clock::now(&roomkey::SystemClock).as_secs();
    let token = token(&json!({ "id": "ada", "exp": now + 2 }));
    let mut client = Client::connect_as(server.address(), &token);
    client.expect(EXPIRED);
    assert!(roomkey::Clock::now(&roomkey::SystemClock).as_secs() >= now + 2, "not too early");
    assert_eq!(client.receive(), Received::Close(Some(4401)));
}

#[test]
fn a_token_is_checked_when_it_is_used() {
    let (server, clock) = start();
    let mut client = Client::open(server.address());
    clock.advance_secs(60);
    client.text(&format!(r#"40{{"token":"{}"}}"#, token_for(60)));
    assert_eq!(
        next(&mut client),
        Received::Text(
            r#"44{"message":"Authentication error: Token expired","data":{"code":"TOKEN_EXPIRED","retry":"refresh"}}"#
                .to_owned()
        )
    );
}

/// A clock that is set back gives time back; nobody is thrown out for a correction.
#[test]
fn a_clock_that_is_set_back_ends_nothing() {
    let (server, clock) = start();
    let mut client = Client::connect_as(server.address(), &token_for(60));
    clock.set(roomkey::Timestamp::from_secs(TestClock::START_SECS - 3600));
    for _ in 0..3 {
        client.expect("2");
        client.text("3");
    }
    client.text("420[\"echo\"]");
    assert_eq!(next(&mut client), Received::Text("430[]".to_owned()));
    clock.set(roomkey::Timestamp::from_secs(TestClock::START_SECS + 60));
    assert_eq!(next(&mut client), Received::Text(EXPIRED.to_owned()));
}

#[test]
fn many_tokens_that_end_at_once_end_at_once() {
    let (server, clock) = start();
    let token = token_for(60);
    let mut clients: Vec<_> = (0..100).map(|_| Client::connect_as(server.address(), &token)).collect();
    clock.advance_secs(60);
    for client in &mut clients {
        assert_eq!(next(client), Received::Text(EXPIRED.to_owned()));
        assert_eq!(client.closed(), Some(4401));
    }
}

/// An ack that comes too late is not sent, though the handler has done its work.
#[test]
fn a_token_that_ends_in_the_midst_of_a_handler() {
    let clock = Arc::new(TestClock::default());
    let (release, released) = tokio::sync::watch::channel(false);
    let main = namespace(Namespace::new(authentication())).on("slow", move |_: roomkey::Socket, (): ()| {
        let mut released = released.clone();
        async move { released.wait_for(|is_released| *is_released).await.map(|_| "done").unwrap_or("stopped") }
    });
    let config = ServerConfig {
        clock: clock.clone(),
        expiry_warning: Duration::ZERO,
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_secs(60),
        ..config()
    };
    let server = start_with(config, main);
    let mut client = Client::connect_as(server.address(), &token_for(60));
    client.text("420[\"slow\"]");
    clock.advance_secs(60);
    assert_eq!(next(&mut client), Received::Text(EXPIRED.to_owned()));
    release.send(true).expect("the handler waits");
    assert_eq!(next(&mut client), Received::Close(Some(4401)));
}

#[test]
fn a_token_that_ends_in_the_midst_of_a_message() {
    let (server, clock) = start();
    let mut client = Client::connect_as(server.address(), &token_for(60));
    client.text("451-0[\"echo\",{\"_placeholder\":true,\"num\":0}]");
    clock.advance_secs(60);
    assert_eq!(next(&mut client), Received::Text(EXPIRED.to_owned()));
    assert_eq!(next(&mut client), Received::Close(Some(4401)));
}

#[test]
fn a_token_that_ends_in_the_midst_of_an_upgrade() {
    let (server, clock) = start();
    let mut polling = Polling::open(server.address());
    polling.post(&format!(r#"40{{"token":"{}"}}"#, token_for(60)));
    assert!(polling.poll().starts_with("40{"));
    let mut websocket = roomkey_testkit::WebSocketClient::open(server.address(), &polling.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    clock.advance_secs(60);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|packet| packet != "1") {
        heard.extend(polling.poll().split('\u{1e}').map(str::to_owned));
    }
    heard.retain(|packet| packet != "2" && packet != "6");
    assert_eq!(heard, [EXPIRED, "1"]);
    websocket.closed();
    assert!(polling.is_gone());
}

/// A clock that is set forward ends those tokens that are over by it, and no others, without a ping coming by.
#[test]
fn a_clock_that_is_set_forward_ends_what_is_over() {
    let clock = Arc::new(TestClock::default());
    let config = ServerConfig { clock: clock.clone(), expiry_warning: Duration::ZERO, ..config() };
    let server = start_with(config, namespace(Namespace::new(authentication())));
    let mut over = Client::connect_as(server.address(), &token_for(1800));
    let mut lasting = Client::connect_as(server.address(), &token_for(7200));
    clock.advance_secs(3600);
    over.expect(EXPIRED);
    assert_eq!(over.receive(), Received::Close(Some(4401)));
    lasting.call("420[\"echo\"]", "430[]");
}
