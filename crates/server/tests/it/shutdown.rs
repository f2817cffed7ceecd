//! Stopping: what was begun is finished, and everybody is told.

use std::time::Duration;

use roomkey::{Namespace, Socket};
use roomkey_testkit::{Client, HttpClient, PATIENCE, Polling, Received, Stopwatch, eventually};

use crate::support::{config, namespace, start, start_with};

#[test]
fn clients_are_told_to_come_back() {
    let mut server = start(config());
    let mut client = Client::connect(server.address());
    let mut stranger = Client::open(server.address());
    let mut polling = Polling::connect(server.address());
    polling.post("42[\"reply\"]");
    server.begin_stop();
    assert_eq!(client.receive(), Received::Close(Some(1012)));
    assert_eq!(client.receive(), Received::End);
    assert_eq!(stranger.closed(), Some(1012));
    eventually("the server stops", || server.is_stopped());
}

/// A request that was not read yet when the server stopped is none to it: so some rounds may be needed.
#[test]
fn a_held_poll_is_answered() {
    eventually("a held poll is answered", || {
        let mut server = start(config());
        let mut client = Polling::connect(server.address());
        let mut held = client.hold();
        client.post("6");
        server.begin_stop();
        let answer = held.rest();
        drop(server);
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n1")
    });
}

/// Nothing of what was accepted goes unanswered.
#[test]
fn events_that_are_being_handled_are_answered() {
    let (release, released) = tokio::sync::watch::channel(false);
    let main = namespace(Namespace::open()).on("slow", move |_: Socket, (): ()| {
        let mut released = released.clone();
        async move {
            released.wait_for(|released| *released).await.expect("the test releases");
            "done"
        }
    });
    let mut server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.text("420[\"slow\"]");
    client.call("421[\"echo\"]", "431[]");
    server.begin_stop();
    std::thread::sleep(Duration::from_millis(20));
    assert!(!server.is_stopped());
    let watch = Stopwatch::start();
    release.send_replace(true);
    client.expect("430[\"done\"]");
    assert_eq!(client.closed(), Some(1012));
    eventually("the server stops", || server.is_stopped());
    assert!(
        watch.elapsed() < config().drain_timeout,
        "it stops because all is done, not because time is over"
    );
}

/// Connections that ask for nothing, and sessions that nobody polls any more, are not waited for.
#[test]
fn idle_connections_do_not_delay_the_end() {
    let mut server = start(config());
    let silent = HttpClient::connect(server.address());
    let mut begun = HttpClient::connect(server.address());
    begun.send("GET / HT");
    let mut idle = HttpClient::connect(server.address());
    assert_eq!(idle.fetch("GET", "/nothing", "").status, 404);
    let mut closed = Polling::connect(server.address());
    closed.post("42{}");
    let abandoned = Polling::connect(server.address());
    let watch = Stopwatch::start();
    server.begin_stop();
    eventually("the server stops", || server.is_stopped());
    assert!(watch.elapsed() < Duration::from_secs(5), "{:?}", watch.elapsed());
    drop((silent, abandoned));
}

/// A client that sends without a pause hears the reason, too.
#[test]
fn a_busy_client_is_told() {
    for _ in 0..10 {
        let mut server = start(config());
        let mut client = Client::connect(server.address());
        let mut writer = client.writer();
        let flood = std::thread::spawn(move || {
            let event =
                roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Text, b"42[\"none\"]");
            while std::io::Write::write_all(&mut writer, &event.repeat(100)).is_ok() {}
        });
        server.begin_stop();
        assert_eq!(client.receive(), Received::Close(Some(1012)));
        drop(client);
        flood.join().expect("the flood ends with the connection");
    }
}

#[test]
fn nobody_is_let_in_any_more() {
    let mut server = start(config());
    let address = server.address();
    let client = Client::connect(address);
    server.begin_stop();
    eventually("the server stops", || server.is_stopped());
    drop(client);
    assert!(std::net::TcpStream::connect_timeout(&address, PATIENCE).is_err());
}
