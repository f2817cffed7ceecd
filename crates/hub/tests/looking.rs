//! What may be looked at from outside a shard: rooms, their members, and sockets.

use std::{collections::BTreeMap, sync::Arc};

use roomkey_hub::{Attention, ConnectionKey, Hub, HubConfig, Notice, RoomKey, Seen, Shard, SocketKey, Wire};
use roomkey_model::{Limits, RoomName};

struct Deaf;

impl Attention for Deaf {
    fn notify(&self, _: Notice) {}
}

/// Enough for several looks.
const ROOMS: usize = 700;

fn room(name: &str) -> RoomKey {
    RoomKey::room(&"/".into(), &RoomName::new(name).expect("a good name"))
}

fn connect(shard: &Shard) -> (ConnectionKey, SocketKey) {
    let connection = shard.insert(Arc::new(Deaf), Wire::Polling);
    (connection, shard.open_socket(connection, &"/".into()))
}

fn rooms(shard: &Shard, mut between: impl FnMut()) -> BTreeMap<String, usize> {
    let (mut place, mut all) = (Some(0), Vec::new());
    while let Some(from) = place {
        place = shard.copy_rooms(from, &mut all);
        between();
    }
    let count = all.len();
    let by_name: BTreeMap<_, _> =
        all.into_iter().map(|(key, members)| (key.room.expect("a name").to_string(), members)).collect();
    assert_eq!(by_name.len(), count, "no room twice");
    by_name
}

#[test]
fn rooms_are_met_once_while_others_come_and_go() {
    let hub = Hub::new(&HubConfig::new(1, &Limits::default()));
    let shard = &hub.shards()[0];
    shard.enter();
    let sockets: Vec<_> = (0..ROOMS).map(|_| connect(shard).1).collect();
    for (index, socket) in sockets.iter().enumerate() {
        hub.join(socket, &room(&format!("own-{index}"))).expect("joins");
        hub.join(socket, &room("all")).expect("joins");
    }
    let (_, guest) = connect(shard);
    let mut number = 0;
    let seen = rooms(shard, || {
        // Rooms of somebody else open and close, in whatever place is free.
        hub.leave(&guest, &room(&format!("guest-{number}")));
        number += 1;
        hub.join(&guest, &room(&format!("guest-{number}"))).expect("joins");
    });
    assert_eq!(seen.get("all"), Some(&ROOMS));
    assert!((0..ROOMS).all(|index| seen.get(&format!("own-{index}")) == Some(&1)));
}

#[test]
fn members_that_leave_while_they_are_looked_at_are_not_shown() {
    let hub = Hub::new(&HubConfig::new(1, &Limits::default()));
    let shard = &hub.shards()[0];
    shard.enter();
    let mut all = Vec::new();
    for _ in 0..ROOMS {
        let (connection, socket) = connect(shard);
        hub.join(&socket, &room("all")).expect("joins");
        all.push((connection, socket));
    }
    let members = shard.copy_members(&room("all"));
    assert_eq!((members.len(), members.is_empty()), (ROOMS, false));
    // One goes away and another takes its place in the shard; one leaves the room.
    shard.remove(all[0].0);
    let (_, other) = connect(shard);
    hub.leave(&all[1].1, &room("all"));
    let mut found = Vec::new();
    for part in members.parts() {
        shard.sockets_at(&room("all"), part, &mut found);
    }
    assert_eq!(found.len(), ROOMS - 2);
    assert!(!found.contains(&other) && !found.contains(&all[1].1) && found.contains(&all[2].1));
    assert!(shard.copy_members(&room("nobody's")).is_empty());
}

#[test]
fn a_socket_is_seen_with_its_rooms_until_it_ends() {
    let hub = Hub::new(&HubConfig::new(1, &Limits::default()));
    let shard = &hub.shards()[0];
    shard.enter();
    let (connection, socket) = connect(shard);
    hub.join(&socket, &RoomKey::everyone(&"/".into())).expect("joins");
    hub.join(&socket, &room("lobby")).expect("joins");
    assert_eq!(shard.look_at(&socket), Some(Seen { is_polling: true, rooms: 1 }));
    assert_eq!(shard.rooms_seen(&socket), [RoomName::new("lobby").expect("a good name")]);
    shard.remove(connection);
    let (_, in_its_place) = connect(shard);
    assert_eq!(shard.look_at(&socket), None);
    assert!(shard.rooms_seen(&socket).is_empty());
    assert_eq!(shard.look_at(&in_its_place), Some(Seen { is_polling: true, rooms: 0 }));
}
