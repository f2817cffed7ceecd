//! When a session is there, and when it is gone.

use std::{collections::HashSet, thread::sleep, time::Duration};

use roomkey::{Limits, ServerConfig};
use roomkey_testkit::{HttpClient, Polling, Stopwatch, eventually};

use crate::support::{config, config_with, start};

const UNKNOWN: (u16, &str) = (400, r#"{"code":1,"message":"Session ID unknown"}"#);

/// CVE-2017-16031: nobody can guess the id of a session, however many they have seen.
#[test]
fn no_session_id_resembles_another() {
    let server = start(config());
    let mut http = HttpClient::connect(server.address());
    let mut ids = HashSet::new();
    for _ in 0..500 {
        let open = http.fetch("GET", "/socket.io/?EIO=4&transport=polling", "").body;
        let id = open[9..36].to_owned();
        // Eight characters are 48 bits: two of 500 ids share them once in two billion runs.
        assert!(ids.insert(id[..8].to_owned()) && ids.insert(id[19..].to_owned()), "{id}");
    }
}

/// Whoever was silent for an interval and a timeout is gone at that very moment, not a tick later.
#[test]
fn a_poll_when_the_time_is_over_finds_no_session() {
    let (interval, timeout) = (Duration::from_millis(200), Duration::from_millis(1000));
    let server = start(ServerConfig { ping_interval: interval, ping_timeout: timeout, ..config() });
    let sessions: Vec<_> = (0..30)
        .map(|_| {
            // So that the ends of the sessions are spread over the ticks of the server's timers.
            sleep(Duration::from_millis(3));
            (Polling::open(server.address()), Stopwatch::start())
        })
        .collect();
    for (session, opened) in &sessions {
        // The server counts whole milliseconds.
        sleep((interval + timeout + Duration::from_millis(1)).saturating_sub(opened.elapsed()));
        assert_eq!(session.hold().response().brief(), UNKNOWN);
    }
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

/// The client's next request comes within milliseconds, and most likely to another thread.
#[test]
fn a_session_whose_poll_is_given_up_takes_no_more_requests() {
    let server = start(config());
    let mut at_once = 0;
    for _ in 0..20 {
        let mut client = Polling::connect(server.address());
        let held = client.hold();
        client.post("6");
        client.post("6");
        drop(held);
        let answer = client.hold().response();
        at_once += usize::from(answer.brief() == UNKNOWN);
        // Where both requests are there before the end of the first is, they are one too many.
        assert!([UNKNOWN, (400, ""), (200, "1")].contains(&answer.brief()), "{answer:?}");
        assert_eq!(client.hold().response().brief(), UNKNOWN);
    }
    assert!(at_once > 0);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn a_session_whose_post_is_given_up_takes_no_more_requests() {
    let server = start(config());
    for _ in 0..50 {
        let mut client = Polling::connect(server.address());
        let mut post = HttpClient::connect(server.address());
        post.send(format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n42", client.target()));
        let mut held = client.hold();
        drop(post);
        assert_eq!(held.response().brief(), UNKNOWN);
        assert_eq!(client.hold().response().brief(), UNKNOWN);
        assert_eq!(client.try_post("6").brief(), UNKNOWN);
    }
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

/// What the client has not got, and cannot get any more, is the end of its session: nothing is left out in silence.
#[test]
fn a_session_ends_when_the_answer_to_its_poll_cannot_be_written() {
    let limits = Limits { message_bytes: 20_000_000, outbox_bytes: 40_000_000, ..Limits::default() };
    let server = start(config_with(limits));
    let mut client = Polling::connect(server.address());
    // More than the kernel takes for a client that does not read.
    client.post(&format!("42[\"reply\",\"{}\"]", "x".repeat(19_000_000)));
    let mut poll = client.hold();
    poll.begin_response();
    drop(poll);
    eventually("nothing is left", || server.handle().connection_count() == 0);
    assert_eq!(client.hold().response().brief(), UNKNOWN);
}
