use std::sync::Arc;

use roomkey_hub::{Attention, Hub, HubConfig, Notice, SocketKey, Wire};
use roomkey_model::{Limits, SocketId};
use roomkey_protocol::socket::{Decoder, Packet};
use roomkey_testkit::SeededEntropy;

use super::*;

struct Deaf;

impl Attention for Deaf {
    fn notify(&self, _: Notice) {}
}

/// Sockets of as many connections.
fn sockets<const COUNT: usize>() -> [SocketKey; COUNT] {
    let hub = Hub::new(&HubConfig::new(1, &Limits::default()));
    let shard = &hub.shards()[0];
    shard.enter();
    std::array::from_fn(|_| shard.open_socket(shard.insert(Arc::new(Deaf), Wire::Polling), &"/".into()))
}

fn acks(pending_max: usize, bytes_max: usize) -> Arc<BroadcastAcks> {
    Arc::new(BroadcastAcks::new(pending_max, bytes_max))
}

fn ack(args: &str) -> BroadcastAck {
    let packet = Decoder::new(0, usize::MAX).text(&format!("30{args}")).expect("an ack");
    let Some(Packet::Ack { args, .. }) = packet else { panic!("{packet:?}") };
    BroadcastAck { socket: SocketId::generate(&SeededEntropy::new(1)), args }
}

fn is_empty(acks: &BroadcastAcks) -> bool {
    let state = acks.state.lock();
    state.ballots.is_empty() && state.owed.is_empty()
}

#[tokio::test]
async fn it_is_finished_when_all_are_counted_and_have_answered() {
    let acks = acks(1, 100);
    let [one, two] = sockets();
    let mut ballot = acks.open().expect("room for one");
    let census = ballot.census();
    census.count(vec![one.clone()]);
    assert_eq!(acks.receive(&one, ballot.id(), ack("[1]")), Receipt::Taken);
    assert!(ballot.is_finished.try_recv().is_err(), "who else is asked is not known yet");
    census.count(vec![two.clone()]);
    drop(census);
    assert!(ballot.is_finished.try_recv().is_err());
    assert_eq!(acks.receive(&two, ballot.id(), ack("[2]")), Receipt::Taken);
    ballot.finished().await;
    let outcome = ballot.close();
    assert!(outcome.is_complete);
    assert_eq!(outcome.acks.iter().map(|ack| ack.args.json()).collect::<Vec<_>>(), ["[1]", "[2]"]);
    assert!(is_empty(&acks));
}

#[tokio::test]
async fn who_leaves_is_missing() {
    let acks = acks(2, 100);
    let [one, two] = sockets();
    let [mut first, mut second] = std::array::from_fn(|_| acks.open().expect("room for two"));
    for ballot in [&first, &second] {
        ballot.census().count(vec![one.clone(), two.clone()]);
    }
    assert_eq!(acks.receive(&one, first.id(), ack("[]")), Receipt::Taken);
    acks.leave(&one);
    acks.leave(&two);
    first.finished().await;
    second.finished().await;
    assert_eq!((first.close().missing, second.close().missing), (1, 2));
    assert!(is_empty(&acks));
}

#[test]
fn nothing_is_left_of_what_is_given_up() {
    let acks = acks(1, 100);
    let [one, two] = sockets();
    let ballot = acks.open().expect("room for one");
    assert!(acks.open().is_none());
    let (id, late) = (ballot.id(), ballot.census());
    ballot.census().count(vec![one.clone()]);
    drop(ballot);
    late.count(vec![two.clone()]);
    drop(late);
    assert!(is_empty(&acks));
    for socket in [&one, &two] {
        assert_eq!(acks.receive(socket, id, ack("[]")), Receipt::Unexpected);
    }
    assert!(acks.open().expect("room again").id() > id);
}

/// Even when the numbers have run out and begin anew.
#[test]
fn ids_are_in_their_range_and_not_used_twice_at_a_time() {
    let acks = acks(3, 100);
    acks.state.lock().next_id = BroadcastAcks::FIRST_ID - 1;
    let last = acks.open().expect("room for three");
    assert_eq!(last.id(), i32::MAX.unsigned_abs());
    let first = acks.open().expect("room for two");
    assert_eq!(first.id(), BroadcastAcks::FIRST_ID);
    acks.state.lock().next_id = 0;
    assert_eq!(acks.open().expect("room for one").id(), BroadcastAcks::FIRST_ID + 1);
}

#[test]
fn acks_count_once_and_while_there_is_room() {
    let acks = acks(1, 10);
    let [one, two, stranger] = sockets();
    let ballot = acks.open().expect("room for one");
    ballot.census().count(vec![one.clone(), two.clone()]);
    assert_eq!(acks.receive(&stranger, ballot.id(), ack("[]")), Receipt::Unexpected);
    assert_eq!(acks.receive(&one, ballot.id() + 1, ack("[]")), Receipt::Unexpected);
    assert_eq!(acks.receive(&one, ballot.id(), ack("[\"1234\"]")), Receipt::Taken);
    assert_eq!(acks.receive(&one, ballot.id(), ack("[]")), Receipt::Unexpected);
    assert_eq!(acks.receive(&two, ballot.id(), ack("[\"1\"]")), Receipt::TooBig);
    assert_eq!(acks.receive(&two, ballot.id(), ack("[]")), Receipt::Unexpected);
    let outcome = ballot.close();
    assert_eq!((outcome.acks.len(), outcome.missing, outcome.is_complete), (1, 1, false));
    assert!(is_empty(&acks));
}
