//! Pings, pongs, and the end of a client that does not answer.
//!
//! How late the server notices is for the tests of the protocol on virtual time; here it must never be early.

use std::time::Duration;

use roomkey::{Limits, ServerConfig};
use roomkey_testkit::{Client, Polling, Received, Stopwatch, eventually};

use crate::support::{config, start};

const INTERVAL: Duration = Duration::from_millis(300);
const TIMEOUT: Duration = Duration::from_millis(200);
/// The server counts whole milliseconds, and a message may come at the end of one.
const RESOLUTION: Duration = Duration::from_millis(1);

fn quick() -> ServerConfig {
    ServerConfig { ping_interval: INTERVAL, ping_timeout: TIMEOUT, ..config() }
}

#[test]
fn a_websocket_that_does_not_answer_is_closed_in_time() {
    let server = start(quick());
    let watch = Stopwatch::start();
    let mut client = Client::connect(server.address());
    client.expect("2");
    assert!(watch.elapsed() + RESOLUTION >= INTERVAL);
    assert_eq!(client.receive(), Received::Close(None));
    assert!(watch.elapsed() + RESOLUTION >= INTERVAL + TIMEOUT);
    assert_eq!(client.receive(), Received::End);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn a_client_that_answers_stays() {
    let server = start(quick());
    let mut client = Client::connect(server.address());
    for _ in 0..6 {
        client.expect("2");
        client.text("3");
    }
    client.call("420[\"echo\"]", "430[]");
}

/// Only a pong answers a ping, however much else is sent; it does give some more time, once.
#[test]
fn packets_are_no_pongs() {
    let server = start(quick());
    let mut client = Client::connect(server.address());
    client.expect("2");
    let watch = Stopwatch::start();
    client.text("6");
    assert_eq!(client.closed(), None);
    assert!(watch.elapsed() + RESOLUTION >= TIMEOUT);
    let mut client = Client::connect(server.address());
    let mut writer = client.writer();
    let flood = std::thread::spawn(move || {
        let noop = roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Text, b"6");
        while std::io::Write::write_all(&mut writer, &noop).is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    client.closed();
    drop(client);
    flood.join().expect("the flood ends with the connection");
}

#[test]
fn pongs_that_answer_nothing_change_nothing() {
    let server = start(quick());
    let watch = Stopwatch::start();
    let mut client = Client::connect(server.address());
    for _ in 0..100 {
        client.text("3");
    }
    client.expect("2");
    assert!(watch.elapsed() + RESOLUTION >= INTERVAL);
    assert_eq!(client.closed(), None);
}

#[test]
fn a_poll_is_answered_by_the_ping() {
    let server = start(quick());
    let mut client = Polling::connect(server.address());
    for _ in 0..3 {
        assert_eq!(client.poll(), "2");
        client.post("3");
    }
    client.post("420[\"echo\"]");
    assert_eq!(client.poll(), "430[]");
}

#[test]
fn a_client_that_stops_polling_is_gone_in_time() {
    let server = start(quick());
    let watch = Stopwatch::start();
    let client = Polling::open(server.address());
    eventually("nothing is left", || server.handle().connection_count() == 0);
    assert!(watch.elapsed() + RESOLUTION >= INTERVAL + TIMEOUT);
    assert!(client.is_gone());
}

#[test]
fn a_client_that_polls_but_does_not_answer_is_gone_in_time() {
    let server = start(quick());
    let watch = Stopwatch::start();
    let mut client = Polling::connect(server.address());
    assert_eq!(client.poll(), "2");
    assert_eq!(client.poll(), "1", "the poll that is held when the time is over");
    assert!(watch.elapsed() + RESOLUTION >= INTERVAL + TIMEOUT);
    assert!(client.is_gone());
}

#[test]
fn clients_that_vanish_are_noticed() {
    let server = start(ServerConfig { limits: Limits::default(), ..quick() });
    // Still open, but nobody is there: as after a pulled cable.
    let clients: Vec<_> = (0..50).map(|_| Client::connect(server.address())).collect();
    eventually("nothing is left", || server.handle().connection_count() == 0);
    drop(clients);
}
