//! Sockets whose clients are not told yet that they are in, against a model that does everything at once.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use proptest::prelude::*;
use roomkey_model::RoomName;

use super::{connection::Wire, core::Core, flush::Progress};
use crate::{Attention, ConnectionKey, Frame, Notice, RoomKey, Selection, SocketKey, hub::Directory};

#[derive(Default)]
struct Noticed(Mutex<Vec<Notice>>);

impl Attention for Noticed {
    fn notify(&self, notice: Notice) {
        self.0.lock().push(notice);
    }
}

fn core(outbox_bytes_max: usize) -> Core {
    Core::new(0, outbox_bytes_max, 100, Arc::new(Directory::default()), None)
}

fn room(namespace: usize, name: usize) -> RoomKey {
    let name = RoomName::new(name.to_string()).expect("a good name");
    RoomKey::room(&NAMESPACES[namespace].into(), &name)
}

fn frame(number: usize) -> Frame {
    Frame::text(&number.to_string())
}

fn flush(core: &mut Core) {
    while core.flush(0) == Progress::Unfinished {}
}

/// What has been written to a connection, by the numbers of the frames.
fn received(core: &mut Core, connection: ConnectionKey) -> Vec<usize> {
    let packets = core.connection(connection).expect("connected").poll(usize::MAX);
    let number =
        |packet: &bytes::Bytes| std::str::from_utf8(packet).expect("text").parse().expect("a number");
    packets.iter().map(number).collect()
}

fn held_socket(core: &mut Core) -> (SocketKey, Arc<Noticed>) {
    let noticed = Arc::new(Noticed::default());
    let connection = core.insert(noticed.clone(), Wire::Polling);
    let socket = core.open_socket(connection, &"/".into());
    core.hold(&socket);
    (socket, noticed)
}

const NAMESPACES: [&str; 2] = ["/", "/other"];
const ROOMS: usize = 2;
/// Connections with sockets that come and go.
const COMING: usize = 3;
/// With those that are in a room of the main namespace all the time: a flush takes several chunks.
const CONNECTIONS: usize = 300;

#[derive(Clone, Debug)]
enum Act {
    Broadcast { namespace: usize, room: usize, except: Option<usize> },
    BroadcastTo { namespace: usize, except: Option<usize> },
    Close { connection: usize, namespace: usize },
    Emit { connection: usize, namespace: usize },
    FlushAll,
    FlushChunk,
    FlushConnections,
    Join { connection: usize, namespace: usize, room: usize },
    Leave { connection: usize, namespace: usize, room: usize },
    Open { connection: usize, namespace: usize },
    Send { connection: usize },
    Welcome { connection: usize, namespace: usize },
}

fn act() -> impl Strategy<Value = Act> {
    let (namespaces, rooms) = (NAMESPACES.len(), ROOMS);
    let socket = (0..COMING, 0..namespaces);
    let place = (0..COMING, 0..namespaces, 0..rooms);
    let except = prop::option::of(0..COMING);
    prop_oneof![
        6 => (0..namespaces, 0..rooms, except.clone())
            .prop_map(|(namespace, room, except)| Act::Broadcast { namespace, room, except }),
        2 => (0..namespaces, except).prop_map(|(namespace, except)| Act::BroadcastTo { namespace, except }),
        1 => socket.clone().prop_map(|(connection, namespace)| Act::Close { connection, namespace }),
        4 => socket.clone().prop_map(|(connection, namespace)| Act::Emit { connection, namespace }),
        1 => Just(Act::FlushAll),
        3 => Just(Act::FlushChunk),
        1 => Just(Act::FlushConnections),
        5 => place.clone().prop_map(|(connection, namespace, room)| Act::Join { connection, namespace, room }),
        1 => place.prop_map(|(connection, namespace, room)| Act::Leave { connection, namespace, room }),
        2 => socket.clone().prop_map(|(connection, namespace)| Act::Open { connection, namespace }),
        2 => (0..COMING).prop_map(|connection| Act::Send { connection }),
        2 => socket.prop_map(|(connection, namespace)| Act::Welcome { connection, namespace }),
    ]
}

/// A socket as the model knows it.
struct Known {
    key: SocketKey,
    rooms: BTreeSet<usize>,
    /// What is kept from it; `None`: it was welcomed.
    held: Option<Vec<usize>>,
}

#[derive(Default)]
struct Model {
    sockets: [[Option<Known>; 2]; COMING],
    /// What each connection is to receive.
    expected: [Vec<usize>; COMING],
}

impl Model {
    fn emit(&mut self, connection: usize, namespace: usize, number: usize) {
        match &mut self.sockets[connection][namespace] {
            Some(Known { held: Some(held), .. }) => held.push(number),
            Some(Known { held: None, .. }) => self.expected[connection].push(number),
            None => {}
        }
    }

    fn broadcast(&mut self, namespace: usize, rooms: &[usize], except: Option<usize>, number: usize) {
        for connection in (0..COMING).filter(|connection| Some(*connection) != except) {
            let socket = &self.sockets[connection][namespace];
            if socket.as_ref().is_some_and(|socket| rooms.iter().any(|room| socket.rooms.contains(room))) {
                self.emit(connection, namespace, number);
            }
        }
    }
}

proptest! {
    /// Whatever happens meanwhile: nothing reaches a client before the frame that lets it in, and right behind that comes
    /// all that was for it since it joined, in order; nothing comes where it is not let in. Its other sockets notice
    /// nothing.
    #[test]
    fn what_is_for_a_socket_comes_behind_its_welcome(acts in prop::collection::vec(act(), 1..100)) {
        let mut core = core(usize::MAX);
        let attention = Arc::new(Noticed::default());
        let keys: Vec<_> = (0..CONNECTIONS).map(|_| core.insert(attention.clone(), Wire::Polling)).collect();
        for key in &keys[COMING..] {
            let socket = core.open_socket(*key, &NAMESPACES[0].into());
            core.join(&socket, &room(0, 0)).expect("below the limit");
        }
        let mut model = Model::default();
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Broadcast { namespace, room: to, except } => {
                    let excluded = except.iter().map(|index| keys[*index]).collect();
                    core.broadcast(&room(namespace, to), &frame(number), excluded, false);
                    model.broadcast(namespace, &[to], except, number);
                }
                Act::BroadcastTo { namespace, except } => {
                    let selection = Selection::from(room(namespace, 0)).to(room(namespace, 1));
                    let to = except.iter().fold(selection, |to, index| to.except(keys[*index]));
                    let frame = frame(number);
                    core.apply(super::Command::BroadcastTo { to, frame, volatile: false, census: None });
                    model.broadcast(namespace, &[0, 1], except, number);
                }
                Act::Close { connection, namespace } => {
                    if let Some(socket) = model.sockets[connection][namespace].take() {
                        core.close_socket(&socket.key);
                    }
                }
                Act::Emit { connection, namespace } => {
                    if let Some(socket) = &model.sockets[connection][namespace] {
                        core.emit(&socket.key, frame(number), false);
                    }
                    model.emit(connection, namespace, number);
                }
                Act::FlushAll => flush(&mut core),
                Act::FlushChunk => _ = core.flush(0),
                Act::FlushConnections => _ = core.flush_connections(),
                Act::Join { connection, namespace, room: to } => {
                    if let Some(socket) = &mut model.sockets[connection][namespace] {
                        core.join(&socket.key, &room(namespace, to)).expect("below the limit");
                        socket.rooms.insert(to);
                    }
                }
                Act::Leave { connection, namespace, room: from } => {
                    if let Some(socket) = &mut model.sockets[connection][namespace] {
                        core.leave(&socket.key, &room(namespace, from));
                        socket.rooms.remove(&from);
                    }
                }
                Act::Open { connection, namespace } => {
                    let key = core.open_socket(keys[connection], &NAMESPACES[namespace].into());
                    core.hold(&key);
                    let known = Known { key, rooms: BTreeSet::new(), held: Some(Vec::new()) };
                    model.sockets[connection][namespace] = Some(known);
                }
                Act::Send { connection } => {
                    core.send(keys[connection], frame(number), false);
                    model.expected[connection].push(number);
                }
                Act::Welcome { connection, namespace } => {
                    if let Some(socket) = &mut model.sockets[connection][namespace]
                        && let Some(held) = socket.held.take()
                    {
                        core.welcome(&socket.key, frame(number));
                        model.expected[connection].push(number);
                        model.expected[connection].extend(held);
                    }
                }
            }
        }
        flush(&mut core);
        flush(&mut core);
        for (key, expected) in keys.iter().zip(model.expected) {
            prop_assert_eq!(received(&mut core, *key), expected);
            let sockets = &core.connection(*key).expect("connected").sockets;
            let holds = sockets.iter().any(|open| open.held.is_some());
            prop_assert_eq!(core.connection(*key).expect("connected").withholds, holds);
        }
    }
}

#[test]
fn what_does_not_wait_is_not_held() {
    let mut core = core(1000);
    let (socket, _) = held_socket(&mut core);
    core.join(&socket, &room(0, 0)).expect("below the limit");
    core.broadcast(&room(0, 0), &frame(1), Box::default(), true);
    core.broadcast(&room(0, 0), &frame(2), Box::default(), false);
    core.emit(&socket, frame(3), true);
    core.welcome(&socket, frame(4));
    flush(&mut core);
    assert_eq!(received(&mut core, socket.connection), [4, 2]);
    assert_eq!(core.counters.volatile_dropped, 2);
}

/// However long its middleware takes, no client makes the server keep more for it than for any other.
#[test]
fn what_is_held_is_bounded() {
    let mut core = core(10);
    let (socket, noticed) = held_socket(&mut core);
    core.join(&socket, &room(0, 0)).expect("below the limit");
    for number in 1000..1010 {
        core.broadcast(&room(0, 0), &frame(number), Box::default(), false);
        flush(&mut core);
    }
    assert_eq!(*noticed.0.lock(), [Notice::SlowReader]);
    core.welcome(&socket, frame(1));
    flush(&mut core);
    assert_eq!(received(&mut core, socket.connection), []);
}

#[test]
fn what_was_held_for_a_token_that_is_over_is_not_sent() {
    let mut core = core(1000);
    let (socket, _) = held_socket(&mut core);
    core.join(&socket, &room(0, 0)).expect("below the limit");
    core.broadcast(&room(0, 0), &frame(1), Box::default(), false);
    core.emit(&socket, frame(2), false);
    core.connection(socket.connection).expect("connected").expires_ms = 100;
    assert_eq!(core.flush(100), Progress::Finished { coalesced: false });
    core.welcome(&socket, frame(3));
    core.flush(101);
    assert_eq!(received(&mut core, socket.connection), [3]);
}
