//! All that is kept of one person can be read, and removed: the contract of every backend.

use crate::support::{Fixture, HASH, account, anyone, backends, draft, id, new_channel, user};
use roomkey_model::{Role, Seq, SessionId, Timestamp, Visibility};
use roomkey_store::{
    Committed, Draft, ERASED, Erased, Invite, Page, PresenceChange, RefreshFamily, SentAt, Session,
    SqliteConfig, SqliteStore, Store, StoreError,
};
use rusqlite::{Connection, types::ValueRef};

fn session(name: &str) -> Session {
    Session {
        session: SessionId::new(name).expect("a good name"),
        user: user("ada-id"),
        user_agent: Some("ada's browser".to_owned()),
        address: Some("192.0.2.77".to_owned()),
        created: Timestamp(500),
        seen: Timestamp(500),
        ends: Timestamp(9_000_000),
        idle_ends: Timestamp(5_000_000),
        ended: None,
    }
}

/// A user with something of everything, among others. All that is hers has `ada` in it, or her address.
async fn with_ada(fixture: &Fixture) {
    let store = &fixture.store;
    store.create_account(account("ada-id", "ada@example.org", Some("ada-name"))).await.expect("is new");
    store
        .create_session(session("s-ada"), RefreshFamily { tag_key: [1; 32], current: [1; 32] }, HASH)
        .await
        .expect("is new");
    for name in ["bob", "cid", "dan"] {
        store.arrive(crate::support::profile(name), Timestamp(1)).await.expect("arrives");
    }
    for (channel, owner, members) in [
        ("den", "ada-id", vec![("bob", Role::Member), ("cid", Role::Moderator), ("dan", Role::Moderator)]),
        ("hall", "bob", vec![("ada-id", Role::Owner)]),
        ("cell", "ada-id", vec![]),
        ("far", "cid", vec![("bob", Role::Member)]),
    ] {
        store.create_channel(new_channel(channel, owner, Visibility::Private)).await.expect("is new");
        for (number, (member, role)) in (10..).zip(members) {
            let permit = Box::new(|_, _| true);
            store
                .add_member(&id(channel), &user(owner), &user(member), role, Timestamp(number), permit)
                .await
                .expect("is added");
        }
    }
    let here = PresenceChange { user: user("ada-id"), online: true, at: Timestamp(600) };
    store.record_presence(vec![here], 99).await.expect("is recorded");
    let invite = Invite {
        digest: [3; 32],
        channel: id("den"),
        inviter: user("ada-id"),
        user: None,
        role: Role::Member,
        uses: 5,
        ends: Timestamp(9_000_000),
    };
    store.create_invite(invite, 9, Timestamp(1), anyone()).await.expect("is new");
    for (channel, sender, content) in [
        ("den", "ada-id", "from ada"),
        ("den", "bob", "from bob"),
        ("den", "ada-id", "again from ada"),
        ("far", "ada-id", "from ada, who was there once"),
        ("far", "bob", "nobody's business"),
        ("hall", "ada-id", "with a client id of ada's"),
    ] {
        let client_id = (channel == "hall").then_some("ada's");
        store.append(draft(channel, sender, content, client_id), anyone()).await.expect("is sent");
    }
}

/// Where in the database a text is: tables and columns.
fn places(fixture: &Fixture, text: &str) -> Vec<String> {
    let database = Connection::open(&fixture.path).expect("opens");
    let tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'migrations' ORDER BY name")
        .and_then(|mut tables| tables.query_map([], |row| row.get(0))?.collect())
        .expect("readable");
    let mut places = Vec::new();
    for table in tables {
        let mut all = database.prepare(&format!("SELECT * FROM {table}")).expect("readable");
        let columns: Vec<String> = all.column_names().map(str::to_owned).collect();
        let mut rows = all.query([]).expect("readable");
        while let Some(row) = rows.next().expect("readable") {
            for (index, column) in columns.iter().enumerate() {
                if let ValueRef::Text(value) | ValueRef::Blob(value) = row.get_ref(index).expect("is there")
                    && value.windows(text.len()).any(|part| part == text.as_bytes())
                {
                    places.push(format!("{table}.{column}"));
                }
            }
        }
    }
    places.dedup();
    places
}

pub(crate) async fn erase(store: &dyn Store, name: &str, now: u64) -> Result<Erased, StoreError> {
    store.erase(&user(name), Timestamp(now), Box::new(|_| Vec::new())).await
}

pub(crate) async fn erase_messages(store: &dyn Store, limit: usize) -> Vec<usize> {
    let mut counts = Vec::new();
    while let Some(count) = store.erase_messages(Timestamp(8000), limit).await.expect("erases") {
        counts.push(count);
    }
    counts
}

#[tokio::test]
async fn all_that_is_kept_of_a_user_can_be_read() {
    for fixture in backends() {
        with_ada(&fixture).await;
        let data = fixture.store.personal_data(&user("ada-id")).await.expect("readable").expect("is there");
        assert_eq!(data.profile.name, "ada-name");
        assert_eq!(data.account, Some(account("ada-id", "ada@example.org", Some("ada-name"))));
        assert_eq!(data.sessions, [session("s-ada")]);
        assert_eq!(data.last_seen, Some(Timestamp(600)));
        let memberships: Vec<_> =
            data.memberships.iter().map(|one| (one.channel.as_str(), one.role, one.joined.0)).collect();
        assert_eq!(
            memberships,
            [("cell", Role::Owner, 5), ("den", Role::Owner, 5), ("hall", Role::Owner, 10)]
        );
        assert_eq!(data.messages, 4);
        assert_eq!(data.created, [id("cell"), id("den")]);
        assert_eq!(fixture.store.personal_data(&user("nobody")).await, Ok(None));
    }
}

#[tokio::test]
async fn all_messages_of_a_user_can_be_read_in_pages() {
    for fixture in backends() {
        with_ada(&fixture).await;
        for (content, client_id) in [("b", Some("b")), ("a", Some("a")), ("no id", None)] {
            fixture
                .store
                .append(draft("den", "ada-id", content, client_id), anyone())
                .await
                .expect("is sent");
        }
        let mut after: Option<SentAt> = None;
        let mut contents = Vec::new();
        loop {
            let page = fixture.store.messages_from(&user("ada-id"), after, 2).await.expect("readable");
            let Some(last) = page.last() else { break };
            after = Some((last.channel.clone(), last.client_id.clone(), last.seq));
            contents.extend(page.into_iter().map(|message| message.content));
        }
        assert_eq!(
            contents,
            [
                "from ada",
                "again from ada",
                "no id",
                "a",
                "b",
                "from ada, who was there once",
                "with a client id of ada's"
            ]
        );
    }
}

#[tokio::test]
async fn nothing_is_left_of_who_is_erased() {
    for fixture in backends() {
        with_ada(&fixture).await;
        assert!(places(&fixture, "ada").len() > 8, "{:?}", places(&fixture, "ada"));
        let heirs = vec![(id("den"), user("cid"))]; // a moderator, before dan
        assert_eq!(
            erase(&*fixture.store, "ada-id", 7000).await,
            Ok(Erased { channels: 3, inherited: heirs })
        );
        assert_eq!(fixture.store.account(&user("ada-id")).await, Ok(None), "at once");
        assert_eq!(erase_messages(&*fixture.store, 3).await, [3, 1]);
        for text in ["ada", "192.0.2.77"] {
            assert_eq!(places(&fixture, text), [""; 0], "{text}");
        }
        let history = fixture.history("den", Page::Latest, 9).await;
        let left: Vec<_> = history
            .iter()
            .map(|message| (message.seq.0, message.sender.user.as_str(), message.content.as_str()))
            .collect();
        assert_eq!(left, [(1, ERASED, ""), (2, "bob", "from bob"), (3, ERASED, "")], "numbers stay");
        assert_eq!(history[0].deleted, Some(Timestamp(8000)));
        assert_eq!(erase(&*fixture.store, "ada-id", 9000).await, Err(StoreError::NotFound), "twice");
        assert_eq!(erase(&*fixture.store, ERASED, 9000).await, Err(StoreError::NotFound));
        let next = fixture.store.append(draft("den", "bob", "goes on", None), anyone()).await;
        assert_eq!(next.map(|message| message.seq), Ok(Seq(4)));
    }
}

#[tokio::test]
async fn not_even_the_bytes_are_left() {
    let fixture = Fixture::sqlite();
    with_ada(&fixture).await;
    erase(&*fixture.store, "ada-id", 7000).await.expect("is erased");
    erase_messages(&*fixture.store, 99).await;
    fixture.store.close().await;
    let directory = fixture.path.parent().expect("has one");
    for file in std::fs::read_dir(directory).expect("readable") {
        let file = file.expect("readable").path();
        let bytes = std::fs::read(&file).expect("readable");
        for text in ["from ada", "ada-name", "ada@example.org", "s-ada", "192.0.2.77"] {
            let found = bytes.windows(text.len()).position(|part| part == text.as_bytes());
            assert_eq!(found, None, "{text} in {}", file.display());
        }
    }
}

#[tokio::test]
async fn others_are_told_of_what_is_gone() {
    for fixture in backends() {
        with_ada(&fixture).await;
        fixture.committed.lock().expect("no panic").clear();
        erase(&*fixture.store, "ada-id", 7000).await.expect("is erased");
        erase_messages(&*fixture.store, 99).await;
        let told: Vec<_> = fixture
            .committed
            .lock()
            .expect("no panic")
            .iter()
            .map(|change| match change {
                Committed::MemberAdded { channel, user, role, .. } => {
                    format!("{user} is {} of {channel}", role.as_str())
                }
                Committed::MemberRemoved { channel, user, .. } => format!("{user} leaves {channel}"),
                Committed::ChannelUpdated(channel) => {
                    assert!(channel.archived.is_some() && channel.creator.as_str() == ERASED);
                    format!("{} is archived", channel.channel)
                }
                Committed::MessageDeleted(message) => {
                    assert_eq!((message.content.as_str(), message.client_id.as_ref()), ("", None));
                    format!("{} {} is deleted", message.channel, message.seq.0)
                }
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(
            told,
            [
                "ada-id leaves cell",
                "cid is owner of den",
                "ada-id leaves den",
                "ada-id leaves hall",
                "cell is archived",
                "den 1 is deleted",
                "den 3 is deleted",
                "far 1 is deleted",
                "hall 1 is deleted",
            ]
        );
    }
}

#[tokio::test]
async fn erasing_goes_on_after_a_restart_and_leaves_who_comes_later() {
    let fixture = Fixture::sqlite();
    with_ada(&fixture).await;
    erase(&*fixture.store, "ada-id", 7000).await.expect("is erased");
    erase(&*fixture.store, "bob", 7000).await.expect("is erased, too");
    assert_eq!(fixture.store.erase_messages(Timestamp(7000), 1).await, Ok(Some(1)));
    fixture.store.close().await;
    let store = SqliteStore::open(&fixture.path, &SqliteConfig::default(), Box::new(|_| ())).expect("opens");
    let store: &dyn Store = &store;
    store.arrive(crate::support::profile("bob"), Timestamp(7001)).await.expect("somebody of the same name");
    let newer = Draft { created: Timestamp(7002), ..draft("far", "bob", "I am new here", None) };
    store.append(newer, anyone()).await.expect("is sent");
    assert_eq!(erase_messages(store, 99).await.iter().sum::<usize>(), 3 + 2);
    assert_eq!(places(&fixture, "ada"), [""; 0]);
    assert_eq!(places(&fixture, "from bob"), [""; 0]);
    let left = store.messages_from(&user("bob"), None, 9).await.expect("readable");
    assert_eq!(left.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["I am new here"]);
}
