//! Rooms, broadcasts, and the order in which things arrive.

use roomkey::{Binary, Limits, Namespace, RoomName, ServerConfig, Socket};
use roomkey_testkit::{Client, Polling, Received};

use crate::support::{config, config_with, namespace, start, start_with};

fn room() -> RoomName {
    RoomName::new("room").expect("a good name")
}

fn main_namespace() -> Namespace {
    namespace(Namespace::open())
        .on("leave", async |socket: Socket, (room,): (RoomName,)| socket.leave(&room))
        .on("tell others", async |socket: Socket, (text,): (String,)| {
            socket.to(&room()).emit("told", &(text,)).expect("text");
        })
        .on("tell all others", async |socket: Socket, (text,): (String,)| {
            socket.broadcast().emit("told", &(text,)).expect("text");
        })
        .on("mixed", async |socket: Socket, (): ()| {
            socket.emit("direct", &(1,)).expect("a number");
            socket.in_room(&room()).emit("room", &(2,)).expect("a number");
            socket.emit("direct", &(3,)).expect("a number");
            socket.broadcast().emit("others", &(4,)).expect("a number");
            socket.in_room(&room()).emit("room", &(Binary(vec![5].into()),)).expect("bytes");
            socket.emit("direct", &(6,)).expect("a number");
        })
}

#[test]
fn a_room_hears_what_is_said_in_it() {
    let server = start_with(config(), main_namespace());
    let mut members: Vec<_> = (0..4).map(|_| Client::connect(server.address())).collect();
    let mut polling = Polling::connect(server.address());
    let mut outsider = Client::connect(server.address());
    for member in &mut members {
        member.call(r#"420["join","room"]"#, "430[true]");
        member.call(r#"420["join","room"]"#, "430[true]");
    }
    polling.post(r#"42["join","room"]"#);
    outsider.call(r#"420["say","room","hello"]"#, "430[true]");
    for member in &mut members {
        member.expect(r#"42["said","hello"]"#);
    }
    assert_eq!(polling.poll(), r#"42["said","hello"]"#);
    members[0].call(r#"421["tell others","psst"]"#, "431[]");
    members[0].call("422[\"echo\"]", "432[]");
    for member in &mut members[1..] {
        member.expect(r#"42["told","psst"]"#);
    }
    assert_eq!(polling.poll(), r#"42["told","psst"]"#);
    members[1].call(r#"423["leave","room"]"#, "433[]");
    outsider.call(r#"424["say","room","bye"]"#, "434[true]");
    members[1].call("425[\"echo\"]", "435[]");
    members[2].expect(r#"42["said","bye"]"#);
}

#[test]
fn everybody_else_hears_a_broadcast() {
    let server = start_with(config(), main_namespace());
    let mut clients: Vec<_> = (0..5).map(|_| Client::connect(server.address())).collect();
    clients[0].call(r#"420["tell all others","hi"]"#, "430[]");
    clients[0].call("421[\"echo\"]", "431[]");
    for client in &mut clients[1..] {
        client.expect(r#"42["told","hi"]"#);
    }
    server.handle().everyone("/").emit("all", &()).expect("nothing");
    for client in &mut clients {
        client.expect(r#"42["all"]"#);
    }
    server.handle().to("/", &room()).emit("nobody", &()).expect("nothing");
    clients[0].call("422[\"echo\"]", "432[]");
}

#[test]
fn what_is_said_to_a_room_and_to_one_socket_arrives_in_order() {
    let server = start_with(ServerConfig { threads: 1, ..config() }, main_namespace());
    let mut client = Client::connect(server.address());
    let mut other = Client::connect(server.address());
    for client in [&mut client, &mut other] {
        client.call(r#"420["join","room"]"#, "430[true]");
    }
    for _ in 0..20 {
        client.text("427[\"mixed\"]");
        client.expect(r#"42["direct",1]"#);
        client.expect(r#"42["room",2]"#);
        client.expect(r#"42["direct",3]"#);
        client.expect(r#"451-["room",{"_placeholder":true,"num":0}]"#);
        assert_eq!(client.receive(), Received::Binary(vec![5]));
        client.expect(r#"42["direct",6]"#);
        client.expect("437[]");
        other.expect(r#"42["room",2]"#);
        other.expect(r#"42["others",4]"#);
        other.expect(r#"451-["room",{"_placeholder":true,"num":0}]"#);
        assert_eq!(other.receive(), Received::Binary(vec![5]));
    }
}

/// What one client says arrives everywhere in the order said, on every thread of the server.
#[test]
fn a_stream_to_a_room_keeps_its_order() {
    let server = start_with(ServerConfig { threads: 4, ..config() }, main_namespace());
    let mut members: Vec<_> = (0..8).map(|_| Client::connect(server.address())).collect();
    for member in &mut members {
        member.call(r#"420["join","room"]"#, "430[true]");
    }
    let mut speaker = Client::connect(server.address());
    for index in 0..500 {
        speaker.text(&format!(r#"42["say","room","{index}"]"#));
    }
    for member in &mut members {
        for index in 0..500 {
            member.expect(&format!(r#"42["said","{index}"]"#));
        }
    }
}

#[test]
fn a_room_is_left_with_the_namespace() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    client.call(r#"420["join","room"]"#, "430[true]");
    client.text("41");
    client.join("40");
    server.handle().to("/", &room()).emit("nobody", &()).expect("nothing");
    client.call(r#"421["say","room","x"]"#, "431[true]");
    client.call("422[\"echo\"]", "432[]");
}

#[test]
fn rooms_have_a_limit_and_names_have_rules() {
    let server =
        start(config_with(Limits { rooms_per_socket: 3, namespaces_per_connection: 1, ..Limits::default() }));
    let mut client = Client::connect(server.address());
    for index in 0..3 {
        client.call(&format!(r#"420["join","{index}"]"#), "430[true]");
    }
    client.call(r#"420["join","more"]"#, "430[false]");
    for name in [r#""""#, r#"" ""#, r#""a\nb""#, "1", "null", r#"["a"]"#, &format!("\"{}\"", "x".repeat(257))]
    {
        client.text(&format!(r#"421["join",{name}]"#));
        let answer = client.receive_text();
        assert!(answer.contains("BAD_PAYLOAD"), "{name}: {answer}");
    }
}
