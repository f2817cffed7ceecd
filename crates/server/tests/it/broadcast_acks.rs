//! One question to many sockets, and what comes back.

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use roomkey::{Broadcast, BroadcastAck, BroadcastAckError, Limits, RoomName, ServerConfig};
use roomkey_testkit::{Client, PATIENCE, Polling, Received, TestServer};

use crate::support::{config, config_with, start};

const LONG: Duration = Duration::from_secs(3600);

type Outcome = Result<Vec<BroadcastAck>, BroadcastAckError>;

/// Asks in a thread of its own, as a program outside the handlers does.
fn ask(to: Broadcast, patience: Duration) -> Receiver<Outcome> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        sender.send(runtime.block_on(to.emit_with_ack("question", &("?",), patience)))
    });
    receiver
}

fn outcome(receiver: &Receiver<Outcome>) -> Outcome {
    receiver.recv_timeout(PATIENCE).expect("an outcome")
}

fn answers(acks: &[BroadcastAck]) -> Vec<&str> {
    acks.iter().map(|ack| ack.args.json()).collect()
}

/// Joins the room of the tests.
fn join(client: &mut Client) {
    client.call(r#"420["join","room"]"#, "430[true]");
}

fn room() -> RoomName {
    RoomName::new("room").expect("a good name")
}

/// The id of the question that a client has been asked.
#[track_caller]
fn question(client: &mut Client) -> u64 {
    question_id(&client.receive_text())
}

#[track_caller]
fn question_id(packet: &str) -> u64 {
    let id = packet.strip_prefix("42").and_then(|packet| packet.strip_suffix(r#"["question","?"]"#));
    id.expect("the question").parse().expect("an id")
}

fn room_of(server: &TestServer) -> Broadcast {
    server.handle().to("/", &room())
}

#[test]
fn everyone_is_asked_with_the_same_id_and_answers_come_in_order() {
    let server = start(ServerConfig { threads: 4, ..config() });
    let mut members: Vec<_> = (0..6).map(|_| Client::connect(server.address())).collect();
    let mut outsider = Client::connect(server.address());
    members.iter_mut().for_each(join);
    let answered = ask(room_of(&server), LONG);
    let ids: Vec<_> = members.iter_mut().map(question).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!((1 << 30..1 << 31).contains(&ids[0]), "{ids:?}");
    for (number, member) in members.iter_mut().enumerate().rev() {
        member.text(&format!("43{}[{number},\"and more\"]", ids[0]));
        member.call("421[\"echo\"]", "431[]");
    }
    let acks = outcome(&answered).expect("all acks");
    let expected = ["[5,", "[4,", "[3,", "[2,", "[1,", "[0,"].map(|start| format!("{start}\"and more\"]"));
    assert_eq!(answers(&acks), expected);
    assert_eq!(acks[0].args.argument::<u32>(0).expect("a number"), 5);
    outsider.call("421[\"echo\"]", "431[]");
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let server = start(config());
    assert_eq!(outcome(&ask(room_of(&server), LONG)).expect("no acks"), []);
}

#[test]
fn what_came_in_time_is_kept_when_the_time_is_up() {
    let server = start(config());
    let (mut quick, mut mute) = (Client::connect(server.address()), Client::connect(server.address()));
    for client in [&mut quick, &mut mute] {
        join(client);
    }
    let answered = ask(room_of(&server), Duration::from_millis(300));
    let id = question(&mut quick);
    quick.text(&format!("43{id}[\"here\"]"));
    match outcome(&answered) {
        Err(BroadcastAckError::Incomplete { acks, missing: 1 }) => assert_eq!(answers(&acks), ["[\"here\"]"]),
        other => panic!("{other:?}"),
    }
    assert_eq!(question(&mut mute), id);
    mute.text(&format!("43{id}[\"late\"]"));
    mute.call("421[\"echo\"]", "431[]");
    let again = ask(room_of(&server), LONG);
    let next = question(&mut quick);
    assert_ne!(next, id);
    quick.text(&format!("43{next}[1]"));
    assert_eq!(question(&mut mute), next);
    mute.text(&format!("43{next}[2]"));
    assert_eq!(outcome(&again).expect("both acks").len(), 2);
}

#[test]
fn who_leaves_is_not_waited_for() {
    let server = start(config());
    let mut members: Vec<_> = (0..4).map(|_| Client::connect(server.address())).collect();
    members.iter_mut().for_each(join);
    let answered = ask(room_of(&server), LONG);
    let id = members.iter_mut().map(question).max().expect("members");
    members[0].text(&format!("43{id}[\"and gone\"]"));
    members[0].call("421[\"echo\"]", "431[]");
    members[0].text("41");
    members[1].text("41");
    members[1].join("40");
    members[1].text(&format!("43{id}[\"another socket now\"]"));
    members[2].shut_down();
    members[3].text("41,\"a violation\"");
    match outcome(&answered) {
        Err(BroadcastAckError::Incomplete { acks, missing: 3 }) => {
            assert_eq!(answers(&acks), ["[\"and gone\"]"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_targets_answer_and_each_once() {
    let server = start(config());
    let mut members: Vec<_> = (0..2).map(|_| Client::connect(server.address())).collect();
    members.iter_mut().for_each(join);
    let mut outsider = Client::connect(server.address());
    let answered = ask(room_of(&server), LONG);
    let id = question(&mut members[0]);
    assert_eq!(question(&mut members[1]), id);
    for packet in [format!("43{id}[\"outsider\"]"), format!("43{}[1]", id + 1), "439007199254740991[]".into()]
    {
        outsider.text(&packet);
    }
    outsider.call("421[\"echo\"]", "431[]");
    for text in ["first", "second"] {
        members[0].text(&format!("43{id}[\"{text}\"]"));
    }
    members[0].call("421[\"echo\"]", "431[]");
    members[1].text(&format!("43{id}[\"other\"]"));
    let acks = outcome(&answered).expect("both acks");
    assert_eq!(answers(&acks), ["[\"first\"]", "[\"other\"]"]);
    assert!(server.metrics().contains("roomkey_acks_ignored_total 4\n"), "{}", server.metrics());
}

#[test]
fn acks_of_one_socket_and_of_a_broadcast_do_not_meet() {
    use roomkey::{Namespace, Socket};
    let main = crate::support::namespace(Namespace::open()).on("ask me", async |socket: Socket, (): ()| {
        let everyone = socket.in_room(&room());
        let (mine, all) = tokio::join!(
            socket.emit_with_ack("question", &("?",), LONG),
            everyone.emit_with_ack("question", &("?",), LONG),
        );
        let all = all.expect("an ack");
        format!("{} {} {}", mine.expect("an ack").json(), all[0].args.json(), all[0].socket == socket.id())
    });
    let server = crate::support::start_with(config(), main);
    let mut client = Client::connect(server.address());
    join(&mut client);
    client.text("427[\"ask me\"]");
    let (mine, all) = (question(&mut client), question(&mut client));
    client.text(&format!("43{all}[\"all\"]"));
    client.text(&format!("43{mine}[\"mine\"]"));
    client.expect(r#"437["[\"mine\"] [\"all\"] true"]"#);
}

#[test]
fn binary_answers_and_long_polling() {
    let server = start(config());
    let (mut client, mut polling) = (Client::connect(server.address()), Polling::connect(server.address()));
    let answered = ask(server.handle().everyone("/"), LONG);
    let id = question(&mut client);
    client.text(&format!(r#"461-{id}[{{"_placeholder":true,"num":0}}]"#));
    client.binary(&[1, 2]);
    client.call("421[\"echo\"]", "431[]");
    assert_eq!(question_id(&polling.poll()), id);
    polling.post(&format!("43{id}[]"));
    let acks = outcome(&answered).expect("both acks");
    assert_eq!(acks[0].args.argument::<roomkey::Binary>(0).expect("bytes").0[..], [1, 2]);
    assert_eq!(acks[1].args.json(), "[]");
    client.text("422[\"echo\"]");
    assert_eq!(client.receive(), Received::Text("432[]".into()));
}

#[test]
fn broadcasts_that_wait_and_what_they_collect_are_limited() {
    let limits = Limits { broadcast_acks_pending: 1, broadcast_ack_bytes: 100, ..Limits::default() };
    let server = start(config_with(limits));
    let mut members: Vec<_> = (0..2).map(|_| Client::connect(server.address())).collect();
    members.iter_mut().for_each(join);
    let answered = ask(room_of(&server), LONG);
    let id = question(&mut members[0]);
    assert!(matches!(outcome(&ask(room_of(&server), LONG)), Err(BroadcastAckError::TooMany)));
    members[0].text(&format!("43{id}[\"{}\"]", "x".repeat(90)));
    members[0].call("421[\"echo\"]", "431[]");
    members[1].text(&format!("43{id}[\"too much\"]"));
    match outcome(&answered) {
        Err(BroadcastAckError::Incomplete { acks, missing: 1 }) => assert_eq!(acks.len(), 1),
        other => panic!("{other:?}"),
    }
    for limit in ["broadcast_acks_pending", "broadcast_ack_bytes"] {
        let line = format!("roomkey_limit_reached_total{{limit=\"{limit}\"}} 1\n");
        assert!(server.metrics().contains(&line), "{}", server.metrics());
    }
}
