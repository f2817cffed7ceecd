//! How far members have come: the rules one by one, then all of them against a model that keeps a receipt for each message.

use std::collections::HashMap;

use futures_util::future::join_all;
use proptest::prelude::*;
use roomkey_model::{MessageId, Role, Seq, Timestamp};
use roomkey_store::{
    Committed, DeliveryStatus, Mark, Marked, Others, Page, Passed, Progress, Receipt, RecipientStatus,
    StatusQuery, Store, StoreError, Waiting, Watermarks,
};

use crate::support::{Fixture, all, anyone, backends, draft, id, members_only, profile, user};

fn marks(delivered: u64, seen: u64) -> Watermarks {
    Watermarks { delivered: Seq(delivered), seen: Seq(seen) }
}

fn receipt(message: MessageId, who: &str, receipt: Receipt) -> Mark {
    let (receipt_members, receipt_messages) = (100, 1000);
    Mark {
        message,
        user: user(who),
        receipt,
        now: Timestamp(2000),
        since_join: false,
        receipt_members,
        receipt_messages,
    }
}

async fn mark(store: &dyn Store, message: MessageId, who: &str, what: Receipt) -> Watermarks {
    store.mark(receipt(message, who, what), members_only()).await.expect("is a member").watermarks
}

async fn send(fixture: &Fixture, sender: &str, count: usize) -> Vec<MessageId> {
    let sent = join_all(
        (0..count).map(|_| fixture.store.append(draft("den", sender, "hello", None), members_only())),
    );
    sent.await.into_iter().map(|message| message.expect("sends").message).collect()
}

/// What the sink was told of watermarks.
fn moved(fixture: &Fixture) -> Vec<(Receipt, Watermarks, Vec<Passed>)> {
    let committed = fixture.committed.lock().expect("no panic");
    let moved = committed.iter().filter_map(|change| match change {
        Committed::WatermarkMoved { receipt, watermarks, passed, .. } => {
            Some((*receipt, *watermarks, passed.clone()))
        }
        _ => None,
    });
    moved.collect()
}

fn query(message: MessageId, reader: &str) -> StatusQuery {
    StatusQuery { message, reader: user(reader), since_join: false, after: None, limit: 9 }
}

#[tokio::test]
async fn watermarks_go_forward_and_seen_includes_delivered() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let store = &*fixture.store;
        let sent = send(&fixture, "ada", 4).await;
        let moves = [
            (2, Receipt::Delivered, marks(3, 0)),
            (1, Receipt::Seen, marks(3, 2)),
            (0, Receipt::Delivered, marks(3, 2)),
            (0, Receipt::Seen, marks(3, 2)),
            (3, Receipt::Seen, marks(4, 4)),
            (3, Receipt::Delivered, marks(4, 4)),
        ];
        for (index, what, expected) in moves {
            assert_eq!(mark(store, sent[index], "bob", what).await, expected, "{index} {what:?}");
        }
        let passed =
            |index: usize, seq| vec![Passed { sender: user("ada"), message: sent[index], seq: Seq(seq) }];
        let told = [
            (Receipt::Delivered, marks(3, 0), passed(2, 3)),
            (Receipt::Seen, marks(3, 2), passed(1, 2)),
            (Receipt::Seen, marks(4, 4), passed(3, 4)),
        ];
        assert_eq!(moved(&fixture), told, "only what moved, and the newest message that was passed");
    }
}

#[tokio::test]
async fn only_members_have_watermarks() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let store = &*fixture.store;
        let message = send(&fixture, "ada", 1).await[0];
        let by = |who, permit| store.mark(receipt(message, who, Receipt::Seen), permit);
        assert_eq!(by("eve", anyone()).await, Err(StoreError::Denied), "whatever else is allowed");
        assert_eq!(by("bob", Box::new(|_| false)).await, Err(StoreError::Denied));
        let unknown = receipt(MessageId::from_bytes([7; 16]), "bob", Receipt::Seen);
        assert_eq!(store.mark(unknown, anyone()).await, Err(StoreError::NotFound));
        assert_eq!(store.message_status(query(message, "eve"), anyone()).await, Err(StoreError::Denied));
        let undelivered = store.undelivered(&id("den"), &user("eve"), 9, anyone()).await;
        assert_eq!(undelivered, Err(StoreError::Denied));
        assert_eq!(store.waiting(&user("eve"), 9, all()).await, Ok(vec![]));
        assert_eq!(moved(&fixture), []);

        store
            .remove_member(&id("den"), &user("ada"), &user("bob"), Box::new(|_, _| true))
            .await
            .expect("is removed");
        assert_eq!(by("bob", anyone()).await, Err(StoreError::Denied), "not any more");
    }
}

#[tokio::test]
async fn those_who_are_told_are_members_other_than_the_reader_of_channels_that_are_not_too_large() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob", "eve"]).await;
        let store = &*fixture.store;
        let (ada, eve, bob) =
            (send(&fixture, "ada", 2).await, send(&fixture, "eve", 1).await, send(&fixture, "bob", 1).await);
        store
            .remove_member(&id("den"), &user("ada"), &user("eve"), Box::new(|_, _| true))
            .await
            .expect("is removed");
        mark(store, bob[0], "bob", Receipt::Delivered).await;
        assert_eq!(moved(&fixture)[0].2, [Passed { sender: user("ada"), message: ada[1], seq: Seq(2) }]);

        let few = Mark { receipt_members: 1, ..receipt(bob[0], "bob", Receipt::Seen) };
        store.mark(few, anyone()).await.expect("a member");
        assert_eq!(moved(&fixture)[1], (Receipt::Seen, marks(4, 4), vec![]), "too many members");

        let near = Mark { receipt_messages: 2, ..receipt(bob[0], "ada", Receipt::Seen) };
        store.mark(near, anyone()).await.expect("a member");
        let senders: Vec<_> = moved(&fixture)[2].2.iter().map(|one| one.sender.clone()).collect();
        assert_eq!(senders, [user("bob")], "not Eve, who has left");
        assert_eq!(eve.len(), 1);
    }
}

#[tokio::test]
async fn a_status_is_exact_for_each_recipient() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob", "eve", "zoe"]).await;
        let store = &*fixture.store;
        let sent = send(&fixture, "ada", 2).await;
        mark(store, sent[1], "bob", Receipt::Delivered).await;
        mark(store, sent[0], "eve", Receipt::Seen).await;
        let status = store.message_status(query(sent[0], "ada"), members_only()).await.expect("a member");
        assert_eq!((status.recipients, status.delivered, status.read), (3, 2, 1));
        let one =
            |who, status, at| RecipientStatus { recipient: user(who), status, timestamp: Timestamp(at) };
        let statuses = [
            one("bob", DeliveryStatus::Delivered, 2000),
            one("eve", DeliveryStatus::Read, 2000),
            one("zoe", DeliveryStatus::Sent, 1000),
        ];
        assert_eq!(status.statuses, statuses);
        let page = StatusQuery { after: Some(user("bob")), limit: 1, ..query(sent[0], "bob") };
        let page = store.message_status(page, members_only()).await.expect("a member");
        assert_eq!((page.recipients, page.statuses), (3, statuses[1..2].to_vec()));

        let progress = |who, most| store.progress(&id("den"), &user(who), most);
        let own = |own, others: Option<Watermarks>| {
            let others = others.map(|watermarks| Others { watermarks, joined: Seq(0) });
            Ok(Progress { own, others })
        };
        assert_eq!(progress("bob", 4).await, own(Some(marks(2, 0)), Some(marks(0, 0))));
        assert_eq!(progress("bob", 3).await, own(Some(marks(2, 0)), None), "too many");
        mark(store, sent[0], "zoe", Receipt::Seen).await;
        assert_eq!(progress("ada", 4).await, own(Some(marks(0, 0)), Some(marks(1, 0))));
    }
}

#[tokio::test]
async fn the_messages_that_are_looked_at_for_one_question_are_bounded() {
    for fixture in backends() {
        for number in 10..32 {
            fixture.channel(&format!("c{number}"), &["ada", "bob"]).await;
        }
        let database = rusqlite::Connection::open(&fixture.path).expect("opens");
        database
            .execute_batch(
                "INSERT INTO messages (channel, seq, message, sender, content, created, updated)
                     SELECT channel, 1, randomblob(16), 'bob', 'mine', 1, 1 FROM channels;
                 UPDATE channels SET last_seq = 1;",
            )
            .expect("a message in each");
        let waiting = fixture.store.waiting(&user("bob"), 1, all()).await.expect("readable");
        let counts: Vec<_> = waiting.iter().map(|one| (one.undelivered, one.unread)).collect();
        assert_eq!((counts.len(), &counts[..20]), (22, &[(0, 0); 20][..]), "one's own are not counted");
        assert_eq!(counts[20..], [(1, 1); 2], "nobody has looked at them");
    }
}

#[tokio::test]
async fn a_waiting_is_what_others_said() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        fixture.channel("attic", &["bob"]).await;
        let store = &*fixture.store;
        send(&fixture, "ada", 3).await;
        let own = send(&fixture, "bob", 2).await;
        send(&fixture, "ada", 1).await;
        let waiting = async |counted| {
            let waiting = store.waiting(&user("bob"), counted, all()).await.expect("readable");
            assert_eq!(waiting.len(), 2);
            assert_eq!((waiting[0].channel.clone(), waiting[0].unread), (id("attic"), 0));
            waiting[1].clone()
        };
        let all =
            Waiting { channel: id("den"), last: Seq(6), watermarks: marks(0, 0), undelivered: 4, unread: 4 };
        assert_eq!(waiting(6).await, all);
        assert_eq!(
            waiting(5).await,
            Waiting { undelivered: 6, unread: 6, ..all.clone() },
            "too many to count"
        );
        mark(store, own[0], "bob", Receipt::Delivered).await;
        assert_eq!(
            waiting(5).await,
            Waiting { watermarks: marks(4, 0), undelivered: 1, unread: 6, ..all.clone() }
        );
        rusqlite::Connection::open(&fixture.path)
            .and_then(|database| database.execute("DELETE FROM messages WHERE seq < 3", []))
            .expect("two go with age");
        assert_eq!(waiting(5).await.unread, 2, "what is gone waits for nobody");

        let page = store.undelivered(&id("den"), &user("bob"), 1, members_only()).await.expect("a member");
        assert_eq!((page.messages[0].seq, page.more), (Seq(5), true), "one's own, too: there is no gap");
        let page = store.undelivered(&id("den"), &user("bob"), 2, members_only()).await.expect("a member");
        assert_eq!((page.messages[1].seq, page.more), (Seq(6), false));
    }
}

#[tokio::test]
async fn who_joins_has_missed_nothing() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let store = &*fixture.store;
        send(&fixture, "ada", 3).await;
        store.arrive(profile("bob"), Timestamp(1)).await.expect("arrives");
        store
            .join_channel(&id("den"), &user("bob"), Role::Member, Timestamp(3), anyone())
            .await
            .expect("joins");
        let progress = store.progress(&id("den"), &user("bob"), 9).await.expect("readable");
        assert_eq!(progress.own, Some(marks(3, 3)));
        store
            .add_member(
                &id("den"),
                &user("ada"),
                &user("bob"),
                Role::Reader,
                Timestamp(4),
                Box::new(|_, _| true),
            )
            .await
            .expect("a new role");
        send(&fixture, "ada", 1).await;
        let progress = store.progress(&id("den"), &user("bob"), 9).await.expect("readable");
        assert_eq!(progress.own, Some(marks(3, 3)), "a new role is no new beginning");
    }
}

/// Rows of all tables, and bytes of the database without what is free in it.
fn size(fixture: &Fixture) -> (i64, i64) {
    let database = rusqlite::Connection::open(&fixture.path).expect("opens");
    let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    let mut statement = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("SQL");
    let tables = statement.query_map([], |row| row.get::<_, String>(0)).expect("readable");
    let rows = tables.map(|table| number(&format!("SELECT count(*) FROM {}", table.expect("text")))).sum();
    let pages = number("PRAGMA page_count") - number("PRAGMA freelist_count");
    (rows, pages * number("PRAGMA page_size"))
}

#[tokio::test]
async fn receipts_of_ten_thousand_members_take_no_more_room_with_each_message() {
    const MEMBERS: usize = 10_000;
    const MESSAGES: usize = 200;
    let fixture = Fixture::with_config(&roomkey_store::SqliteConfig {
        queue_jobs: 2 * MEMBERS,
        ..roomkey_store::SqliteConfig::default()
    });
    let store = &*fixture.store;
    fixture.channel("den", &["ada"]).await;
    let names: Vec<_> = (1..MEMBERS).map(|number| format!("member-{number:05}")).collect();
    let (den, ada) = (id("den"), user("ada"));
    let added = names.iter().map(|name| {
        store.add_member(&den, &ada, &user(name), Role::Member, Timestamp(2), Box::new(|_, _| true))
    });
    assert!(join_all(added).await.iter().all(Result::is_ok));
    let sent = send(&fixture, "ada", MESSAGES).await;
    let all = async |message: usize, what| {
        let marked = names.iter().map(|name| store.mark(receipt(sent[message], name, what), members_only()));
        for outcome in join_all(marked).await {
            assert_eq!(outcome.expect("a member").watermarks.delivered, Seq(message as u64 + 1));
        }
    };
    let before = size(&fixture);
    all(1, Receipt::Seen).await; // SQLite stores 0 and 1 without a byte, and what is below 128 in one
    let first = size(&fixture);
    assert_eq!(first.0, before.0, "no row for a receipt");
    for message in [2, 50, 126] {
        all(message, Receipt::Delivered).await;
        all(message, Receipt::Seen).await;
        let now = size(&fixture);
        assert_eq!(now.0, first.0);
        assert!(now.1 <= first.1 + 4096, "{first:?} {now:?}");
    }
    // Two times of six bytes and two small numbers, partly in what was free.
    let per_member = (first.1 - before.1) / MEMBERS as i64;
    println!("{per_member} bytes for the receipts of a member, {before:?} {first:?}");
    assert!(per_member <= 32, "{per_member}");

    let status = store.message_status(query(sent[126], "ada"), members_only()).await.expect("a member");
    assert_eq!((status.recipients, status.read), (MEMBERS as u64 - 1, MEMBERS as u64 - 1));
    assert_eq!(status.statuses.len(), 9, "a page of them");
    let status = store.message_status(query(sent[127], "ada"), members_only()).await.expect("a member");
    assert_eq!((status.delivered, status.read), (0, 0));
    assert!(
        moved(&fixture).iter().all(|(_, _, passed)| passed.is_empty()),
        "nobody is told in a large channel"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Send { sender: usize },
    Mark { user: usize, message: prop::sample::Index, receipt: Receipt },
    Delete { message: prop::sample::Index },
    Part { user: usize },
    Join { user: usize },
}

const USERS: [&str; 4] = ["ada", "bob", "eve", "zoe"];

fn step() -> impl Strategy<Value = Step> {
    let receipts = prop_oneof![Just(Receipt::Delivered), Just(Receipt::Seen)];
    prop_oneof![
        4 => (0..USERS.len()).prop_map(|sender| Step::Send { sender }),
        4 => (0..USERS.len(), any::<prop::sample::Index>(), receipts)
            .prop_map(|(user, message, receipt)| Step::Mark { user, message, receipt }),
        1 => any::<prop::sample::Index>().prop_map(|message| Step::Delete { message }),
        1 => (1..USERS.len()).prop_map(|user| Step::Part { user }),
        1 => (1..USERS.len()).prop_map(|user| Step::Join { user }),
    ]
}

/// A channel whose every message keeps what became of it for every member.
#[derive(Default)]
struct Model {
    messages: Vec<Said>,
    members: Vec<usize>,
}

struct Said {
    id: MessageId,
    sender: usize,
    deleted: bool,
    receipts: HashMap<usize, DeliveryStatus>,
}

impl Model {
    fn mark(&mut self, user: usize, message: usize, receipt: Receipt) {
        for said in &mut self.messages[..=message] {
            if let Some(status) = said.receipts.get_mut(&user) {
                *status = (*status).max(receipt.into());
            }
        }
    }

    fn waiting(&self, user: usize, less_than: DeliveryStatus) -> u64 {
        let waits = |said: &&Said| {
            said.sender != user
                && !said.deleted
                && said.receipts.get(&user).is_some_and(|status| *status < less_than)
        };
        self.messages.iter().filter(waits).count() as u64
    }
}

async fn run(steps: Vec<Step>) {
    let fixture = Fixture::sqlite();
    let store = &*fixture.store;
    fixture.channel("den", &USERS).await;
    let mut model = Model { members: (0..USERS.len()).collect(), ..Model::default() };
    for step in steps {
        match step {
            Step::Send { sender } if model.members.contains(&sender) => {
                let id = send(&fixture, USERS[sender], 1).await[0];
                let receipts = model.members.iter().map(|user| (*user, DeliveryStatus::Sent)).collect();
                model.messages.push(Said { id, sender, deleted: false, receipts });
            }
            Step::Mark { user, message, receipt: what } if !model.messages.is_empty() => {
                let message = message.index(model.messages.len());
                let outcome =
                    store.mark(receipt(model.messages[message].id, USERS[user], what), members_only()).await;
                match outcome {
                    Ok(Marked { channel, .. }) => assert_eq!(channel, id("den")),
                    Err(error) => assert_eq!(error, StoreError::Denied),
                }
                model.mark(user, message, what);
            }
            Step::Delete { message } if !model.messages.is_empty() => {
                let message = message.index(model.messages.len());
                model.messages[message].deleted = true;
                rusqlite::Connection::open(&fixture.path)
                    .and_then(|database| {
                        let message = model.messages[message].id;
                        database.execute(
                            "UPDATE messages SET deleted = 1 WHERE message = ?1",
                            [message.as_bytes()],
                        )
                    })
                    .expect("is deleted");
            }
            Step::Part { user } if model.members.contains(&user) => {
                let name = roomkey_model::UserId::new(USERS[user]).expect("a good name");
                store
                    .remove_member(&id("den"), &name, &name, Box::new(|_, _| true))
                    .await
                    .expect("is removed");
                model.members.retain(|member| *member != user);
                model.messages.iter_mut().for_each(|said| {
                    said.receipts.remove(&user);
                });
            }
            Step::Join { user } if !model.members.contains(&user) => {
                let name = roomkey_model::UserId::new(USERS[user]).expect("a good name");
                store
                    .join_channel(&id("den"), &name, Role::Member, Timestamp(3), anyone())
                    .await
                    .expect("joins");
                model.members.push(user);
            }
            _ => {}
        }
    }
    compare(&fixture, &model).await;
}

async fn compare(fixture: &Fixture, model: &Model) {
    let store = &*fixture.store;
    let history = fixture.history("den", Page::After(Seq(0)), 1000).await;
    assert_eq!(history.len(), model.messages.len());
    for said in &model.messages {
        let status = store.message_status(query(said.id, "ada"), members_only()).await.expect("a member");
        let mut expected: Vec<_> = said.receipts.iter().filter(|(user, _)| **user != said.sender).collect();
        expected.sort_unstable();
        let statuses: Vec<_> =
            status.statuses.iter().map(|one| (one.recipient.as_str(), one.status)).collect();
        let expected: Vec<_> = expected.iter().map(|(user, status)| (USERS[**user], **status)).collect();
        assert_eq!(statuses, expected, "{:?}", said.id);
        let at_least = |least| expected.iter().filter(|(_, status)| *status >= least).count() as u64;
        assert_eq!(
            (status.recipients, status.delivered, status.read),
            (expected.len() as u64, at_least(DeliveryStatus::Delivered), at_least(DeliveryStatus::Read))
        );
    }
    for user_index in &model.members {
        let waiting = store.waiting(&user(USERS[*user_index]), 1000, all()).await.expect("readable");
        let expected = (
            model.waiting(*user_index, DeliveryStatus::Delivered),
            model.waiting(*user_index, DeliveryStatus::Read),
        );
        assert_eq!((waiting[0].undelivered, waiting[0].unread), expected, "{}", USERS[*user_index]);
    }
}

#[test]
fn watermarks_say_what_receipts_for_every_message_would() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let config = ProptestConfig { cases: 32, ..ProptestConfig::default() };
    proptest!(config, |(steps in prop::collection::vec(step(), 0..40))| {
        runtime.block_on(run(steps));
    });
}
