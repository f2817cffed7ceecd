//! Clients that come and go: whatever is lost on the way, each gets everything once and in order.

use std::sync::Arc;

use proptest::prelude::*;
use roomkey_model::RoomName;

use super::{connection::Wire, core::Core, flush::Progress, log::Log};
use crate::{
    Attention, Base, Era, Frame, LogConfig, Notice, Offset, Past, Reach, RoomKey, SocketKey, hub::Directory,
    merge, offset::Offsets,
};

struct Deaf;

impl Attention for Deaf {
    fn notify(&self, _: Notice) {}
}

const ROOMS: usize = 3;

fn room(index: usize) -> RoomKey {
    RoomKey::room(&"/".into(), &RoomName::new(index.to_string()).expect("a good name"))
}

fn core(shard: u16, bytes_max: usize) -> Core {
    let log = Log::new(LogConfig { bytes_max, window_ms: 120_000 });
    Core::new(shard, usize::MAX, 100, Arc::new(Directory::default()), Some(log))
}

fn flush(core: &mut Core) {
    while core.flush(0) == Progress::Unfinished {}
}

/// Two shards and a client that moves between them.
struct World {
    cores: [Core; 2],
    offsets: Offsets,
    /// Where the client is, or was last.
    home: usize,
    socket: Option<SocketKey>,
    parked: Option<SocketKey>,
    past: Past,
    /// What the client has received: the text of each frame, and its offset.
    received: Vec<String>,
    last: Option<Offset>,
    expected: Vec<String>,
    volatile: Vec<String>,
    members: [bool; ROOMS],
    emitted: usize,
}

impl World {
    fn new(bytes_max: usize) -> Self {
        let mut cores = [core(0, bytes_max), core(1, bytes_max)];
        for core in &mut cores {
            let connection = core.insert(Arc::new(Deaf), Wire::Polling);
            let bystander = core.open_socket(connection, &"/".into());
            (0..ROOMS).for_each(|index| core.join(&bystander, &room(index)).expect("below the limit"));
        }
        let connection = cores[0].insert(Arc::new(Deaf), Wire::Polling);
        let socket = cores[0].open_socket(connection, &"/".into());
        let offsets = Offsets::default();
        offsets.next(0);
        let base = Base::NothingSince(offsets.last());
        let past = Past::new(base, Vec::new(), Era { socket: Some(socket.clone()), since: cores[0].order });
        Self {
            cores,
            offsets,
            home: 0,
            socket: Some(socket),
            parked: None,
            past,
            received: Vec::new(),
            last: None,
            expected: Vec::new(),
            volatile: Vec::new(),
            members: [false; ROOMS],
            emitted: 0,
        }
    }

    fn frame(&mut self) -> (String, Frame) {
        self.emitted += 1;
        let offset = self.offsets.next(0);
        let text = format!("{offset} {}", self.emitted);
        (text.clone(), Frame::text(&text).recoverable(offset))
    }

    /// Everything emitted reaches both shards, one after the other, as from a third thread.
    fn broadcast(&mut self, index: usize, volatile: bool) {
        let (text, frame) = self.frame();
        for core in &mut self.cores {
            core.broadcast(&room(index), &frame, Box::default(), volatile);
        }
        if volatile {
            self.volatile.push(text);
        } else if self.members[index] {
            self.expected.push(text);
        }
    }

    fn emit(&mut self) {
        let (text, frame) = self.frame();
        let Some(socket) = &self.socket else { return };
        self.cores[self.home].emit(socket, frame, false);
        self.expected.push(text);
    }

    fn change(&mut self, index: usize, joins: bool) {
        let Some(socket) = self.socket.clone().or_else(|| self.parked.clone()) else { return };
        let core = &mut self.cores[self.home];
        if joins {
            core.join(&socket, &room(index)).expect("below the limit");
        } else {
            core.leave(&socket, &room(index));
        }
        self.members[index] = joins;
    }

    /// The client reads what has been written so far, or only the first few packets of it.
    fn read(&mut self, packets_max: usize) {
        let Some(socket) = &self.socket else { return };
        flush(&mut self.cores[self.home]);
        let connection = self.cores[self.home].connection(socket.connection).expect("connected");
        for packet in connection.poll(usize::MAX).into_iter().take(packets_max) {
            let text = String::from_utf8(packet.to_vec()).expect("text");
            self.last = Offset::parse(text.split(' ').next().expect("an offset"));
            self.received.push(text);
        }
    }

    fn disconnect(&mut self, read_before: usize) {
        self.read(read_before);
        let Some(socket) = self.socket.take() else { return };
        let core = &mut self.cores[self.home];
        self.parked = core.park(&socket, Arc::new(Deaf));
        core.remove(socket.connection);
    }

    /// The client comes back to a shard; `between` happens while it is being let in.
    fn reconnect(&mut self, home: usize, between: impl FnOnce(&mut Self)) -> bool {
        let Some(parked) = self.parked.clone() else { return true };
        let connection = self.cores[home].insert(Arc::new(Deaf), Wire::Polling);
        let socket = self.cores[home].open_socket(connection, &"/".into());
        self.cores[home].mute(&socket);
        let since = self.cores[home].order;
        for name in self.cores[self.home].rooms_of(&parked) {
            self.cores[home].join(&socket, &RoomKey::room(&"/".into(), &name)).expect("below the limit");
        }
        between(self);
        let after = self.past.ask_after(self.last);
        let absent = &mut self.cores[self.home];
        let history = absent.look_back(&parked, &self.past.era, after, usize::MAX).expect("parked");
        absent.remove(parked.connection);
        self.parked = None;
        let Some(mut missed) = self.past.missed(history, self.last) else { return false };
        let since = self.cores[home].release(&socket, since, usize::MAX, |kept_back| {
            merge(&mut missed, kept_back.emissions);
            Some(missed.iter().filter_map(|missed| missed.frame.clone()).collect())
        });
        let era = Era { socket: Some(socket.clone()), since: since.expect("caught up") };
        self.past = Past::new(self.past.base().advance(self.last), missed, era);
        (self.home, self.socket) = (home, Some(socket));
        true
    }

    fn check(mut self) -> Result<(), TestCaseError> {
        let home = self.home;
        prop_assert!(self.reconnect(home, |_| ()));
        self.read(usize::MAX);
        // What is volatile may come or not.
        self.received.retain(|text| !self.volatile.contains(text));
        prop_assert_eq!(&self.received, &self.expected);
        for core in &mut self.cores {
            if let Some(socket) = self.socket.as_ref().filter(|socket| core.has_open(socket)) {
                core.remove(socket.connection);
            }
            flush(core);
            prop_assert_eq!((core.connections.len(), core.rooms.len(), core.parked), (1, ROOMS, 0));
        }
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Act {
    Broadcast { room: usize, volatile: bool },
    Change { room: usize, joins: bool },
    Disconnect { read_before: usize },
    Emit,
    Flush,
    Read,
    Reconnect { home: usize, between: Vec<usize> },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..ROOMS, prop::bool::weighted(0.2)).prop_map(|(room, volatile)| Act::Broadcast { room, volatile }),
        // A room that is left takes what is still on its way to a client that goes away with it, so they only grow.
        2 => (0..ROOMS).prop_map(|room| Act::Change { room, joins: true }),
        2 => (0..6_usize).prop_map(|read_before| Act::Disconnect { read_before }),
        2 => Just(Act::Emit),
        1 => Just(Act::Flush),
        1 => Just(Act::Read),
        3 => (0..2_usize, prop::collection::vec(0..ROOMS, 0..3))
            .prop_map(|(home, between)| Act::Reconnect { home, between }),
    ]
}

proptest! {
    #[test]
    fn whatever_is_lost_comes_once_and_in_order(acts in prop::collection::vec(act(), 1..60)) {
        let mut world = World::new(usize::MAX);
        for act in acts {
            match act {
                Act::Broadcast { room, volatile } => world.broadcast(room, volatile),
                Act::Change { room, joins } => world.change(room, joins),
                Act::Disconnect { read_before } => world.disconnect(read_before),
                Act::Emit => world.emit(),
                Act::Flush => world.cores.iter_mut().for_each(flush),
                Act::Read => world.read(usize::MAX),
                Act::Reconnect { home, between } => {
                    let recovered = world.reconnect(home, |world| {
                        for room in between {
                            world.broadcast(room, false);
                            flush(&mut world.cores[0]);
                        }
                    });
                    prop_assert!(recovered);
                }
            }
        }
        world.check()?;
    }
}

fn world_in_a_room(bytes_max: usize) -> World {
    let mut world = World::new(bytes_max);
    world.change(0, true);
    world
}

#[test]
fn what_is_forgotten_cannot_be_recovered() {
    let mut world = world_in_a_room(2000);
    world.disconnect(0);
    (0..100).for_each(|_| world.broadcast(0, false));
    assert!(!world.reconnect(1, |_| ()));
}

#[test]
fn what_was_received_may_be_forgotten() {
    let mut world = world_in_a_room(2000);
    (0..100).for_each(|_| world.broadcast(0, false));
    world.read(usize::MAX);
    world.broadcast(0, false);
    world.disconnect(0);
    assert!(world.reconnect(1, |_| ()));
    world.check().expect("everything, once");
}

#[test]
fn an_offset_that_was_never_sent_is_unknown() {
    let mut world = world_in_a_room(usize::MAX);
    world.broadcast(0, false);
    world.read(usize::MAX);
    world.disconnect(0);
    world.last = Offset::parse("00000000zzz");
    assert!(!world.reconnect(0, |_| ()));
}

#[test]
fn a_sender_does_not_recover_what_it_was_excluded_from() {
    let mut world = world_in_a_room(usize::MAX);
    let socket = world.socket.clone().expect("connected");
    let (_, frame) = world.frame();
    world.cores[0].broadcast(&room(0), &frame, [socket.connection].into(), false);
    world.disconnect(0);
    world.cores[0].broadcast(&room(0), &frame, [socket.connection].into(), false);
    world.check().expect("nothing");
}

#[test]
fn what_is_emitted_to_a_socket_while_its_client_is_away_waits() {
    let mut world = world_in_a_room(usize::MAX);
    let socket = world.socket.clone().expect("connected");
    world.disconnect(0);
    let (text, frame) = world.frame();
    world.cores[0].emit(&socket, frame, false);
    world.expected.push(text);
    world.check().expect("it comes");
}

#[test]
fn once_confirmed_what_was_caught_up_is_not_kept() {
    let mut world = world_in_a_room(usize::MAX);
    world.broadcast(0, false);
    world.disconnect(0);
    assert!(world.reconnect(1, |_| ()));
    world.read(usize::MAX);
    world.past.confirm();
    world.broadcast(0, false);
    world.disconnect(0);
    assert!(world.reconnect(0, |_| ()));
    world.check().expect("everything, once");
}

/// A stock client keeps its last offset when it becomes another socket.
#[test]
fn an_offset_of_an_earlier_life_says_that_nothing_was_received() {
    let mut world = world_in_a_room(usize::MAX);
    world.last = Some(world.offsets.last());
    world.broadcast(0, false);
    world.disconnect(0);
    world.check().expect("everything, once");
}

#[test]
fn the_last_event_may_have_come_from_a_room_that_was_left() {
    let mut world = world_in_a_room(usize::MAX);
    world.change(1, true);
    world.broadcast(0, false);
    world.read(usize::MAX);
    world.change(0, false);
    world.broadcast(1, false);
    world.disconnect(0);
    world.check().expect("everything, once");
}

#[test]
fn too_much_to_catch_up_with_is_not_sent() {
    let mut world = world_in_a_room(usize::MAX);
    world.disconnect(0);
    (0..100).for_each(|_| world.broadcast(0, false));
    let (parked, era) = (world.parked.clone().expect("parked"), world.past.era.clone());
    let reach = |world: &mut World, bytes_max| {
        world.cores[0].look_back(&parked, &era, None, bytes_max).expect("parked").reach
    };
    assert_eq!((reach(&mut world, 300), reach(&mut world, 3000)), (Reach::TooMuch, Reach::Era));
}

#[test]
fn the_newest_are_for_those_who_have_received_something_before_them() {
    let mut world = world_in_a_room(usize::MAX);
    (0..10).for_each(|_| world.broadcast(0, false));
    world.read(usize::MAX);
    world.broadcast(0, false);
    world.disconnect(0);
    let (parked, past) = (world.parked.clone().expect("parked"), world.past.clone());
    for (count_max, known) in [(20, 11), (11, 11), (10, 10), (1, 1)] {
        let newest = world.cores[0].newest(&parked, &past.era, count_max).expect("parked");
        let (base, emissions) = past.clone().newest(newest, count_max);
        assert_eq!(emissions.len(), known);
        assert_eq!(base == past.base(), known == 11);
        if known == 1 {
            assert_eq!(Base::Received(world.last.expect("an offset")), base);
        }
    }
}

/// Sockets of one connection in other namespaces hear by themselves while one is being let in.
#[test]
fn what_another_namespace_hears_is_not_caught_up_with() {
    let mut core = core(0, usize::MAX);
    let connection = core.insert(Arc::new(Deaf), Wire::Polling);
    let main = core.open_socket(connection, &"/".into());
    core.join(&main, &room(0)).expect("below the limit");
    let other = core.open_socket(connection, &"/other".into());
    core.mute(&other);
    let since = core.order;
    let frame = Frame::text("42").recoverable(Offsets::default().next(0));
    core.broadcast(&room(0), &frame, Box::default(), false);
    let released = core.release(&other, since, usize::MAX, |kept_back| {
        Some(kept_back.emissions.into_iter().filter_map(|missed| missed.frame).collect())
    });
    assert!(released.is_some());
    flush(&mut core);
    assert_eq!(core.connection(connection).expect("connected").poll(usize::MAX), ["42"]);
}
