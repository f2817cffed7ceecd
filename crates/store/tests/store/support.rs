//! A store to test, and what it told its sink.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, mpsc},
};

use roomkey_model::{ChannelId, Entropy, MessageId, Seq, Timestamp, UserId};
use roomkey_store::{
    Account, Channel, CommitSink, Committed, Draft, HearingPermit, HistoryQuery, Message, Page, Permit,
    Profile, Role, SqliteConfig, SqliteStore, Standing, Store, Visibility,
};
use tempfile::TempDir;

/// A store of one backend with a recorder for its sink.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) committed: Arc<Mutex<Vec<Committed>>>,
    pub(crate) path: PathBuf,
    _directory: TempDir,
}

impl Fixture {
    pub(crate) fn sqlite() -> Self {
        Self::with_config(&SqliteConfig::default())
    }

    pub(crate) fn with_config(config: &SqliteConfig) -> Self {
        let committed = Arc::<Mutex<Vec<Committed>>>::default();
        let recorder = Arc::clone(&committed);
        let sink = move |batch: &[Committed]| recorder.lock().expect("no panic").extend_from_slice(batch);
        Self::with_sink(config, Box::new(sink), committed)
    }

    /// A store whose writer stops in its sink after the first commit until the gate is opened.
    pub(crate) fn gated(config: &SqliteConfig) -> (Self, Gate) {
        let committed = Arc::<Mutex<Vec<Committed>>>::default();
        let recorder = Arc::clone(&committed);
        let (open, opened) = mpsc::channel();
        let (arrive, arrived) = mpsc::channel();
        let sink = move |batch: &[Committed]| {
            recorder.lock().expect("no panic").extend_from_slice(batch);
            if batch.iter().any(|change| matches!(change, Committed::MessageCreated(_))) {
                let _ = arrive.send(batch.len());
                let _ = opened.recv();
            }
        };
        (Self::with_sink(config, Box::new(sink), committed), Gate { open, arrived })
    }

    fn with_sink(config: &SqliteConfig, sink: CommitSink, committed: Arc<Mutex<Vec<Committed>>>) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("data/roomkey.db");
        let store = SqliteStore::open(&path, config, sink).expect("a new store opens");
        Self { store: Arc::new(store), committed, path, _directory: directory }
    }

    /// What the sink was told of messages, in order.
    pub(crate) fn messages_committed(&self) -> Vec<Message> {
        let committed = self.committed.lock().expect("no panic");
        let messages = committed.iter().filter_map(|change| match change {
            Committed::MessageCreated(message) => Some(message.clone()),
            _ => None,
        });
        messages.collect()
    }

    /// Makes users and a channel with all of them in it; the first owns it.
    pub(crate) async fn channel(&self, channel: &str, users: &[&str]) {
        for name in users {
            self.store.arrive(profile(name), Timestamp(1)).await.expect("arrives");
        }
        self.store
            .create_channel(new_channel(channel, users[0], Visibility::Private))
            .await
            .expect("is created");
        for name in &users[1..] {
            self.store
                .add_member(
                    &id(channel),
                    &user(users[0]),
                    &user(name),
                    Role::Member,
                    Timestamp(2),
                    Box::new(|_, _| true),
                )
                .await
                .expect("is added");
        }
    }

    pub(crate) async fn history(&self, channel: &str, page: Page, limit: usize) -> Vec<Message> {
        let query =
            HistoryQuery { channel: id(channel), reader: user("nobody"), page, limit, since_join: false };
        self.store.history(query, anyone()).await.expect("may be read")
    }
}

/// One store of each kind.
pub(crate) fn backends() -> Vec<Fixture> {
    vec![Fixture::sqlite()]
}

/// Of the password of every account.
pub(crate) const HASH: &str = "$argon2id$";

pub(crate) fn account(name: &str, email: &str, username: Option<&str>) -> Account {
    Account {
        user: user(name),
        email: email.to_owned(),
        username: username.map(str::to_owned),
        password_hash: HASH.to_owned(),
        created: Timestamp(7),
    }
}

/// Holds a [`Fixture::gated`] writer.
pub(crate) struct Gate {
    open: mpsc::Sender<()>,
    arrived: mpsc::Receiver<usize>,
}

impl Gate {
    /// Waits until the writer stands in the sink; gives the number of changes it brought.
    pub(crate) fn wait(&self) -> usize {
        self.arrived.recv().expect("the writer lives")
    }

    pub(crate) fn open(&self) {
        self.open.send(()).expect("the writer lives");
    }
}

/// A different number every time, from a seed.
pub(crate) struct Counter(std::sync::atomic::AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        for (byte, value) in bytes.iter_mut().zip(number.to_be_bytes().into_iter().rev().cycle()) {
            *byte = value;
        }
    }
}

static COUNTER: Counter = Counter(std::sync::atomic::AtomicU64::new(1));

pub(crate) fn message_id() -> MessageId {
    MessageId::generate(Timestamp(u64::from(std::process::id())), &COUNTER)
}

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).expect("a good name")
}

pub(crate) fn id(channel: &str) -> ChannelId {
    ChannelId::new(channel).expect("a good name")
}

pub(crate) fn profile(name: &str) -> Profile {
    Profile { user: user(name), name: name.to_uppercase(), avatar: None }
}

pub(crate) fn new_channel(channel: &str, creator: &str, visibility: Visibility) -> Channel {
    Channel {
        channel: id(channel),
        name: format!("The {channel}"),
        visibility,
        creator: user(creator),
        created: Timestamp(5),
        last_seq: roomkey_model::Seq(0),
        archived: None,
        retention: roomkey_store::Retention::default(),
    }
}

pub(crate) fn draft(channel: &str, sender: &str, content: &str, client_id: Option<&str>) -> Draft {
    Draft {
        message: message_id(),
        channel: id(channel),
        sender: user(sender),
        content: content.to_owned(),
        client_id: client_id.map(str::to_owned),
        created: Timestamp(1000),
    }
}

pub(crate) fn anyone() -> Permit {
    Box::new(|_| true)
}

pub(crate) fn all() -> HearingPermit {
    Box::new(|_, _| true)
}

pub(crate) fn members_only() -> Permit {
    Box::new(|standing: Standing| standing.role >= Some(Role::Member))
}

/// All there is of a channel, for this reader.
pub(crate) fn whole_history(channel: &str, reader: &str) -> HistoryQuery {
    HistoryQuery {
        channel: id(channel),
        reader: user(reader),
        page: Page::After(Seq(0)),
        limit: usize::MAX,
        since_join: false,
    }
}
