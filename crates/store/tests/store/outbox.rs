//! What backends are to be told: the contract of every store, and that it is one with the changes.

use std::path::Path;

use roomkey_model::{Role, Timestamp, Visibility};
use roomkey_store::{Backlog, Claimed, Committed, NewDelivery, SqliteConfig, SqliteStore, Store};

use crate::support::{Fixture, anyone, backends, draft, id, new_channel, profile, user};

fn delivery(endpoint: &str, body: &str) -> NewDelivery {
    NewDelivery {
        endpoint: endpoint.to_owned(),
        id: format!("msg_{body}"),
        body: body.to_owned(),
        created: Timestamp(10),
    }
}

async fn bodies(store: &dyn Store, endpoint: &str) -> Vec<String> {
    let deliveries = store.deliveries(endpoint, 10).await.expect("read");
    deliveries.into_iter().map(|delivery| delivery.body).collect()
}

fn backlog(endpoint: &str, waiting: u64, dropped: u64, dead: u64) -> Backlog {
    Backlog { endpoint: endpoint.to_owned(), waiting, dropped, dead }
}

/// Tells `hook` of every message and every member, in words.
fn encode(change: &Committed) -> Vec<NewDelivery> {
    match change {
        Committed::MessageCreated(message) => vec![delivery("hook", &message.content)],
        Committed::MemberAdded { user, .. } => vec![delivery("hook", user.as_str())],
        _ => Vec::new(),
    }
}

fn telling(path: &Path) -> Box<dyn Store> {
    let config = SqliteConfig { outbox_rows: 4, ..SqliteConfig::default() };
    let store = SqliteStore::open_with_outbox(path, &config, Box::new(|_| ()), Box::new(encode));
    Box::new(store.expect("opens"))
}

#[tokio::test]
async fn each_endpoint_has_an_order_of_its_own() {
    for Fixture { store, .. } in backends() {
        let new = vec![delivery("a", "1"), delivery("b", "2"), delivery("a", "3"), delivery("a", "4")];
        assert_eq!(store.enqueue(new).await, Ok(4));
        assert_eq!(bodies(&*store, "a").await, ["1", "3", "4"]);
        assert_eq!(store.deliveries("a", 2).await.expect("read").len(), 2);
        let first = store.deliveries("a", 1).await.expect("read").remove(0);
        assert_eq!((&*first.id, first.attempts, first.due), ("msg_1", 0, Timestamp(10)));
        store.postpone(first.number, 3, Timestamp(99)).await.expect("noted");
        let first = store.deliveries("a", 1).await.expect("read").remove(0);
        assert_eq!((first.attempts, first.due), (3, Timestamp(99)));
        let second = store.deliveries("a", 2).await.expect("read").remove(1);
        store.delivered("a", second.number).await.expect("forgotten");
        assert_eq!(bodies(&*store, "a").await, ["4"]);
        assert_eq!(bodies(&*store, "b").await, ["2"], "another endpoint's, with a lower number");
        assert_eq!(store.backlogs().await, Ok(vec![backlog("a", 1, 0, 0), backlog("b", 1, 0, 0)]));
    }
}

#[tokio::test]
async fn what_is_given_up_is_kept_and_can_be_sent_again() {
    for Fixture { store, .. } in backends() {
        store
            .enqueue(vec![delivery("a", "1"), delivery("a", "2"), delivery("b", "3")])
            .await
            .expect("stored");
        for endpoint in ["a", "a", "b"] {
            let first = store.deliveries(endpoint, 1).await.expect("read").remove(0);
            store.bury(first.number, "status 500", Timestamp(50), 2).await.expect("buried");
        }
        let dead = store.dead_letters(None, 10).await.expect("read");
        let words: Vec<_> = dead.iter().map(|dead| (&*dead.endpoint, &*dead.body, &*dead.reason)).collect();
        assert_eq!(words, [("b", "3", "status 500"), ("a", "2", "status 500")], "the newest two");
        assert_eq!((dead[0].attempts, dead[0].created, dead[0].died), (1, Timestamp(10), Timestamp(50)));
        assert_eq!(store.dead_letters(Some(dead[0].number), 10).await.expect("read"), dead[1..]);
        assert_eq!(store.backlogs().await, Ok(vec![backlog("a", 0, 0, 1), backlog("b", 0, 0, 1)]));

        assert_eq!(store.revive(dead[1].number, Timestamp(60)).await, Ok(true));
        assert_eq!(store.revive(dead[1].number, Timestamp(60)).await, Ok(false));
        let again = store.deliveries("a", 10).await.expect("read").remove(0);
        assert_eq!((&*again.id, again.attempts, again.due), ("msg_2", 0, Timestamp(60)));
        assert!(again.number > dead[0].number, "numbers are not used again");
        assert_eq!(store.backlogs().await, Ok(vec![backlog("a", 1, 0, 0), backlog("b", 0, 0, 1)]));
    }
}

#[tokio::test]
async fn nothing_waits_for_an_endpoint_that_is_gone() {
    for Fixture { store, .. } in backends() {
        let new = ["1", "2", "3"].map(|body| delivery("gone", body));
        store.enqueue([&new[..], &[delivery("a", "4")]].concat()).await.expect("stored");
        assert_eq!(store.keep_endpoints(&["a", "new"], Timestamp(50), 2).await, Ok(3));
        assert_eq!(bodies(&*store, "gone").await, [""; 0]);
        assert_eq!(bodies(&*store, "a").await, ["4"]);
        let dead = store.dead_letters(None, 10).await.expect("read");
        let words: Vec<_> = dead.iter().map(|dead| (&*dead.body, dead.attempts, dead.died)).collect();
        assert_eq!(words, [("3", 0, Timestamp(50)), ("2", 0, Timestamp(50))], "the newest two");
        assert_eq!(store.backlogs().await, Ok(vec![backlog("a", 1, 0, 0), backlog("new", 0, 0, 0)]));

        assert_eq!(store.revive(dead[0].number, Timestamp(60)).await, Ok(false), "nobody would get it");
        assert_eq!(store.keep_endpoints(&["a", "gone"], Timestamp(60), 2).await, Ok(0));
        assert_eq!(store.revive(dead[0].number, Timestamp(60)).await, Ok(true));

        store.forget_dead_letters(Timestamp(50)).await.expect("forgotten");
        assert_eq!(store.dead_letters(None, 10).await.expect("read"), dead[1..]);
        store.forget_dead_letters(Timestamp(51)).await.expect("forgotten");
        assert_eq!(store.dead_letters(None, 10).await, Ok(vec![]));
    }
}

#[tokio::test]
async fn an_endpoint_that_is_down_does_not_fill_the_disk() {
    let fixture = Fixture::with_config(&SqliteConfig { outbox_rows: 2, ..SqliteConfig::default() });
    let store = &*fixture.store;
    let new = ["1", "2", "3"].map(|body| delivery("a", body)).to_vec();
    assert_eq!(store.enqueue(new).await, Ok(2));
    assert_eq!(store.enqueue(vec![delivery("b", "4")]).await, Ok(1), "there is room for others");
    assert_eq!(bodies(store, "a").await, ["1", "2"]);
    let first = store.deliveries("a", 1).await.expect("read").remove(0);
    store.delivered("a", first.number).await.expect("forgotten");
    assert_eq!(store.enqueue(vec![delivery("a", "5"), delivery("a", "6")]).await, Ok(1));
    assert_eq!(bodies(store, "a").await, ["2", "5"]);
    assert_eq!(store.backlogs().await, Ok(vec![backlog("a", 2, 2, 0), backlog("b", 1, 0, 0)]));
}

/// What is told is stored with what happened, and is there after a restart; what did not happen is not told.
#[tokio::test]
async fn what_is_told_is_one_with_the_change() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("roomkey.db");
    let store = telling(&path);
    store.arrive(profile("ada"), Timestamp(1)).await.expect("arrives");
    store.arrive(profile("bob"), Timestamp(1)).await.expect("arrives");
    store.create_channel(new_channel("den", "ada", Visibility::Private)).await.expect("created");
    let one = store.append(draft("den", "ada", "one", None), anyone());
    let refused = store.append(draft("den", "ada", "refused", None), Box::new(|_| false));
    let two = store.append(draft("den", "ada", "two", Some("c2")), anyone());
    let again = store.append(draft("den", "ada", "two", Some("c2")), anyone());
    let (one, refused, two, again) = tokio::join!(one, refused, two, again);
    assert!(one.is_ok() && refused.is_err() && two == again);
    let (ada, bob) = (user("ada"), user("bob"));
    let added = store.add_member(&id("den"), &ada, &bob, Role::Member, Timestamp(2), Box::new(|_, _| true));
    added.await.expect("added");
    store.close().await;

    let store = telling(&path);
    assert_eq!(bodies(&*store, "hook").await, ["ada", "one", "two", "bob"]);
    store
        .append(draft("den", "ada", "five", None), anyone())
        .await
        .expect("a message does not wait for a backend");
    assert_eq!(store.backlogs().await, Ok(vec![backlog("hook", 4, 1, 0)]));
}

#[tokio::test]
async fn a_name_stands_for_one_request_until_it_is_forgotten() {
    for Fixture { store, .. } in backends() {
        let claim = |key: u8, request: u8, now| {
            store.claim([key; 32], [request; 32], Timestamp(now), Timestamp(now + 100))
        };
        let both = tokio::join!(claim(1, 1, 0), claim(1, 1, 0));
        assert_eq!(both, (Ok(Claimed::First), Ok(Claimed::Repeated)));
        assert_eq!(claim(1, 2, 99).await, Ok(Claimed::Other));
        assert_eq!(claim(2, 2, 99).await, Ok(Claimed::First));
        assert_eq!(claim(1, 2, 100).await, Ok(Claimed::First), "the first one is over");
        assert_eq!(claim(2, 2, 198).await, Ok(Claimed::Repeated));
    }
}
