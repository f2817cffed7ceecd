//! Killed at any moment, a server loses nothing it has acknowledged.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use crate::support::{anyone, draft, id, new_channel, profile, user};
use roomkey_model::{Seq, Timestamp};
use roomkey_store::{
    ChannelStore, HistoryQuery, Message, MessageStore, Page, SqliteConfig, SqliteStore, Store, Visibility,
};

const SENDERS: usize = 4;
const IN_FLIGHT: usize = 8;
const DATABASE: &str = "ROOMKEY_CRASH_DATABASE";
const FIRST: &str = "ROOMKEY_CRASH_FIRST";

/// What the killed process said: the number and the id of a message by its client id.
type Acks = BTreeMap<String, (u64, String)>;

#[test]
fn what_was_acknowledged_survives() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("roomkey.db");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut acks = Acks::new();
    // Powers of two and their neighbours: some runs die in their first batch, some after many.
    for acks_before_kill in [1, 2, 3, 17, 64, 129, 500, 1, 250, 33] {
        // Begin a little before the end: the first messages are retries, of acknowledged and of unknown ones.
        let first = (acks.len() / SENDERS).saturating_sub(2 * IN_FLIGHT);
        let before = acks.len();
        run_and_kill(&path, first, acks_before_kill, &mut acks);
        assert!(acks.len() >= before);
        runtime.block_on(check(&path, &acks));
    }
    assert!(acks.len() > 500, "{} acks", acks.len());
}

fn run_and_kill(path: &Path, first: usize, acks_before_kill: usize, acks: &mut Acks) {
    let mut child = Command::new(env::current_exe().expect("this test"))
        .args([
            "--exact",
            "crash::the_process_that_is_killed",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(DATABASE, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let mut count = 0;
    let mut note = |line: &str| {
        let Some(("ack", rest)) = line.split_once(' ') else { return false };
        let words: Vec<_> = rest.split(' ').collect();
        let [client_id, seq, message] = words[..] else { return false }; // cut off by the kill
        let ack = (seq.parse().expect("a number"), message.to_owned());
        if let Some(earlier) = acks.insert(client_id.to_owned(), ack.clone()) {
            assert_eq!(earlier, ack, "the retry of {client_id} is the same message");
        }
        true
    };
    while count < acks_before_kill {
        let line = lines.next().expect("runs until it is killed").expect("readable");
        count += usize::from(note(&line));
    }
    child.kill().expect("is killed");
    for line in lines.map_while(Result::ok) {
        note(&line);
    }
    child.wait().expect("is dead");
}

async fn check(path: &Path, acks: &Acks) {
    let store =
        SqliteStore::open(path, &SqliteConfig::default(), Box::new(|_| ())).expect("opens after a kill");
    let query = HistoryQuery {
        channel: id("den"),
        reader: user("0"),
        page: Page::After(Seq(0)),
        limit: 1_000_000,
        since_join: false,
    };
    let messages = store.history(query, anyone()).await.expect("readable");
    let seqs: Vec<_> = messages.iter().map(|message| message.seq.0).collect();
    assert_eq!(seqs, (1..=messages.len() as u64).collect::<Vec<_>>(), "no gap, no duplicate");
    let stored: BTreeMap<_, _> = messages.iter().map(|message| (client_id(message), message)).collect();
    assert_eq!(stored.len(), messages.len(), "each client id once");
    for (client_id, (seq, message)) in acks {
        let stored = stored.get(client_id.as_str()).unwrap_or_else(|| panic!("{client_id} was acknowledged"));
        assert_eq!((stored.seq.0, stored.message.to_string()), (*seq, message.clone()));
    }
    let channel = store.channel(&id("den")).await.expect("readable").expect("is there");
    assert_eq!(channel.last_seq.0, messages.len() as u64);
    store.close().await;
}

fn client_id(message: &Message) -> &str {
    message.client_id.as_deref().expect("all have one")
}

/// Not a test of its own: [`what_was_acknowledged_survives`] starts it, and kills it.
#[test]
#[ignore = "runs until it is killed"]
fn the_process_that_is_killed() {
    let (Ok(path), Ok(first)) = (env::var(DATABASE), env::var(FIRST)) else { return };
    let first = first.parse().expect("a number");
    let store =
        SqliteStore::open(Path::new(&path), &SqliteConfig::default(), Box::new(|_| ())).expect("opens");
    let store: Arc<dyn Store> = Arc::new(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        for sender in 0..SENDERS {
            store.arrive(profile(&sender.to_string()), Timestamp(1)).await.expect("arrives");
        }
        let _ = store.create_channel(new_channel("den", "0", Visibility::Public)).await;
        let senders = (0..SENDERS).map(|sender| tokio::spawn(send(Arc::clone(&store), sender, first)));
        for sender in senders.collect::<Vec<_>>() {
            sender.await.expect("no panic");
        }
    });
}

async fn send(store: Arc<dyn Store>, sender: usize, first: usize) {
    let mut window = std::collections::VecDeque::new();
    for number in first.. {
        let client_id = format!("{sender}-{number}");
        let draft = draft("den", &sender.to_string(), "hello", Some(&client_id));
        window.push_back(store.append(draft, anyone()));
        if window.len() == IN_FLIGHT {
            let message = window.pop_front().expect("is full").await.expect("is stored");
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "ack {} {} {}", self::client_id(&message), message.seq.0, message.message)
                .expect("the parent reads");
            stdout.flush().expect("the parent reads");
        }
    }
}
