//! The writer thread: batches, bounds, and what happens when the disk is full or somebody else locks the file.

use std::sync::Arc;

use crate::support::{Fixture, anyone, draft, id, members_only, new_channel, profile, user};
use futures_util::{FutureExt, future::join_all};
use roomkey_model::{Seq, Timestamp};
use roomkey_store::{ChannelStore, MessageStore, Page, SqliteConfig, SqliteStore, Store, StoreError};

#[tokio::test(flavor = "multi_thread")]
async fn the_sink_is_told_before_the_sender() {
    let (fixture, gate) = Fixture::gated(&SqliteConfig::default());
    fixture.channel("den", &["ada"]).await;
    let mut pending = fixture.store.append(draft("den", "ada", "hello", None), anyone());
    assert_eq!(gate.wait(), 1);
    assert!((&mut pending).now_or_never().is_none());
    assert_eq!(fixture.history("den", Page::Latest, 1).await.len(), 1, "it is committed already");
    gate.open();
    assert_eq!(pending.await.map(|message| message.seq), Ok(Seq(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_write_does_not_spoil_its_batch() {
    let (fixture, gate) = Fixture::gated(&SqliteConfig::default());
    fixture.channel("den", &["ada"]).await;
    let first = fixture.store.append(draft("den", "ada", "first", None), anyone());
    gate.wait();
    let sent = ["a", "eve", "b", "conflict", "c"].map(|content| match content {
        "eve" => fixture.store.append(draft("den", "eve", content, None), members_only()),
        "conflict" => {
            let again = new_channel("den", "ada", roomkey_store::Visibility::Public);
            let created = fixture.store.create_channel(again);
            created.map(|result| result.map(|()| unreachable!("the id is taken"))).boxed()
        }
        _ => fixture.store.append(draft("den", "ada", content, None), members_only()),
    });
    gate.open();
    assert_eq!(gate.wait(), 3, "one batch took the three that succeed");
    gate.open();
    first.await.expect("sends");
    let seqs = join_all(sent).await.into_iter().map(|answer| answer.map(|message| message.seq.0));
    assert_eq!(
        seqs.collect::<Vec<_>>(),
        [Ok(2), Err(StoreError::Denied), Ok(3), Err(StoreError::Conflict { field: "id" }), Ok(4)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_an_answer() {
    let (fixture, gate) = Fixture::gated(&SqliteConfig { queue_jobs: 3, ..SqliteConfig::default() });
    fixture.channel("den", &["ada"]).await;
    let append = |content| fixture.store.append(draft("den", "ada", content, None), anyone());
    let first = append("first");
    gate.wait();
    let waiting = ["a", "b", "c"].map(append);
    assert_eq!(append("d").now_or_never(), Some(Err(StoreError::Unavailable)));
    gate.open();
    gate.wait();
    gate.open();
    assert!(first.await.is_ok());
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
    let last = fixture.store.append(draft("den", "ada", "e", None), anyone());
    gate.wait();
    gate.open();
    assert_eq!(last.await.map(|message| message.seq), Ok(Seq(5)), "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_was_accepted() {
    let (fixture, gate) = Fixture::gated(&SqliteConfig { batch_jobs: 2, ..SqliteConfig::default() });
    fixture.channel("den", &["ada"]).await;
    let append = |content| fixture.store.append(draft("den", "ada", content, None), anyone());
    let accepted = ["1", "2", "3", "4", "5"].map(append);
    gate.wait();
    let mut closed = fixture.store.close();
    assert!((&mut closed).now_or_never().is_none());
    assert_eq!(append("late").await, Err(StoreError::Unavailable));
    drop(gate);
    closed.await;
    let seqs = join_all(accepted).await.into_iter().map(|answer| answer.map(|message| message.seq.0));
    assert_eq!(seqs.collect::<Vec<_>>(), [Ok(1), Ok(2), Ok(3), Ok(4), Ok(5)]);
    let reopened = SqliteStore::open(&fixture.path, &SqliteConfig::default(), Box::new(|_| ()));
    let channel = reopened.expect("the lock is free").channel(&id("den")).await.expect("readable");
    assert_eq!(channel.map(|channel| channel.last_seq), Some(Seq(5)));
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_leaves_no_gap() {
    let fixture =
        Fixture::with_config(&SqliteConfig { database_bytes: Some(256 * 1024), ..SqliteConfig::default() });
    fixture.channel("den", &["ada"]).await;
    let content = "x".repeat(8 * 1024);
    let append = || fixture.store.append(draft("den", "ada", &content, None), anyone());
    let mut stored = Vec::new();
    let refused = loop {
        match append().await {
            Ok(message) => stored.push(message),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, StoreError::DiskFull);
    assert!(stored.len() > 5, "some fit");
    for answer in join_all((0..9).map(|_| append())).await {
        assert_eq!(answer, Err(StoreError::DiskFull));
    }
    assert_eq!(fixture.messages_committed(), stored);
    assert_eq!(fixture.history("den", Page::Latest, 999).await, stored, "reading goes on");
    fixture.store.close().await;

    let roomier = SqliteStore::open(&fixture.path, &SqliteConfig::default(), Box::new(|_| ()));
    let next = roomier.expect("opens").append(draft("den", "ada", "again", None), anyone()).await;
    assert_eq!(next.map(|message| message.seq), Ok(Seq(stored.len() as u64 + 1)));
}

#[tokio::test]
async fn a_lock_of_another_program_is_named_and_passes() {
    let fixture = Fixture::with_config(&SqliteConfig { busy_timeout_ms: 1, ..SqliteConfig::default() });
    fixture.channel("den", &["ada"]).await;
    let other = rusqlite::Connection::open(&fixture.path).expect("any program may open it");
    other.execute_batch("BEGIN IMMEDIATE").expect("and lock it");
    let append = || fixture.store.append(draft("den", "ada", "hello", None), anyone());
    assert_eq!(append().await, Err(StoreError::Busy));
    assert_eq!(fixture.history("den", Page::Latest, 9).await, [], "reading goes on");
    other.execute_batch("COMMIT").expect("and let go");
    assert_eq!(append().await.map(|message| message.seq), Ok(Seq(1)));
}

#[tokio::test]
async fn a_user_is_in_a_limited_number_of_channels() {
    let fixture = Fixture::with_config(&SqliteConfig { channels_per_user: 2, ..SqliteConfig::default() });
    fixture.channel("a", &["ada", "bob"]).await;
    fixture.channel("b", &["ada"]).await;
    let limit = || StoreError::Limit { limit: roomkey_model::Limit::ChannelsPerUser };
    let third = new_channel("c", "ada", roomkey_store::Visibility::Public);
    assert_eq!(fixture.store.create_channel(third).await, Err(limit()));
    assert_eq!(fixture.store.channel(&id("c")).await, Ok(None));
    let bob = user("bob");
    let join = |user| {
        fixture.store.join_channel(&id("b"), user, roomkey_store::Role::Member, Timestamp(1), anyone())
    };
    assert!(join(&bob).await.is_ok());
    assert!(join(&bob).await.is_ok(), "who is in already is not counted again");
    assert_eq!(fixture.store.arrive(profile("bob"), Timestamp(2)).await.map(|ids| ids.len()), Ok(2));
}

#[tokio::test]
async fn a_channel_has_a_limited_number_of_members() {
    let fixture = Fixture::with_config(&SqliteConfig { members_per_channel: 2, ..SqliteConfig::default() });
    fixture.channel("a", &["ada", "bob"]).await;
    let (den, ada, bob, eve) = (id("a"), user("ada"), user("bob"), user("eve"));
    let add =
        |who, role| fixture.store.add_member(&den, &ada, who, role, Timestamp(1), Box::new(|_, _| true));
    let full = Err(StoreError::Limit { limit: roomkey_model::Limit::MembersPerChannel });
    assert_eq!(add(&eve, roomkey_store::Role::Member).await, full);
    assert_eq!(fixture.store.profile(&eve).await, Ok(None), "nothing is left of it");
    assert!(add(&bob, roomkey_store::Role::Reader).await.is_ok(), "who is in already is not counted again");
    let left = fixture.store.remove_member(&den, &bob, &bob, Box::new(|_, _| true)).await;
    assert_eq!(left, Ok(true));
    assert_eq!(add(&eve, roomkey_store::Role::Member).await, Ok(None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_panics_leaves_no_one_waiting() {
    let directory = tempfile::tempdir().expect("a directory");
    let sink = |_: &[roomkey_store::Committed]| panic!("a fault in the sink, made on purpose");
    let path = directory.path().join("roomkey.db");
    let store = SqliteStore::open(&path, &SqliteConfig::default(), Box::new(sink)).expect("opens");
    let store: Arc<dyn Store> = Arc::new(store);
    store.arrive(profile("ada"), Timestamp(1)).await.expect("tells the sink nothing");
    let channel = || new_channel("den", "ada", roomkey_store::Visibility::Public);
    assert_eq!(store.create_channel(channel()).await, Err(StoreError::Unavailable));
    assert_eq!(store.create_channel(channel()).await, Err(StoreError::Unavailable));
    store.close().await;
}
