//! Many sockets at once: who is meant, and what is done to them.

use std::sync::mpsc;

use roomkey::{Broadcast, Event, Failure, Namespace, RoomName, Socket};
use roomkey_testkit::{Client, TestServer, eventually};

use crate::support::{config, namespace, start, start_with};

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a good name")
}

/// A client in these rooms.
fn member(server: &TestServer, rooms: &[&str]) -> Client {
    let mut client = Client::connect(server.address());
    for name in rooms {
        client.call(&format!(r#"420["join","{name}"]"#), "430[true]");
    }
    client
}

/// Everyone gets the broadcast, or nothing, and then their own echo.
#[track_caller]
fn check(broadcast: &Broadcast, clients: &mut [Client], heard_by: &[bool]) {
    broadcast.emit("news", &(1,)).expect("a number");
    for (index, (client, hears)) in clients.iter_mut().zip(heard_by).enumerate() {
        if *hears {
            assert_eq!(client.receive_text(), r#"42["news",1]"#, "client {index}");
        }
        client.call("421[\"echo\"]", "431[]");
    }
}

#[test]
fn rooms_are_added_up_and_taken_away() {
    let server = start(config());
    let mut clients =
        [&["a"][..], &["b"], &["a", "b"], &["c"], &["a", "c"], &[]].map(|rooms| member(&server, rooms));
    let to = |name: &str| server.handle().to("/", &room(name));
    let everyone = server.handle().everyone("/");
    let (yes, no) = (true, false);
    check(&to("a"), &mut clients, &[yes, no, yes, no, yes, no]);
    check(&to("a").to(&room("b")), &mut clients, &[yes, yes, yes, no, yes, no]);
    check(&to("a").to(&room("a")), &mut clients, &[yes, no, yes, no, yes, no]);
    check(&to("a").to(&room("nobody")), &mut clients, &[yes, no, yes, no, yes, no]);
    check(&to("a").except_room(&room("c")), &mut clients, &[yes, no, yes, no, no, no]);
    check(&to("a").to(&room("b")).except_room(&room("a")), &mut clients, &[no, yes, no, no, no, no]);
    check(&everyone.clone().except_room(&room("a")), &mut clients, &[no, yes, no, yes, no, yes]);
    check(&everyone.clone().to(&room("c")), &mut clients, &[no, no, no, yes, yes, no]);
    check(&everyone.except_room(&room("nobody")), &mut clients, &[yes; 6]);
}

#[test]
fn a_socket_leaves_itself_out_or_does_not() {
    let main = namespace(Namespace::open()).on("tell", async |socket: Socket, (whom,): (String,)| {
        let broadcast = match &*whom {
            "others" => socket.broadcast(),
            "everyone" => socket.everyone(),
            "others in a or b" => socket.to(&room("a")).to(&room("b")),
            _ => socket.in_room(&room("a")).to(&room("b")),
        };
        broadcast.emit("told", &(whom,)).expect("text");
    });
    let server = start_with(config(), main);
    let mut clients = [&["a"][..], &["b"], &[]].map(|rooms| member(&server, rooms));
    let heard_by = [
        ("others", [false, true, true]),
        ("everyone", [true, true, true]),
        ("others in a or b", [false, true, false]),
        ("all in a or b", [true, true, false]),
    ];
    for (whom, heard_by) in heard_by {
        clients[0].text(&format!(r#"42["tell","{whom}"]"#));
        clients[0].text("421[\"echo\"]");
        for (index, (client, hears)) in clients.iter_mut().zip(heard_by).enumerate() {
            if hears {
                assert_eq!(client.receive_text(), format!(r#"42["told","{whom}"]"#), "client {index}");
            }
            if index == 0 {
                client.expect("431[]");
            } else {
                client.call("421[\"echo\"]", "431[]");
            }
        }
    }
}

#[test]
fn many_sockets_join_and_leave_at_once() {
    let main = namespace(Namespace::open()).on("rooms", async |socket: Socket, (): ()| {
        let mut rooms: Vec<_> = socket.rooms().iter().map(ToString::to_string).collect();
        rooms.sort();
        rooms.join(" ")
    });
    let server = start_with(config(), main);
    let mut clients = [&["a"][..], &["b"], &["a", "b"], &[]].map(|rooms| member(&server, rooms));
    let rooms = |clients: &mut [Client]| {
        clients
            .iter_mut()
            .map(|client| {
                client.text("421[\"rooms\"]");
                client.receive_text()
            })
            .collect::<Vec<_>>()
    };
    let handle = server.handle();
    handle.to("/", &room("a")).to(&room("b")).sockets_join(&room("new"));
    assert_eq!(
        rooms(&mut clients),
        [r#"431["a new"]"#, r#"431["b new"]"#, r#"431["a b new"]"#, r#"431[""]"#]
    );
    handle.everyone("/").except_room(&room("a")).sockets_leave(&room("new"));
    assert_eq!(rooms(&mut clients), [r#"431["a new"]"#, r#"431["b"]"#, r#"431["a b new"]"#, r#"431[""]"#]);
}

#[test]
fn many_sockets_are_disconnected_at_once() {
    let (sender, gone) = mpsc::channel();
    let main = namespace(Namespace::open()).on_disconnect(move |socket: Socket, _| {
        sender.send(socket.is_connected()).expect("the test waits");
        std::future::ready(())
    });
    let server = start_with(config(), main);
    let mut clients = [&["a"][..], &["b"], &["a", "b"]].map(|rooms| member(&server, rooms));
    server.handle().to("/", &room("a")).except_room(&room("b")).disconnect_sockets(false);
    clients[0].expect("41");
    clients[0].join("40");
    server.handle().to("/", &room("b")).disconnect_sockets(true);
    for client in &mut clients[1..] {
        client.expect("41");
        client.closed();
    }
    for _ in 0..3 {
        assert!(!gone.recv_timeout(roomkey_testkit::PATIENCE).expect("three sockets are gone"));
    }
    clients[0].call("421[\"echo\"]", "431[]");
    eventually("one connection is left", || server.handle().connection_count() == 1);
}

#[test]
fn events_are_checked_before_they_are_handled() {
    let main = namespace(Namespace::open())
        .check_events(|event: &Event| match event.args.argument::<Option<bool>>(0) {
            Ok(Some(true)) => Err(Failure::forbidden()),
            _ => Ok(()),
        })
        .check_events(|event: &Event| {
            assert!(event.args.json() != "[true]", "comes after a refusal");
            Ok(())
        });
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.call("420[\"echo\",true]", r#"430[{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}]"#);
    client.text("42[\"echo\",true]");
    client.call("421[\"echo\",false]", "431[false]");
}
