//! Databases that earlier releases made, kept in `tests/data/`: this release opens them, and nothing is missing.

use std::{env, fs};

use crate::support::{Fixture, HASH, account, anyone, draft, id, new_channel, profile, user, whole_history};
use roomkey_model::{Revocation, RevocationReason, RevocationTarget, Seq, SessionId, Timestamp};
use roomkey_store::{
    ChannelChange, Edit, HistoryQuery, Invite, LoginFailures, Mark, Message, NewDelivery, Page, PastLogin,
    PresenceChange, Receipt, RefreshFamily, Retention, Role, Session, SqliteConfig, SqliteStore, Standing,
    Store, StoreError, Visibility,
};
use rusqlite::Connection;

/// Messages in the channel `den`, sent by two users in turn.
const MESSAGES: u64 = 60;

#[tokio::test]
async fn a_database_of_an_earlier_release_opens_with_all_that_was_in_it() {
    let kept = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")).expect("is there");
    let mut count = 0;
    for file in kept.map(|entry| entry.expect("readable").path()) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("roomkey.db");
        fs::copy(&file, &path).expect("a copy");
        for round in ["migrated", "opened again"] {
            let store = SqliteStore::open(&path, &SqliteConfig::default(), Box::new(|_| ()))
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            check(&store, u64::from(round == "opened again")).await;
            if !file.ends_with("0004.db") {
                check_attic(&store).await;
            }
            store.close().await;
        }
        let database = Connection::open(&path).expect("opens");
        let health: String =
            database.pragma_query_value(None, "integrity_check", |row| row.get(0)).expect("is checked");
        assert_eq!(health, "ok", "{}", file.display());
        let dangling = database
            .prepare("PRAGMA foreign_key_check")
            .and_then(|mut check| check.query([])?.next().map(|row| row.is_some()));
        assert_eq!(dangling, Ok(false), "{}: every row that is named is there", file.display());
        count += 1;
    }
    assert!(count > 0, "some are kept");
}

/// Not a test of its own: makes a database to be kept. `ROOMKEY_KEEP=FILE cargo test -p roomkey-store --test store
/// -- --ignored kept::make`, with the last release that has the schema.
#[tokio::test]
#[ignore = "makes a file"]
async fn make() {
    let Ok(kept) = env::var("ROOMKEY_KEEP") else { return };
    let fixture = Fixture::sqlite();
    fill(&*fixture.store).await;
    fill_attic(&*fixture.store).await;
    fixture.store.close().await;
    let database = Connection::open(&fixture.path).expect("opens");
    database.execute("VACUUM INTO ?1", [&kept]).expect("is copied");
    drop(database);
}

async fn fill(store: &dyn Store) {
    for name in ["ada", "bob"] {
        let email = format!("{name}@example.org");
        store.create_account(account(name, &email, Some(name))).await.expect("is new");
    }
    store.create_session(session("s-live", "ada", None), family(1), HASH).await.expect("is new");
    store.create_session(session("s-over", "bob", None), family(2), HASH).await.expect("is new");
    store.end_session(&sid("s-over"), &user("bob"), Timestamp(600), revoked_session()).await.expect("ends");
    store.revoke(vec![revoked_user()]).await.expect("is revoked");
    store.note_login_failures(login_failures()).await.expect("is noted");

    store.create_channel(new_channel("den", "ada", Visibility::Private)).await.expect("is new");
    store.create_channel(new_channel("hall", "bob", Visibility::Public)).await.expect("is new");
    store
        .add_member(
            &id("den"),
            &user("ada"),
            &user("bob"),
            Role::Moderator,
            Timestamp(20),
            Box::new(|_, _| true),
        )
        .await
        .expect("is added");
    for number in 1..=MESSAGES {
        let sender = if number % 2 == 0 { "ada" } else { "bob" };
        let client_id = format!("c-{number}");
        let content = format!("message {number} ⚓");
        store.append(draft("den", sender, &content, Some(&client_id)), anyone()).await.expect("is sent");
    }
}

/// What came with the schema of 0009: edits, watermarks, presence, invites, what is told to backends, retention.
async fn fill_attic(store: &dyn Store) {
    for name in ["cyd", "dan"] {
        store.arrive(profile(name), Timestamp(1)).await.expect("arrives");
    }
    let (attic, cyd, dan) = (id("attic"), user("cyd"), user("dan"));
    store.create_channel(new_channel("attic", "cyd", Visibility::Private)).await.expect("is new");
    let permit = Box::new(|_, _| true);
    store.add_member(&attic, &cyd, &dan, Role::Reader, Timestamp(20), permit).await.expect("is added");
    let mut ids = Vec::new();
    for content in ["trimmed", "to be edited", "to be deleted", "stays"] {
        let sent = store.append(draft("attic", "cyd", content, None), anyone()).await.expect("is sent");
        ids.push(sent.message);
    }
    let edit =
        Edit { message: ids[1], editor: cyd.clone(), content: "edited".to_owned(), edited: Timestamp(1500) };
    store.edit_message(edit, Box::new(|_, _| true)).await.expect("is edited");
    let permit = Box::new(|_: Standing, _: &Message| true);
    store.delete_message(&ids[2], &cyd, Timestamp(1600), permit).await.expect("is deleted");
    let mark = Mark {
        message: ids[2],
        user: dan.clone(),
        receipt: Receipt::Delivered,
        now: Timestamp(1700),
        since_join: false,
        receipt_members: 9,
        receipt_messages: 9,
    };
    store.mark(mark, anyone()).await.expect("is marked");
    let here = PresenceChange { user: dan, online: false, at: Timestamp(1800) };
    store.record_presence(vec![here], 9).await.expect("is recorded");
    store.create_invite(invite(), 9, Timestamp(1), anyone()).await.expect("is new");
    store.enqueue(vec![delivery()]).await.expect("is stored");
    let change = ChannelChange {
        archived: Some(true),
        retention: Some(Retention { max_age_s: None, max_messages: Some(3) }),
        ..ChannelChange::default()
    };
    store.update_channel(&attic, &cyd, change, Timestamp(1900), anyone()).await.expect("is changed");
    let trimmed = store.trim(&attic, Retention::default(), Timestamp(1900), 9).await;
    assert_eq!(trimmed, Ok(1));
}

/// What [`fill_attic`] has put in.
async fn check_attic(store: &dyn Store) {
    let channel = store.channel(&id("attic")).await.expect("readable").expect("is there");
    assert_eq!((channel.archived, channel.last_seq), (Some(Timestamp(1900)), Seq(4)));
    assert_eq!(channel.retention.max_messages, Some(3));
    let query = HistoryQuery {
        channel: id("attic"),
        reader: user("cyd"),
        page: Page::After(Seq(0)),
        limit: 9,
        since_join: false,
    };
    let messages = store.history(query, anyone()).await.expect("readable");
    let messages: Vec<_> = messages
        .iter()
        .map(|message| (message.seq.0, message.content.as_str(), message.edited, message.deleted))
        .collect();
    let (edited, deleted) = (Some(Timestamp(1500)), Some(Timestamp(1600)));
    assert_eq!(messages, [(2, "edited", edited, None), (3, "", None, deleted), (4, "stays", None, None)]);
    let dan = store.personal_data(&user("dan")).await.expect("readable").expect("is there");
    assert_eq!(dan.last_seen, Some(Timestamp(1800)));
    let watermarks: Vec<_> = dan.memberships.iter().map(|one| (one.role, one.watermarks.delivered)).collect();
    assert_eq!(watermarks, [(Role::Reader, Seq(3))]);
    let used = store.use_invite([3; 32], &user("dan"), Timestamp(2), Box::new(|_| false)).await;
    assert_eq!(used, Err(StoreError::Denied), "there is such an invite: it would not be found otherwise");
    let waiting = store.deliveries("hook", 9).await.expect("readable");
    assert_eq!(waiting.iter().map(|one| one.body.as_str()).collect::<Vec<_>>(), [delivery().body]);
}

fn invite() -> Invite {
    Invite {
        digest: [3; 32],
        channel: id("attic"),
        inviter: user("cyd"),
        user: None,
        role: Role::Member,
        uses: 5,
        ends: Timestamp(9_000_000),
    }
}

fn delivery() -> NewDelivery {
    NewDelivery {
        endpoint: "hook".to_owned(),
        id: "event-1".to_owned(),
        body: "{}".to_owned(),
        created: Timestamp(1),
    }
}

/// What [`fill`] has put in, and what `check` itself has sent `sent` times before.
async fn check(store: &dyn Store, sent: u64) {
    for name in ["ada", "bob"] {
        let email = format!("{name}@example.org");
        assert_eq!(store.account_by_email(&email).await, Ok(Some(account(name, &email, Some(name)))));
        assert!(store.profile(&user(name)).await.is_ok_and(|profile| profile.is_some()), "{name}");
    }
    assert_eq!(store.session(&sid("s-live")).await, Ok(Some(session("s-live", "ada", None))));
    assert_eq!(store.session(&sid("s-over")).await, Ok(Some(session("s-over", "bob", Some(600)))));
    assert_eq!(store.refresh_tag_key(&sid("s-live")).await, Ok(Some([1; 32])));
    let revocations = store.revocations().await.expect("readable");
    assert_eq!(revocations.len(), 2);
    assert!(revocations.contains(&revoked_user()) && revocations.contains(&revoked_session()));
    let failures = store.login_failures(Timestamp(0), 99).await.expect("readable");
    assert_eq!(failures, [login_failures()]);
    let logins = store.past_logins(Timestamp(0), 99).await.expect("readable");
    assert!(logins.iter().any(|login: &PastLogin| login.email == "ada@example.org"));

    let channels = store.channels_of(&user("bob"), None, 99).await.expect("readable");
    let roles: Vec<_> = channels.iter().map(|joined| (joined.channel.name.as_str(), joined.role)).collect();
    assert_eq!(roles, [("The den", Role::Moderator), ("The hall", Role::Owner)]);
    let messages = store.history(whole_history("den", "ada"), anyone()).await.expect("readable");
    assert_eq!(messages.len() as u64, MESSAGES + sent);
    for (message, number) in messages.iter().zip(1..=MESSAGES) {
        assert_eq!((message.seq, message.content.clone()), (Seq(number), format!("message {number} ⚓")));
        assert_eq!(message.client_id, Some(format!("c-{number}")));
    }
    let retry = store.append(draft("den", "ada", "again", Some("c-60")), anyone()).await;
    assert_eq!(retry.map(|message| message.seq), Ok(Seq(MESSAGES)), "a retry over the update is one message");
    let next = store.append(draft("den", "ada", "next", None), anyone()).await;
    assert_eq!(next.map(|message| message.seq), Ok(Seq(MESSAGES + sent + 1)));
}

fn sid(name: &str) -> SessionId {
    SessionId::new(name).expect("a good name")
}

fn session(name: &str, of: &str, ended: Option<u64>) -> Session {
    Session {
        session: sid(name),
        user: user(of),
        user_agent: Some("a browser".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        created: Timestamp(500),
        seen: Timestamp(500),
        ends: Timestamp(9_000_000),
        idle_ends: Timestamp(5_000_000),
        ended: ended.map(Timestamp),
    }
}

fn family(byte: u8) -> RefreshFamily {
    RefreshFamily { tag_key: [byte; 32], current: [byte; 32] }
}

fn login_failures() -> LoginFailures {
    LoginFailures { account: [7; 16], paid_until: Timestamp(9_000_000), blocked_until: Timestamp(8_000_000) }
}

fn revoked_session() -> Revocation {
    let target = RevocationTarget::Session { issuer: "roomkey".into(), session: sid("s-over") };
    Revocation {
        target,
        issued_before: None,
        revoked_at: Timestamp(600),
        until: Some(Timestamp(9_000_000)),
        reason: RevocationReason::LoggedOut,
    }
}

fn revoked_user() -> Revocation {
    Revocation {
        target: RevocationTarget::User(user("eve")),
        issued_before: None,
        revoked_at: Timestamp(700),
        until: None,
        reason: RevocationReason::Blocked,
    }
}
