//! Namespaces that have no name of their own: their names are matched when a client asks for one.

use roomkey::{Args, Event, Limits, Namespace, RoomName, ServerBuilder, Socket};
use roomkey_testkit::{Client, TestServer, eventually};

use crate::support::{config, config_with, namespace};

/// A namespace that tells which one it is: the name it was registered for, and the name it has.
fn called(registered: &'static str) -> Namespace {
    namespace(Namespace::open()).on("who", move |socket: Socket, (): ()| async move {
        Args((registered, socket.namespace().to_string()))
    })
}

fn start(limits: Limits) -> TestServer {
    let builder = ServerBuilder::new(config_with(limits))
        .namespace_matching(|name| name.starts_with("/team-"), called("team"))
        .namespace_matching(|name| name.starts_with("/t"), called("t"))
        .namespace("/team-static", called("static"));
    TestServer::start(builder.bind().expect("a free port"))
}

#[track_caller]
fn join(client: &mut Client, name: &str) {
    client.text(&format!("40{name},"));
    let answer = client.receive_text();
    assert!(answer.starts_with(&format!(r#"40{name},{{"sid":""#)), "{answer}");
}

#[test]
fn a_name_of_its_own_comes_first_then_the_first_match() {
    let server = start(Limits::default());
    let mut client = Client::open(server.address());
    for (name, registered) in
        [("/team-static", "static"), ("/team-1", "team"), ("/team-", "team"), ("/t", "t")]
    {
        join(&mut client, name);
        client.call(&format!("42{name},0[\"who\"]"), &format!(r#"43{name},0["{registered}","{name}"]"#));
    }
    for name in ["/Team-1", "/", "/other", "/x/team-1"] {
        let suffix = if name == "/" { String::new() } else { format!("{name},") };
        client.call(&format!("40{suffix}"), &format!(r#"44{suffix}{{"message":"Invalid namespace"}}"#));
    }
    client.call("42/t,1[\"who\"]", r#"43/t,1["t","/t"]"#);
}

#[test]
fn what_looks_like_a_query_is_part_of_the_name() {
    let server = start(Limits::default());
    let mut client = Client::open(server.address());
    join(&mut client, "/team-1?a=b");
    client.call("42/team-1?a=b,0[\"who\"]", r#"43/team-1?a=b,0["team","/team-1?a=b"]"#);
    client.text("42/team-1,0[\"who\"]");
    assert_eq!(client.closed(), None, "that is another namespace");
}

#[test]
fn every_name_has_rooms_of_its_own() {
    let server = start(Limits::default());
    let (mut one, mut two) = (Client::open(server.address()), Client::open(server.address()));
    for (client, name) in [(&mut one, "/team-1"), (&mut two, "/team-2")] {
        join(client, name);
        client.call(&format!(r#"42{name},0["join","room"]"#), &format!("43{name},0[true]"));
    }
    let room = RoomName::new("room").expect("a good name");
    server.handle().to("/team-1", &room).emit("to the room", &()).expect("nothing");
    server.handle().everyone("/team-2").emit("to everyone", &()).expect("nothing");
    one.expect(r#"42/team-1,["to the room"]"#);
    two.expect(r#"42/team-2,["to everyone"]"#);
    one.call("42/team-1,1[\"echo\"]", "43/team-1,1[]");
    two.call("42/team-2,1[\"echo\"]", "43/team-2,1[]");
}

#[test]
fn nothing_is_left_of_a_namespace_after_its_last_socket() {
    let server = start(Limits::default());
    let mut client = Client::open(server.address());
    for index in 0..1000 {
        let name = format!("/team-{index}");
        join(&mut client, &name);
        client.call(&format!(r#"42{name},0["join","room"]"#), &format!("43{name},0[true]"));
        client.text(&format!("41{name},"));
        client.call(&format!("40/no{index},"), &format!(r#"44/no{index},{{"message":"Invalid namespace"}}"#));
        assert_eq!(server.handle().room_count(), 0, "after {name}");
    }
    join(&mut client, "/team-1");
    assert_eq!(server.handle().room_count(), 1);
    client.shut_down();
    eventually("the end of the namespace", || server.handle().room_count() == 0);
}

#[test]
fn matched_namespaces_of_one_connection_are_counted() {
    let server = start(Limits { namespaces_per_connection: 3, ..Limits::default() });
    let mut client = Client::open(server.address());
    for name in ["/team-static", "/team-1", "/t2"] {
        join(&mut client, name);
    }
    client.text("40/team-3,");
    assert_eq!(client.closed(), None);
}

#[test]
fn middleware_decides_by_the_name() {
    let tenants = Namespace::open()
        .middleware(async |socket: Socket| match socket.namespace().strip_prefix("/tenant-") {
            Some("acme") => Ok(()),
            _ => Err(roomkey::Failure::forbidden()),
        })
        .on_any(async |event: Event| Some(event.args));
    let builder =
        ServerBuilder::new(config()).namespace_matching(|name| name.starts_with("/tenant-"), tenants);
    let server = TestServer::start(builder.bind().expect("a free port"));
    let mut client = Client::open(server.address());
    client.call(
        "40/tenant-other,",
        r#"44/tenant-other,{"message":"Not allowed","data":{"code":"FORBIDDEN","retry":"never"}}"#,
    );
    join(&mut client, "/tenant-acme");
    client.call("42/tenant-acme,0[\"echo\",1]", "43/tenant-acme,0[1]");
}
