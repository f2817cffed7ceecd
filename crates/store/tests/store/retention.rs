//! What a channel may not keep is removed from its beginning: the contract of every backend.

use std::sync::Arc;

use crate::support::{Fixture, anyone, backends, draft, id, members_only, user};
use proptest::{collection::vec, prelude::*};
use roomkey_model::{Seq, Timestamp};
use roomkey_store::{ChannelChange, Draft, Overdue, Page, Retention, Store};

const ALL: Retention = Retention { max_age_s: None, max_messages: None };

fn newest(count: u64) -> Retention {
    Retention { max_messages: Some(count), ..ALL }
}

fn younger_than(age_s: u64) -> Retention {
    Retention { max_age_s: Some(age_s), ..ALL }
}

/// Sends one message at each of these times, in seconds.
async fn send(store: &Arc<dyn Store>, channel: &str, times: impl IntoIterator<Item = u64>) {
    for time in times {
        let draft = Draft { created: Timestamp(time * 1000), ..draft(channel, "ada", "hello", None) };
        store.append(draft, anyone()).await.expect("is sent");
    }
}

async fn seqs(fixture: &Fixture, channel: &str) -> Vec<u64> {
    let messages = fixture.history(channel, Page::After(Seq(0)), usize::MAX).await;
    messages.iter().map(|message| message.seq.0).collect()
}

/// Removes all there is to remove, in batches of `limit`.
async fn trim(store: &Arc<dyn Store>, channel: &str, server: Retention, now: u64, limit: usize) -> usize {
    let mut gone = 0;
    loop {
        match store.trim(&id(channel), server, Timestamp(now * 1000), limit).await.expect("is trimmed") {
            0 => return gone,
            count => {
                assert!(count <= limit);
                gone += count;
            }
        }
    }
}

async fn overdue(store: &Arc<dyn Store>, server: Retention, now: u64) -> Vec<String> {
    let found = store.overdue(server, Timestamp(now * 1000), None, 99).await.expect("readable");
    assert_eq!(found.next, None);
    found.channels.iter().map(|channel| channel.as_str().to_owned()).collect()
}

#[tokio::test]
async fn the_newest_stay() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        send(&fixture.store, "den", 1..=10).await;
        assert_eq!(overdue(&fixture.store, newest(10), 99).await, [""; 0]);
        assert_eq!(overdue(&fixture.store, newest(4), 99).await, ["den"]);
        assert_eq!(fixture.store.trim(&id("den"), newest(4), Timestamp(0), 2).await, Ok(2), "a batch");
        assert_eq!(seqs(&fixture, "den").await, (3..=10).collect::<Vec<_>>());
        assert_eq!(trim(&fixture.store, "den", newest(4), 99, 3).await, 4);
        assert_eq!(seqs(&fixture, "den").await, [7, 8, 9, 10]);
        assert_eq!(overdue(&fixture.store, newest(4), 99).await, [""; 0]);
        send(&fixture.store, "den", [11]).await;
        assert_eq!(trim(&fixture.store, "den", newest(4), 99, 3).await, 1);
        assert_eq!(seqs(&fixture, "den").await, [8, 9, 10, 11], "numbers go on");
    }
}

#[tokio::test]
async fn the_old_go() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        send(&fixture.store, "den", [10, 20, 30]).await;
        assert_eq!(overdue(&fixture.store, younger_than(90), 100).await, [""; 0], "just not older");
        assert_eq!(overdue(&fixture.store, younger_than(90), 101).await, ["den"]);
        assert_eq!(trim(&fixture.store, "den", younger_than(90), 115, 9).await, 2);
        assert_eq!(seqs(&fixture, "den").await, [3]);
        assert_eq!(trim(&fixture.store, "den", younger_than(90), 999, 9).await, 1);
        assert_eq!(seqs(&fixture, "den").await, [0; 0]);
        assert_eq!(overdue(&fixture.store, younger_than(90), 9999).await, [""; 0], "nothing is left");
        send(&fixture.store, "den", [1000]).await;
        assert_eq!(seqs(&fixture, "den").await, [4], "also after all are gone");
    }
}

#[tokio::test]
async fn a_clock_that_was_put_back_makes_no_gap() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        send(&fixture.store, "den", [10, 200, 20, 30]).await;
        assert_eq!(trim(&fixture.store, "den", younger_than(50), 100, 9).await, 1);
        assert_eq!(seqs(&fixture, "den").await, [2, 3, 4], "what is behind a young one waits for it");
        assert_eq!(trim(&fixture.store, "den", younger_than(50), 251, 9).await, 3);
    }
}

#[tokio::test]
async fn a_channel_may_keep_less_than_the_server_and_not_more() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        fixture.channel("hall", &["ada"]).await;
        let den = id("den");
        let kept = async || fixture.store.channel(&den).await.expect("readable").expect("is there").retention;
        assert_eq!(kept().await, ALL);
        let set = async |retention| {
            let change = ChannelChange { retention: Some(retention), ..ChannelChange::default() };
            let updated =
                fixture.store.update_channel(&den, &user("ada"), change, Timestamp(9), members_only());
            assert_eq!(updated.await.map(|channel| channel.retention), Ok(retention));
        };
        let both = Retention { max_age_s: Some(50), max_messages: Some(3) };
        set(both).await;
        assert_eq!(kept().await, both);
        for channel in ["den", "hall"] {
            send(&fixture.store, channel, [10, 20, 30, 40]).await;
        }
        assert_eq!(overdue(&fixture.store, ALL, 50).await, ["den"]);
        assert_eq!(trim(&fixture.store, "den", ALL, 50, 9).await, 1, "by count");
        assert_eq!(trim(&fixture.store, "den", ALL, 75, 9).await, 1, "by age");
        assert_eq!(trim(&fixture.store, "den", newest(99), 75, 9).await, 0, "the server allows more");
        assert_eq!(overdue(&fixture.store, newest(1), 75).await, ["den", "hall"]);
        assert_eq!(trim(&fixture.store, "den", newest(1), 75, 9).await, 1, "the server allows less");
        assert_eq!(trim(&fixture.store, "hall", ALL, 9999, 9).await, 0);
        set(ALL).await;
        assert_eq!(trim(&fixture.store, "den", ALL, 9999, 9).await, 0, "and all again");
    }
}

#[tokio::test]
async fn channels_are_looked_at_in_pages() {
    for fixture in backends() {
        for channel in ["a", "b", "c", "d", "e"] {
            fixture.channel(channel, &["ada"]).await;
        }
        for channel in ["b", "e"] {
            send(&fixture.store, channel, [1, 2]).await;
        }
        let page = async |after: Option<&str>| {
            fixture.store.overdue(newest(1), Timestamp(0), after.map(id).as_ref(), 2).await.expect("readable")
        };
        let found = |channels: &[&str], next: Option<&str>| Overdue {
            channels: channels.iter().map(|channel| id(channel)).collect(),
            next: next.map(id),
        };
        assert_eq!(page(None).await, found(&["b"], Some("b")));
        assert_eq!(page(Some("b")).await, found(&[], Some("d")));
        assert_eq!(page(Some("d")).await, found(&["e"], None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is sent, and in whatever batches it goes: exactly the longest end that may be kept is left.
    #[test]
    fn what_is_left_is_the_end_that_may_be_kept(
        times in vec(0..100_u64, 0..30),
        now in 0..200_u64,
        age in proptest::option::of(0..100_u64),
        count in proptest::option::of(0..30_usize),
        limit in 1..10_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let fixture = Fixture::sqlite();
            fixture.channel("den", &["ada"]).await;
            send(&fixture.store, "den", times.iter().copied()).await;
            let retention = Retention { max_age_s: age, max_messages: count.map(|count| count as u64) };
            trim(&fixture.store, "den", retention, now, limit).await;
            let too_many = count.map_or(0, |count| times.len().saturating_sub(count));
            let first = times.iter().enumerate().position(|(index, time)| {
                index >= too_many && age.is_none_or(|age| time * 1000 >= (now * 1000).saturating_sub(age * 1000))
            });
            let expected = first.unwrap_or(times.len()) as u64 + 1..=times.len() as u64;
            assert_eq!(seqs(&fixture, "den").await, expected.collect::<Vec<_>>());
        });
    }
}
