//! Erasing a user at a bad moment, and of a user who has sent a lot.

use std::time::Instant;

use roomkey_model::{Entropy, MessageId, Timestamp};
use roomkey_store::{
    Backlog, Committed, Draft, ERASED, Erased, NewDelivery, Role, SentAt, StoreError, Visibility,
};
use rusqlite::{Connection, params};

use crate::{
    personal::{erase, erase_messages},
    support::{Fixture, anyone, backends, draft, id, new_channel, profile, user},
};

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// As the chat makes it at this time.
fn sent_at(time: u64, sender: &str, content: &str) -> Draft {
    let time = Timestamp(time);
    let message = MessageId::generate(time, &Zeros);
    Draft { message, created: time, ..draft("den", sender, content, None) }
}

#[tokio::test]
async fn what_is_sent_after_the_time_of_erasing_goes_too() {
    for fixture in backends() {
        fixture.channel("den", &["bob", "ada"]).await;
        for draft in [sent_at(6000, "ada", "before"), sent_at(7005, "ada", "in between")] {
            fixture.store.append(draft, anyone()).await.expect("is sent");
        }
        erase(&*fixture.store, "ada", 7000).await.expect("is erased");
        fixture.store.arrive(profile("ada"), Timestamp(7006)).await.expect("somebody of the same name");
        fixture.store.append(sent_at(7007, "ada", "I am new here"), anyone()).await.expect("is sent");
        assert_eq!(erase_messages(&*fixture.store, 99).await, [2]);
        let left = fixture.store.messages_from(&user("ada"), None, 9).await.expect("readable");
        assert_eq!(
            left.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(),
            ["I am new here"]
        );
        erase(&*fixture.store, "ada", 10).await.expect("is erased, by a clock that was set back");
        assert_eq!(erase_messages(&*fixture.store, 99).await, [1]);
        assert_eq!(fixture.store.profile(&user("ada")).await, Ok(None));
    }
}

#[tokio::test]
async fn nobody_is_told_twice_that_a_message_is_deleted() {
    for fixture in backends() {
        fixture.channel("den", &["bob", "ada"]).await;
        let mut sent = Vec::new();
        for content in ["deleted before", "there"] {
            let draft = draft("den", "ada", content, Some(content));
            sent.push(fixture.store.append(draft, anyone()).await.expect("is sent").message);
        }
        let permit = Box::new(|_, _: &_| true);
        fixture.store.delete_message(&sent[0], &user("ada"), Timestamp(2000), permit).await.expect("goes");
        fixture.committed.lock().expect("no panic").clear();
        erase(&*fixture.store, "ada", 7000).await.expect("is erased");
        assert_eq!(erase_messages(&*fixture.store, 99).await, [2]);
        let told: Vec<_> = fixture
            .committed
            .lock()
            .expect("no panic")
            .iter()
            .filter_map(|change| match change {
                Committed::MessageDeleted(message) => Some(message.message),
                _ => None,
            })
            .collect();
        assert_eq!(told, [sent[1]]);
        let before = fixture.store.message(&sent[0]).await.expect("readable").expect("is there");
        assert_eq!((before.sender.user.as_str(), before.client_id), (ERASED, None));
        assert_eq!(before.deleted, Some(Timestamp(2000)), "still since then");
    }
}

#[tokio::test]
async fn what_waits_for_a_backend_goes_too() {
    for fixture in backends() {
        fixture.channel("den", &["bob", "ada"]).await;
        let say = |endpoint: &str, sender: &str, content: &str| NewDelivery {
            endpoint: endpoint.to_owned(),
            id: format!("msg_{content}"),
            body: format!(
                r#"{{"type":"message.created","data":{{"userId":"{sender}","content":"{content}"}}}}"#
            ),
            created: Timestamp(10),
        };
        let kept = [say("hook", "bob", "ada"), say("other", "bob", "hello")];
        let mut new =
            vec![say("hook", "ada", "secret"), say("hook", "ada", "lost"), say("other", "ada", "more")];
        new.extend(kept.clone());
        assert_eq!(fixture.store.enqueue(new).await, Ok(5));
        let first = fixture.store.deliveries("hook", 1).await.expect("readable").remove(0);
        fixture.store.bury(first.number, "down", Timestamp(20), 9).await.expect("is given up");
        erase(&*fixture.store, "ada", 7000).await.expect("is erased");
        for kept in kept {
            let waiting = fixture.store.deliveries(&kept.endpoint, 9).await.expect("readable");
            assert_eq!(waiting.into_iter().map(|one| one.body).collect::<Vec<_>>(), [kept.body]);
        }
        assert_eq!(fixture.store.dead_letters(None, 9).await, Ok(vec![]));
        let backlog =
            |endpoint: &str| Backlog { endpoint: endpoint.to_owned(), waiting: 1, dropped: 0, dead: 0 };
        assert_eq!(fixture.store.backlogs().await, Ok(vec![backlog("hook"), backlog("other")]));
    }
}

#[tokio::test]
async fn a_public_channel_without_members_is_closed() {
    for fixture in backends() {
        for name in ["ada", "bob"] {
            fixture.store.arrive(profile(name), Timestamp(1)).await.expect("arrives");
        }
        for channel in ["hall", "shared"] {
            let new = new_channel(channel, "ada", Visibility::Public);
            fixture.store.create_channel(new).await.expect("is new");
        }
        let permit = Box::new(|_, _| true);
        let (shared, ada) = (id("shared"), user("ada"));
        fixture
            .store
            .add_member(&shared, &ada, &user("bob"), Role::Owner, Timestamp(2), permit)
            .await
            .expect("is added");
        fixture.committed.lock().expect("no panic").clear();
        let erased = erase(&*fixture.store, "ada", 7000).await;
        assert_eq!(erased, Ok(Erased { channels: 2, inherited: vec![] }), "shared has another owner");
        let public = fixture.store.public_channels(None, 9).await.expect("readable");
        assert_eq!(public.iter().map(|channel| &channel.channel).collect::<Vec<_>>(), [&shared]);
        let hall = fixture.store.channel(&id("hall")).await.expect("readable").expect("is there");
        assert_eq!((hall.visibility, hall.archived), (Visibility::Private, Some(Timestamp(7000))));
        assert_eq!(hall.creator, user(ERASED));
        let committed = fixture.committed.lock().expect("no panic").clone();
        let updates: Vec<_> =
            committed.iter().filter(|change| matches!(change, Committed::ChannelUpdated(_))).collect();
        assert_eq!(updates, [&Committed::ChannelUpdated(hall)]);
        assert_eq!(
            fixture.store.remove_member(&id("hall"), &ada, &ada, Box::new(|_, _| false)).await,
            Err(StoreError::Denied)
        );
    }
}

/// The statements that name a user who goes look at what is the user's, not at all there is.
#[test]
fn whoever_goes_is_found_by_indexes() {
    let fixture = Fixture::sqlite();
    let database = Connection::open(&fixture.path).expect("opens");
    for (sql, index) in [
        ("UPDATE channels SET creator = 'b' WHERE creator = 'a'", "channels_by_creator"),
        ("DELETE FROM invites WHERE inviter = 'a' OR user = 'a'", "invites_by_inviter"),
        ("DELETE FROM invites WHERE inviter = 'a' OR user = 'a'", "invites_by_user"),
        ("SELECT 1 FROM members WHERE channel = 'c' AND role = 'owner' AND user <> 'a'", "members_owners"),
        // As messages are exported, in pages.
        (
            "SELECT 1 FROM messages WHERE sender = 'a' AND channel = 'c' AND client_id IS NULL AND seq > 5 ORDER BY seq",
            "messages_by_sender (sender=? AND channel=? AND client_id=? AND seq>?)",
        ),
        (
            "SELECT 1 FROM messages WHERE sender = 'a' AND channel = 'c' AND client_id > 'x' ORDER BY client_id",
            "messages_by_sender (sender=? AND channel=? AND client_id>?)",
        ),
        (
            "SELECT 1 FROM messages WHERE sender = 'a' AND channel > 'c' ORDER BY channel, client_id, seq",
            "messages_by_sender (sender=? AND channel>?)",
        ),
    ] {
        let plan: Vec<String> = database
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .and_then(|mut plan| plan.query_map([], |row| row.get("detail"))?.collect())
            .expect("a plan");
        assert!(plan.iter().any(|step| step.contains(index)), "{sql}: {plan:?}");
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN") || step.contains("TEMP")),
            "{sql}: {plan:?}"
        );
    }
}

/// Not a test of its own: how long it takes to export and to erase who has sent 200,000 messages, in 20 channels.
#[tokio::test]
#[ignore = "measures"]
#[expect(clippy::disallowed_methods, reason = "it is the real time that is measured")]
async fn measure() {
    let fixture = Fixture::sqlite();
    fixture.store.arrive(profile("ada"), Timestamp(1)).await.expect("arrives");
    for channel in 0..20 {
        let new = new_channel(&format!("c{channel}"), "ada", Visibility::Private);
        fixture.store.create_channel(new).await.expect("is new");
    }
    let mut database = Connection::open(&fixture.path).expect("opens");
    let transaction = database.transaction().expect("begins");
    for number in 0..200_000_u32 {
        let client_id =
            number.is_multiple_of(2).then(|| format!("{:016x}", number.wrapping_mul(0x9e37_79b9)));
        let id = MessageId::generate(Timestamp(u64::from(number)), &Zeros);
        transaction
            .prepare_cached(
                "INSERT INTO messages (channel, seq, message, sender, content, client_id, created, updated)
                 VALUES (?1, ?2, ?3, 'ada', printf('%.200c', 'x'), ?4, ?5, ?5)",
            )
            .and_then(|mut insert| {
                insert.execute(params![
                    format!("c{}", number % 20),
                    number / 20 + 1,
                    id.as_bytes(),
                    client_id,
                    number
                ])
            })
            .expect("is inserted");
    }
    transaction.commit().expect("is kept");
    let start = Instant::now();
    let (mut count, mut after): (_, Option<SentAt>) = (0, None);
    loop {
        let page = fixture.store.messages_from(&user("ada"), after, 1000).await.expect("readable");
        let Some(last) = page.last() else { break };
        after = Some((last.channel.clone(), last.client_id.clone(), last.seq));
        count += page.len();
    }
    eprintln!("{count} messages are read in {:?}", start.elapsed());
    assert_eq!(count, 200_000);
    let start = Instant::now();
    erase(&*fixture.store, "ada", 9_000_000).await.expect("is erased");
    eprintln!("erased in {:?}", start.elapsed());
    let start = Instant::now();
    let batches = erase_messages(&*fixture.store, 256).await.len();
    eprintln!("emptied in {:?}, {batches} batches", start.elapsed());
}
