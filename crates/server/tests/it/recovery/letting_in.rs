//! What happens while a client that comes back is let in: middleware may take its time.

use super::*;

/// Middleware that waits while the sender says false.
fn waiting(recovery: Recovery) -> (TestServer, tokio::sync::watch::Sender<bool>) {
    let (release, released) = tokio::sync::watch::channel(true);
    let main = namespace(Namespace::open()).middleware(move |_: Socket| {
        let mut released = released.clone();
        async move {
            released.wait_for(|released| *released).await.expect("the test releases");
            Ok(())
        }
    });
    (start_with(ServerConfig { recovery: Some(recovery), ..config() }, main), release)
}

/// Whose time runs out while it is being let in begins anew, and leaves nothing behind.
#[test]
fn who_is_let_in_too_late_begins_anew() {
    let (server, release) =
        waiting(Recovery { max_disconnection: Duration::from_millis(500), ..Recovery::default() });
    for is_let_in in [true, false] {
        let (client, memory) = connect(&server);
        release.send_replace(false);
        lose(&server, client);
        let mut client = Client::open(server.address());
        client.text(&memory.connect(json!({})));
        eventually("its time is over", || server.handle().room_count() == 0);
        if is_let_in {
            release.send_replace(true);
            // On a slow machine it may have come too late altogether.
            match client.receive() {
                Received::Close(code) => assert_eq!(code, Some(1013)),
                Received::Text(answer) => assert!(!answer.contains(&memory.sid), "{answer}"),
                other => panic!("{other:?}"),
            }
        }
        drop(client);
        eventually("nothing is left", || {
            server.handle().connection_count() == 0 && server.metrics().contains("roomkey_parked_sockets 0\n")
        });
        release.send_replace(true);
    }
}

/// What the server does to a socket while its client is let in is done to it.
#[test]
fn rooms_that_an_absent_client_is_put_into_and_out_of() {
    let (server, release) = waiting(Recovery::default());
    let (mut client, memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    lose(&server, client);
    server.handle().to("/", &room("a")).sockets_join(&room("b"));
    release.send_replace(false);
    let mut client = Client::open(server.address());
    client.text(&memory.connect(json!({})));
    client.send(roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Ping, b""));
    assert_eq!(client.receive(), Received::Pong(Vec::new()));
    server.handle().to("/", &room("b")).sockets_join(&room("c"));
    server.handle().to("/", &room("a")).sockets_leave(&room("a"));
    let say_names = || {
        for name in ["a", "b", "c"] {
            server.handle().to("/", &room(name)).emit("said", &(name,)).expect("encodes");
        }
    };
    let mut now = memory.clone();
    say_names();
    release.send_replace(true);
    expect_said(&mut client, &mut now, "b");
    expect_said(&mut client, &mut now, "c");
    assert!(client.receive_text().contains(&memory.sid));
    say_names();
    expect_said(&mut client, &mut now, "b");
    expect_said(&mut client, &mut now, "c");
}

/// Rooms that middleware joins are heard from the moment it does, but nothing comes before what was missed.
#[test]
fn what_happens_while_a_client_is_let_in_comes_behind_what_it_missed() {
    let (release, released) = tokio::sync::watch::channel(true);
    let main = namespace(Namespace::open()).middleware(move |socket: Socket| {
        let mut released = released.clone();
        async move {
            socket.join(&room("a")).expect("room for one");
            released.wait_for(|released| *released).await.expect("the test releases");
            Ok(())
        }
    });
    let server = start_with(recovering(), main);
    let (client, memory) = connect(&server);
    lose(&server, client);
    say(&server, "1");
    release.send_replace(false);
    let mut client = Client::open(server.address());
    client.text(&memory.connect(json!({})));
    // Answered behind the CONNECT packet: the server has read it.
    client.send(roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Ping, b""));
    assert_eq!(client.receive(), Received::Pong(Vec::new()));
    say(&server, "2");
    say(&server, "3");
    release.send_replace(true);
    for text in ["1", "2", "3"] {
        let packet = client.receive_text();
        assert!(packet.starts_with(&format!("42[\"said\",\"{text}\"")), "{packet}");
    }
    assert!(client.receive_text().contains(&memory.sid));
    say(&server, "4");
    assert!(client.receive_text().starts_with("42[\"said\",\"4\""));
}
