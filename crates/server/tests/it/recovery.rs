//! Clients that come back: the same socket, and everything they missed, once and in order.

mod letting_in;
mod restart;

use std::{sync::Arc, time::Duration};

use roomkey::{ErrorCode, Limit, Limits, Namespace, Recovery, RoomName, ServerConfig, Socket};
use roomkey_testkit::{Client, Polling, Received, TestClock, TestServer, authentication, eventually, token};
use serde_json::{Value, json};

use crate::{
    limits::counted,
    support::{config, namespace, start_with},
};

fn recovering() -> ServerConfig {
    ServerConfig { recovery: Some(Recovery::default()), ..config() }
}

fn start(config: ServerConfig) -> TestServer {
    let main = namespace(Namespace::open())
        .on("recovered", async |socket: Socket, (): ()| socket.recovered())
        .on("out", async |socket: Socket, (close,): (bool,)| socket.disconnect(close));
    start_with(config, main)
}

fn room(name: &str) -> RoomName {
    RoomName::new(name).expect("a good name")
}

/// What a client has to remember, as the stock one does.
#[derive(Clone, Debug, Default, PartialEq)]
struct Memory {
    sid: String,
    pid: String,
    offset: Option<String>,
}

impl Memory {
    /// The CONNECT packet of a client that comes back, with more in its auth payload.
    fn connect(&self, mut auth: Value) -> String {
        auth["pid"] = json!(self.pid);
        if let Some(offset) = &self.offset {
            auth["offset"] = json!(offset);
        }
        format!("40{auth}")
    }

    /// The arguments of an event without its offset, which is remembered.
    fn event(&mut self, packet: &str) -> String {
        let mut event: Vec<Value> =
            serde_json::from_str(&packet[packet.find('[').expect("an event")..]).expect("JSON");
        if let Some(Value::String(_)) = event.last() {
            self.offset = event.pop().and_then(|offset| offset.as_str().map(str::to_owned));
        }
        json!(event).to_string()
    }
}

/// Sends a CONNECT packet; the events that come before the answer, and what the client then remembers.
fn join(client: &mut Client, connect: &str, mut memory: Memory) -> (Vec<String>, Memory) {
    client.text(connect);
    let mut missed = Vec::new();
    loop {
        let packet = client.receive_text();
        match packet.strip_prefix("40") {
            Some(answer) => {
                let answer: Value = serde_json::from_str(answer).expect("JSON");
                let text = |name: &str| answer[name].as_str().expect("text").to_owned();
                (memory.sid, memory.pid) = (text("sid"), text("pid"));
                return (missed, memory);
            }
            None => missed.push(memory.event(&packet)),
        }
    }
}

fn connect(server: &TestServer) -> (Client, Memory) {
    let mut client = Client::open(server.address());
    let (missed, memory) = join(&mut client, "40", Memory::default());
    assert_eq!(missed, [""; 0]);
    assert!(memory.sid.len() == 20 && memory.pid.len() == 20 && memory.sid != memory.pid);
    (client, memory)
}

fn come_back(server: &TestServer, memory: &Memory) -> (Client, Vec<String>, Memory) {
    let mut client = Client::open(server.address());
    let (missed, now) = join(&mut client, &memory.connect(json!({})), memory.clone());
    (client, missed, now)
}

#[track_caller]
fn lose(server: &TestServer, client: Client) {
    let before = server.handle().connection_count();
    drop(client);
    eventually("the connection is gone", || server.handle().connection_count() < before);
}

#[track_caller]
fn expect_said(client: &mut Client, memory: &mut Memory, text: &str) {
    let packet = client.receive_text();
    assert_eq!(memory.event(&packet), json!(["said", text]).to_string(), "{packet}");
}

fn say(server: &TestServer, text: &str) {
    server.handle().to("/", &room("a")).emit("said", &(text,)).expect("encodes");
}

#[test]
fn without_recovery_there_is_no_private_id() {
    let server = start_with(config(), namespace(Namespace::open()));
    let mut client = Client::open(server.address());
    client.text("40");
    assert!(!client.receive_text().contains("pid"));
    client.call("421[\"join\",\"a\"]", "431[true]");
    say(&server, "plain");
    client.expect("42[\"said\",\"plain\"]");
}

#[test]
fn before_any_event_was_received() {
    let server = start(recovering());
    let (mut client, memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    assert_eq!(memory.offset, None);
    lose(&server, client);
    say(&server, "one");
    say(&server, "two");
    let (mut client, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","one"]"#, r#"["said","two"]"#]);
    assert_eq!((&now.sid, &now.pid), (&memory.sid, &memory.pid));
    client.call("422[\"recovered\"]", "432[true]");
    let mut now = now;
    say(&server, "three");
    expect_said(&mut client, &mut now, "three");
}

#[test]
fn again_and_again_over_both_transports_and_threads() {
    let server = start(recovering());
    let (mut client, mut memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    say(&server, "0");
    expect_said(&mut client, &mut memory, "0");
    let mut number = 1;
    for _ in 0..6 {
        lose(&server, client);
        let texts: Vec<_> = (0..3)
            .map(|_| {
                number += 1;
                number.to_string()
            })
            .collect();
        texts.iter().for_each(|text| say(&server, text));
        let (next, missed, now) = come_back(&server, &memory);
        assert_eq!(missed, texts.iter().map(|text| json!(["said", text]).to_string()).collect::<Vec<_>>());
        assert_eq!(now.sid, memory.sid);
        (client, memory) = (next, now);
    }
    lose(&server, client);
    say(&server, "last");
    let mut polling = Polling::open(server.address());
    polling.post(&memory.connect(json!({})));
    let payload = polling.poll();
    let packets: Vec<_> = payload.split('\u{1e}').collect();
    assert_eq!(memory.event(packets[0]), r#"["said","last"]"#);
    assert!(packets[1].contains(&memory.sid), "{payload}");
}

/// What was written and never received comes again.
#[test]
fn what_was_lost_on_the_way() {
    let server = start(recovering());
    let (mut client, mut memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    say(&server, "received");
    say(&server, "lost");
    expect_said(&mut client, &mut memory, "received");
    lose(&server, client);
    let (_, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","lost"]"#]);
    // Nothing of that arrives either.
    let (_, missed, _) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","lost"]"#]);
    let (_, missed, _) = come_back(&server, &now);
    assert_eq!(missed, [""; 0]);
}

/// A client may notice long before the server that its connection is dead.
#[test]
fn while_the_old_connection_seems_alive() {
    let server = start(recovering());
    let (mut old, memory) = connect(&server);
    old.call("421[\"join\",\"a\"]", "431[true]");
    say(&server, "one");
    let (_new, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","one"]"#]);
    assert_eq!(now.sid, memory.sid);
    old.closed();
    eventually("one connection is left", || server.handle().connection_count() == 1);
}

#[test]
fn attachments_and_everyone_and_the_socket_itself() {
    let server = start(recovering());
    let (mut client, mut memory) = connect(&server);
    client.text("451-[\"reply\",{\"_placeholder\":true,\"num\":0}]");
    client.binary(&[1, 2, 3]);
    let packet = client.receive_text();
    assert_eq!(memory.event(&packet), r#"["reply",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.receive(), Received::Binary(vec![1, 2, 3]));
    let before = Memory { offset: None, ..memory };
    lose(&server, client);
    server.handle().everyone("/").emit("all", &(1,)).expect("encodes");
    let mut client = Client::open(server.address());
    client.text(&before.connect(json!({})));
    assert!(client.receive_text().starts_with("451-[\"reply\""));
    assert_eq!(client.receive(), Received::Binary(vec![1, 2, 3]));
    assert!(client.receive_text().starts_with("42[\"all\",1,\""));
    assert!(client.receive_text().contains(&before.sid));
}

#[test]
fn volatile_events_do_not_come_again_and_do_not_confuse() {
    let server = start(recovering());
    let (mut client, mut memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    let volatile = server.handle().to("/", &room("a")).volatile();
    volatile.emit("number", &(1,)).expect("encodes");
    client.expect("42[\"number\",1]");
    volatile.emit("text", &("abc",)).expect("encodes");
    let packet = client.receive_text();
    assert_eq!(
        memory.event(&packet),
        r#"["text","abc"]"#,
        "text gets an offset, or it would be taken for one"
    );
    lose(&server, client);
    volatile.emit("text", &("missed",)).expect("encodes");
    say(&server, "kept");
    let (_, missed, _) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","kept"]"#]);
}

#[test]
fn who_left_or_broke_the_protocol_or_was_put_out_begins_anew() {
    let server = start(recovering());
    for ending in ["41", "42{}", "42[\"out\",false]", "42[\"out\",true]"] {
        let (mut client, memory) = connect(&server);
        client.text(ending);
        client.text(ending);
        eventually(&format!("the socket is gone {ending}"), || server.handle().room_count() == 0);
        let (client, _, now) = come_back(&server, &memory);
        assert!(now.sid != memory.sid && now.pid != memory.pid, "{ending}");
        let mut client = client;
        client.text("41");
        eventually("the socket is gone", || server.handle().room_count() == 0);
    }
}

#[test]
fn claims_that_are_none() {
    let server = start(recovering());
    let (client, memory) = connect(&server);
    lose(&server, client);
    for connect in [
        r#"40{"pid":"short"}"#.to_owned(),
        r#"40{"pid":"AAAAAAAAAAAAAAAAAAAA"}"#.to_owned(),
        r#"40{"pid":5}"#.to_owned(),
        r#"40{"pid":["x"],"offset":{}}"#.to_owned(),
        format!(r#"40{{"pid":"{0}","pid":"{0}"}}"#, memory.pid),
        format!(r#"40{{"pid":"{}","offset":7}}"#, memory.pid),
        format!(r#"40{{"pid":"{}","offset":"not an offset"}}"#, memory.pid),
        format!(r#"40{{"pid":"{}","offset":"{}"}}"#, memory.pid, "_".repeat(10_000)),
    ] {
        let mut client = Client::open(server.address());
        let (missed, now) = join(&mut client, &connect, Memory::default());
        assert_eq!(missed, [""; 0], "{connect}");
        assert!(now.sid != memory.sid && now.pid != memory.pid, "{connect}");
    }
    // None of them took it away.
    assert_eq!(come_back(&server, &memory).2.sid, memory.sid);
}

#[test]
fn an_offset_that_was_never_sent() {
    let server = start(recovering());
    let (client, mut memory) = connect(&server);
    lose(&server, client);
    memory.offset = Some("zzz".to_owned());
    let (_, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [""; 0]);
    assert_ne!(now.sid, memory.sid);
}

#[test]
fn who_stays_away_too_long_begins_anew() {
    let recovery = Recovery { max_disconnection: Duration::from_millis(20), ..Recovery::default() };
    let server = start(ServerConfig { recovery: Some(recovery), ..config() });
    let (client, memory) = connect(&server);
    lose(&server, client);
    eventually("the parked socket is forgotten", || server.handle().room_count() == 0);
    assert_ne!(come_back(&server, &memory).2.sid, memory.sid);
}

#[test]
fn more_than_is_remembered_cannot_be_missed() {
    let limits = Limits { recovery_log_bytes: 10_000, ..Limits::default() };
    let server = start(ServerConfig { limits, ..recovering() });
    let (mut client, memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    lose(&server, client);
    (0..100).for_each(|_| say(&server, &"x".repeat(500)));
    let (_, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [""; 0]);
    assert_ne!(now.sid, memory.sid);
    assert_eq!(counted(&server), [(Limit::RecoveryLog.name().to_owned(), 1)]);
}

#[test]
fn more_than_a_client_can_be_sent_at_once_is_not_sent() {
    let limits = Limits { recovered_bytes: 2000, ..Limits::default() };
    let server = start(ServerConfig { limits, ..recovering() });
    let (mut client, memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    lose(&server, client);
    (0..3).for_each(|_| say(&server, &"x".repeat(500)));
    let (client, missed, now) = come_back(&server, &memory);
    assert_eq!((missed.len(), &now.sid), (3, &memory.sid));
    lose(&server, client);
    // Nothing of that has arrived, so it counts again.
    say(&server, &"x".repeat(500));
    let (_client, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [""; 0]);
    assert_ne!(now.sid, memory.sid);
    assert_eq!(counted(&server), [(Limit::RecoveredBytes.name().to_owned(), 1)]);
}

#[test]
fn only_so_many_are_kept() {
    let limits = Limits { parked_sockets: 2, ..Limits::default() };
    let server = start(ServerConfig { limits, ..recovering() });
    let memories: Vec<_> = (0..3)
        .map(|_| {
            let (client, memory) = connect(&server);
            lose(&server, client);
            memory
        })
        .collect();
    let recovered = |memory: &Memory| {
        let (client, _, now) = come_back(&server, memory);
        lose(&server, client);
        now.sid == memory.sid
    };
    assert_eq!(counted(&server), [(Limit::ParkedSockets.name().to_owned(), 1)]);
    assert_eq!(memories.iter().map(recovered).collect::<Vec<_>>(), [true, true, false]);
}

fn start_authenticated(main: Namespace) -> (TestServer, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    (start_with(ServerConfig { clock: clock.clone(), ..recovering() }, main), clock)
}

fn token_of(user: &str, session: &str, seconds: u64) -> Value {
    let exp = TestClock::START_SECS + seconds;
    json!({ "token": token(&json!({ "id": user, "sid": session, "exp": exp })) })
}

#[test]
fn only_the_same_user_in_the_same_session_with_a_good_token() {
    let (server, clock) = start_authenticated(namespace(Namespace::new(authentication())));
    let mut client = Client::open(server.address());
    let (_, memory) = join(&mut client, &format!("40{}", token_of("ada", "s1", 600)), Memory::default());
    lose(&server, client);
    clock.advance_secs(60);

    for (auth, code) in [(token_of("ada", "s1", 30), "TOKEN_EXPIRED"), (json!({}), "TOKEN_MISSING")] {
        let mut client = Client::open(server.address());
        client.text(&memory.connect(auth));
        assert!(client.receive_text().contains(code), "{code}");
    }
    for auth in [token_of("bob", "s1", 600), token_of("ada", "s2", 600)] {
        let mut client = Client::open(server.address());
        let (_, now) = join(&mut client, &memory.connect(auth), Memory::default());
        assert!(now.sid != memory.sid && now.pid != memory.pid);
    }
    let mut client = Client::open(server.address());
    let (_, now) = join(&mut client, &memory.connect(token_of("ada", "s1", 900)), Memory::default());
    assert_eq!(now.sid, memory.sid);
}

#[test]
fn a_token_that_runs_out_costs_nothing() {
    let (server, clock) = start_authenticated(namespace(Namespace::new(authentication())));
    let mut client = Client::open(server.address());
    let (_, memory) = join(&mut client, &format!("40{}", token_of("ada", "s1", 60)), Memory::default());
    client.call("421[\"join\",\"a\"]", "431[true]");
    clock.advance_secs(61);
    // Something that makes the server look at its clock.
    client.shut_down();
    eventually("the connection is gone", || server.handle().connection_count() == 0);
    say(&server, "meanwhile");
    let mut client = Client::open(server.address());
    let (missed, now) = join(&mut client, &memory.connect(token_of("ada", "s1", 900)), Memory::default());
    assert_eq!(missed, [r#"["said","meanwhile"]"#]);
    assert_eq!(now.sid, memory.sid);
}

#[test]
fn middleware_may_refuse_and_rooms_may_be_taken_away() {
    let main = namespace(Namespace::open())
        .middleware(async |socket: Socket| match socket.auth() {
            Some(auth) if auth.contains("refuse") => Err(ErrorCode::Forbidden.into()),
            _ => Ok(()),
        })
        .room_check(async |_, room| room.as_str() == "a");
    let server = start_with(recovering(), main);
    let (mut client, memory) = connect(&server);
    client.call("421[\"join\",\"a\"]", "431[true]");
    client.call("421[\"join\",\"b\"]", "431[true]");
    lose(&server, client);
    say(&server, "allowed");
    server.handle().to("/", &room("b")).emit("said", &("forbidden",)).expect("encodes");

    let mut client = Client::open(server.address());
    client.text(&memory.connect(json!({ "refuse": true })));
    assert!(client.receive_text().starts_with("44"));
    client.text(&memory.connect(json!({})));
    let packet = client.receive_text();
    assert!(packet.starts_with("42[\"said\",\"allowed\""), "{packet}");
    assert!(client.receive_text().contains(&memory.sid));
    server.handle().to("/", &room("b")).emit("said", &("forbidden",)).expect("encodes");
    say(&server, "after");
    assert!(client.receive_text().starts_with("42[\"said\",\"after\""));
}

#[test]
fn state_of_the_application_stays_with_the_socket() {
    #[derive(Clone)]
    struct Count(u32);
    let main = Namespace::open().on("count", async |socket: Socket, (): ()| {
        socket.extensions(|extensions| {
            let count = extensions.get::<Count>().map_or(1, |count| count.0 + 1);
            extensions.insert(Count(count));
            count
        })
    });
    let server = start_with(recovering(), main);
    let (mut client, memory) = connect(&server);
    client.call("421[\"count\"]", "431[1]");
    client.call("421[\"count\"]", "431[2]");
    lose(&server, client);
    let (mut client, _, _) = come_back(&server, &memory);
    client.call("421[\"count\"]", "431[3]");
}
