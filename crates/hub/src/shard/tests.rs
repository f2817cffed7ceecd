//! The order and the reach of emissions, against a model that does everything at once.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use proptest::prelude::*;
use roomkey_model::{RevocationReason, RoomName};

use super::{connection::Wire, core::Core, flush::Progress, inbox::Command};
use crate::{
    Attention, Census, Frame, HubConfig, JoinError, Notice, RoomKey, Selection, SocketKey, hub::Directory,
};

#[derive(Default)]
struct Noticed(Mutex<Vec<Notice>>);

impl Attention for Noticed {
    fn notify(&self, notice: Notice) {
        self.0.lock().push(notice);
    }
}

/// The sockets that a census was told of, in the order they were opened.
#[derive(Default)]
struct Counted(Mutex<Vec<SocketKey>>);

impl Census for Counted {
    fn count(&self, mut sockets: Vec<SocketKey>) {
        sockets.sort_by_key(|socket| socket.serial);
        self.0.lock().extend(sockets);
    }
}

fn core(outbox_bytes_max: usize) -> Core {
    let config =
        HubConfig { shards: 1, outbox_bytes_max, rooms_per_connection_max: 3, dialects: false, log: None };
    Core::new(
        0,
        config.outbox_bytes_max,
        config.rooms_per_connection_max,
        Arc::new(Directory::default()),
        None,
    )
}

fn connect(core: &mut Core) -> (SocketKey, Arc<Noticed>) {
    let noticed = Arc::new(Noticed::default());
    let connection = core.insert(noticed.clone(), Wire::Polling);
    (core.open_socket(connection, &"/".into()), noticed)
}

fn room(name: &str) -> RoomKey {
    RoomKey::room(&"/".into(), &RoomName::new(name).expect("a good name"))
}

fn frame(number: usize) -> Frame {
    Frame::text(&number.to_string())
}

fn flush(core: &mut Core) {
    while core.flush(0) == Progress::Unfinished {}
}

/// What has been written to a connection, by the numbers of the frames.
fn received(core: &mut Core, socket: &SocketKey) -> Vec<usize> {
    let packets = core.connection(socket.connection).expect("connected").poll(usize::MAX);
    packets
        .iter()
        .map(|packet| std::str::from_utf8(packet).expect("text").parse().expect("a number"))
        .collect()
}

#[derive(Clone, Debug)]
enum Act {
    Broadcast { room: usize, except: Option<usize> },
    BroadcastTo { rooms: Vec<usize>, except_room: Option<usize>, except: Option<usize> },
    FlushAll,
    FlushChunk,
    FlushConnections,
    Join { connection: usize, room: usize },
    Leave { connection: usize, room: usize },
    Send { connection: usize },
}

const CONNECTIONS: usize = 400;
const ROOMS: usize = 3;

/// Few connections do most of what is interesting; the others make a flush take several chunks.
fn act() -> impl Strategy<Value = Act> {
    let connection = prop_oneof![9 => 0..6_usize, 1 => 6..CONNECTIONS];
    prop_oneof![
        6 => (0..ROOMS, prop::option::of(0..6_usize)).prop_map(|(room, except)| Act::Broadcast { room, except }),
        2 => (prop::collection::vec(0..ROOMS, 1..3), prop::option::of(0..ROOMS), prop::option::of(0..6_usize))
            .prop_map(|(rooms, except_room, except)| Act::BroadcastTo { rooms, except_room, except }),
        1 => Just(Act::FlushAll),
        3 => Just(Act::FlushChunk),
        1 => Just(Act::FlushConnections),
        2 => (connection.clone(), 0..ROOMS).prop_map(|(connection, room)| Act::Join { connection, room }),
        2 => (connection.clone(), 0..ROOMS).prop_map(|(connection, room)| Act::Leave { connection, room }),
        4 => connection.prop_map(|connection| Act::Send { connection }),
    ]
}

proptest! {
    /// Whatever is emitted, joined, left and flushed when: each connection gets what a server that does everything
    /// at once would have sent it, in the same order, exactly once.
    #[test]
    fn everyone_gets_everything_in_order(acts in prop::collection::vec(act(), 1..80)) {
        let mut core = core(usize::MAX);
        let keys: Vec<_> = (0..CONNECTIONS).map(|_| connect(&mut core).0).collect();
        let rooms: Vec<_> = (0..ROOMS).map(|index| room(&index.to_string())).collect();
        let mut members = vec![BTreeSet::new(); ROOMS];
        let mut expected = vec![Vec::new(); CONNECTIONS];
        for (connection, key) in keys.iter().enumerate() {
            core.join(key, &rooms[0]).expect("below the limit");
            members[0].insert(connection);
        }
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Broadcast { room, except } => {
                    let excluded = except.iter().map(|index| keys[*index].connection).collect();
                    core.broadcast(&rooms[room], &frame(number), excluded, false);
                    for connection in members[room].iter().filter(|member| Some(**member) != except) {
                        expected[*connection].push(number);
                    }
                }
                Act::BroadcastTo { rooms: to, except_room, except } => {
                    let mut selection = Selection::from(rooms[to[0]].clone());
                    selection = to.iter().fold(selection, |selection, room| selection.to(rooms[*room].clone()));
                    selection = except_room.iter().fold(selection, |selection, room| selection.except_room(rooms[*room].clone()));
                    selection = except.iter().fold(selection, |selection, index| selection.except(keys[*index].connection));
                    let counted = Arc::new(Counted::default());
                    let census = Some(counted.clone() as Arc<dyn Census>);
                    core.apply(Command::BroadcastTo { to: selection, frame: frame(number), volatile: false, census });
                    let mut selected: BTreeSet<usize> = to.iter().flat_map(|room| &members[*room]).copied().collect();
                    selected.retain(|member| except_room.is_none_or(|room| !members[room].contains(member)));
                    selected.retain(|member| Some(*member) != except);
                    let mut sockets: Vec<_> = selected.iter().map(|index| keys[*index].clone()).collect();
                    sockets.sort_by_key(|socket| socket.serial);
                    prop_assert_eq!(&*counted.0.lock(), &sockets);
                    for connection in selected {
                        expected[connection].push(number);
                    }
                }
                Act::FlushAll => flush(&mut core),
                Act::FlushChunk => _ = core.flush(0),
                Act::FlushConnections => _ = core.flush_connections(),
                Act::Join { connection, room } => {
                    core.join(&keys[connection], &rooms[room]).expect("below the limit");
                    members[room].insert(connection);
                }
                Act::Leave { connection, room } => {
                    core.leave(&keys[connection], &rooms[room]);
                    members[room].remove(&connection);
                }
                Act::Send { connection } => {
                    core.emit(&keys[connection], frame(number), false);
                    expected[connection].push(number);
                }
            }
        }
        flush(&mut core);
        flush(&mut core);
        for (key, expected) in keys.iter().zip(expected) {
            prop_assert_eq!(received(&mut core, key), expected);
        }
        for key in keys {
            core.remove(key.connection);
        }
        flush(&mut core);
        prop_assert_eq!(core.rooms.len(), 0);
        prop_assert_eq!(core.connections.len(), 0);
    }
}

#[test]
fn a_key_is_not_used_again() {
    let mut core = core(1000);
    let (old, _) = connect(&mut core);
    core.remove(old.connection);
    let (new, _) = connect(&mut core);
    assert_eq!(old.connection.slot, new.connection.slot);
    core.emit(&old, frame(1), false);
    core.send(old.connection, frame(2), false);
    assert_eq!(core.join(&old, &room("a")), Err(JoinError::Gone));
    flush(&mut core);
    assert_eq!(received(&mut core, &new), []);
}

#[test]
fn a_socket_that_has_ended_joins_nothing_and_hears_nothing() {
    let mut core = core(1000);
    let (old, _) = connect(&mut core);
    core.join(&old, &room("a")).expect("below the limit");
    core.close_socket(&old);
    assert_eq!(core.join(&old, &room("a")), Err(JoinError::Gone));
    let new = core.open_socket(old.connection, &"/".into());
    assert_eq!(core.join(&old, &room("a")), Err(JoinError::Gone));
    core.emit(&old, frame(1), false);
    core.broadcast(&room("a"), &frame(2), Box::default(), false);
    core.emit(&new, frame(3), false);
    core.close_socket(&old);
    core.emit(&new, frame(4), false);
    flush(&mut core);
    assert_eq!(received(&mut core, &new), [3, 4]);
    assert!(!core.is_member(&old, &room("a")));
}

#[test]
fn a_selection_is_narrowed_from_everyone() {
    let everyone = Selection::from(RoomKey::everyone(&"/".into()));
    assert!(everyone.as_room().is_some());
    assert_eq!(everyone.clone().to(room("a")).as_room(), Some(&room("a")));
    assert_eq!(everyone.to(room("a")).to(room("a")).as_room(), Some(&room("a")));
    assert_eq!(Selection::from(room("a")).to(room("b")).rooms[..], [room("a"), room("b")]);
}

#[test]
fn a_socket_knows_its_rooms() {
    let mut core = core(1000);
    let (key, _) = connect(&mut core);
    let other = core.open_socket(key.connection, &"/other".into());
    core.join(&key, &RoomKey::everyone(&key.namespace)).expect("below the limit");
    core.join(&key, &room("a")).expect("below the limit");
    core.join(&other, &RoomKey::room(&other.namespace, &RoomName::new("b").expect("a good name")))
        .expect("below the limit");
    assert_eq!(core.rooms_of(&key), [RoomName::new("a").expect("a good name")]);
    core.close_socket(&key);
    assert_eq!(core.rooms_of(&key), []);
}

#[test]
fn rooms_are_limited() {
    let mut core = core(1000);
    let (key, _) = connect(&mut core);
    for name in ["a", "b", "c", "a"] {
        assert_eq!(core.join(&key, &room(name)), Ok(()));
    }
    assert_eq!(core.join(&key, &room("d")), Err(JoinError::TooManyRooms));
    assert_eq!(core.rooms.len(), 3);
}

#[test]
fn a_slow_reader_is_reported_once_and_written_no_more() {
    let mut core = core(10);
    let (slow, noticed) = connect(&mut core);
    for number in 1000..1010 {
        core.emit(&slow, frame(number), false);
        flush(&mut core);
    }
    assert_eq!(*noticed.0.lock(), [Notice::SlowReader]);
    assert_eq!(core.connection(slow.connection).expect("connected").queued_bytes(), 0);
}

#[test]
fn one_long_message_does_not_make_a_slow_reader() {
    let mut core = core(10);
    let (key, noticed) = connect(&mut core);
    core.emit(&key, Frame::text(&"x".repeat(1000)), false);
    flush(&mut core);
    assert!(noticed.0.lock().is_empty());
    assert_eq!(core.connection(key.connection).expect("connected").poll(1).len(), 1);
}

#[test]
fn volatile_frames_are_for_those_who_wait() {
    let mut core = core(1000);
    let ((waits, noticed), (away, _)) = (connect(&mut core), connect(&mut core));
    for key in [&waits, &away] {
        core.join(key, &room("a")).expect("below the limit");
    }
    assert_eq!(received(&mut core, &waits), []);
    core.broadcast(&room("a"), &frame(1), Box::default(), true);
    core.broadcast(&room("a"), &frame(2), Box::default(), false);
    flush(&mut core);
    assert_eq!(*noticed.0.lock(), [Notice::WantsWrite]);
    assert_eq!(received(&mut core, &waits), [1, 2]);
    assert_eq!(received(&mut core, &away), [2]);
    assert_eq!(core.counters.volatile_dropped, 1);
}

#[test]
fn a_poll_takes_whole_frames_up_to_its_limit() {
    let mut core = core(1000);
    let (key, _) = connect(&mut core);
    for number in 0..5 {
        core.emit(&key, frame(number), false);
    }
    core.emit(&key, Frame::new("9", &[b"a".to_vec().into(), b"b".to_vec().into()]), false);
    flush(&mut core);
    let connection = core.connection(key.connection).expect("connected");
    let sizes: Vec<_> = (0..5).map(|_| connection.poll(2).len()).collect();
    assert_eq!(sizes, [2, 2, 1, 2, 1]);
    assert_eq!(connection.queued_bytes(), 0);
}

/// Clients may refuse a response of more packets than that.
#[test]
fn a_frame_of_too_many_packets_is_taken_in_pieces() {
    let mut core = core(1_000_000);
    let (key, _) = connect(&mut core);
    let attachments: Vec<bytes::Bytes> = (0..7_u8).map(|number| vec![number].into()).collect();
    for _ in 0..2 {
        core.emit(&key, frame(1), false);
        core.emit(&key, Frame::new("9", &attachments), false);
    }
    flush(&mut core);
    let connection = core.connection(key.connection).expect("connected");
    let sizes: Vec<_> = (0..5).map(|_| connection.poll(3).len()).collect();
    assert_eq!(sizes, [1, 3, 3, 3, 3]);
}

#[test]
fn leaving_a_namespace_leaves_the_others() {
    let mut core = core(1000);
    let (main, _) = connect(&mut core);
    let other = core.open_socket(main.connection, &"/other".into());
    let elsewhere = RoomKey::everyone(&"/other".into());
    for room in [&room("a"), &RoomKey::everyone(&"/".into())] {
        core.join(&main, room).expect("below the limit");
    }
    core.join(&other, &elsewhere).expect("below the limit");
    core.close_socket(&main);
    assert!(!core.is_member(&main, &room("a")));
    assert!(core.is_member(&other, &elsewhere));
    assert_eq!(core.rooms.len(), 1);
}

#[test]
fn an_expired_connection_hears_only_what_is_sent_to_itself() {
    let mut core = core(1000);
    let ((key, _), (other, _)) = (connect(&mut core), connect(&mut core));
    for key in [&key, &other] {
        core.join(key, &room("a")).expect("below the limit");
    }
    core.connection(key.connection).expect("connected").expires_ms = 100;
    core.broadcast(&room("a"), &frame(1), Box::default(), false);
    assert_eq!(core.flush(99), Progress::Finished { coalesced: false });
    // Emitted in time, but time is over when it is to leave.
    core.broadcast(&room("a"), &frame(2), Box::default(), false);
    core.send(key.connection, frame(3), false);
    assert_eq!(core.flush(100), Progress::Finished { coalesced: false });
    core.emit(&key, frame(4), false);
    core.broadcast(&room("a"), &frame(5), Box::default(), false);
    assert_eq!(core.flush(101), Progress::Finished { coalesced: false });
    assert_eq!(received(&mut core, &key), [1, 3]);
    assert_eq!(received(&mut core, &other), [1, 2, 5]);
    // A fresh token: what is emitted from now on.
    core.connection(key.connection).expect("connected").expires_ms = 1000;
    core.broadcast(&room("a"), &frame(6), Box::default(), false);
    core.emit(&key, frame(7), false);
    assert_eq!(core.flush(102), Progress::Finished { coalesced: false });
    assert_eq!(received(&mut core, &key), [6, 7]);
}

#[test]
fn a_socket_that_is_ended_hears_nothing_more_and_its_connection_is_told_once() {
    let mut core = core(1000);
    let (key, noticed) = connect(&mut core);
    core.join(&key, &room("a")).expect("below the limit");
    core.broadcast(&room("a"), &frame(1), Box::default(), false);
    let notice = Notice::Revoked { socket: key.clone(), reason: RevocationReason::LoggedOut };
    for _ in 0..2 {
        core.apply(Command::End { socket: key.clone(), notice: notice.clone() });
    }
    core.broadcast(&room("a"), &frame(2), Box::default(), false);
    core.emit(&key, frame(3), false);
    core.send(key.connection, frame(4), false);
    flush(&mut core);
    assert_eq!(received(&mut core, &key), [1, 4]);
    let told = noticed.0.lock().iter().filter(|told| **told == notice).count();
    assert_eq!(told, 1);
    assert_eq!(core.join(&key, &room("a")), Err(JoinError::Gone));
}
