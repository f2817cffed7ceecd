//! A copy that is made while the server works is a database of one moment.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::support::{Fixture, anyone, draft, whole_history};
use roomkey_model::Seq;
use roomkey_store::{MessageStore, SqliteConfig, SqliteStore, Store, StoreError, backup};

const ROUNDS: usize = 8;

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("readable");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_under_load_has_all_that_was_acknowledged_and_nothing_by_halves() {
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada"]).await;
    let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let sender = {
        let (store, acknowledged, stop) = (fixture.store.clone(), acknowledged.clone(), stop.clone());
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let batch = [(); 8].map(|()| store.append(draft("den", "ada", "hello", None), anyone()));
                for message in batch {
                    let seq = message.await.expect("is stored").seq;
                    acknowledged.store(seq.0, Ordering::Release);
                }
            }
        })
    };
    let directory = tempfile::tempdir().expect("a directory");
    let mut sizes = Vec::new();
    for round in 0..ROUNDS {
        let before = loop {
            let count = acknowledged.load(Ordering::Acquire);
            if count > sizes.last().copied().unwrap_or(0) {
                break count;
            }
            tokio::task::yield_now().await;
        };
        let copy = directory.path().join(format!("copy-{round}.db"));
        let (path, to) = (fixture.path.clone(), copy.clone());
        let bytes = tokio::task::spawn_blocking(move || backup(&path, &to)).await.expect("no panic");
        assert_eq!(bytes.expect("is copied"), fs::metadata(&copy).expect("is there").len());
        let count = messages_of(&copy).await;
        assert!(count >= before, "{count} messages in the copy, {before} were acknowledged before");
        sizes.push(count);
    }
    stop.store(true, Ordering::Relaxed);
    sender.await.expect("no panic");
    assert!(sizes.is_sorted() && sizes[0] < sizes[ROUNDS - 1], "{sizes:?}");
}

/// Opens the copy as a server would, and counts its messages, which must be whole.
async fn messages_of(copy: &Path) -> u64 {
    let store = SqliteStore::open(copy, &SqliteConfig::default(), Box::new(|_| ())).expect("opens");
    let messages = store.history(whole_history("den", "ada"), anyone()).await.expect("readable");
    let count = messages.len() as u64;
    assert!(messages.iter().map(|message| message.seq.0).eq(1..=count), "no gap");
    let next = store.append(draft("den", "ada", "goes on", None), anyone()).await;
    assert_eq!(next.map(|message| message.seq), Ok(Seq(count + 1)), "the counter is of the same moment");
    store.close().await;
    count
}

#[tokio::test]
async fn a_copy_is_private_and_leaves_nothing_beside_it() {
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada"]).await;
    fixture.store.close().await;
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.db");
    backup(&fixture.path, &copy).expect("also of a server that is stopped");
    assert_eq!(files(directory.path()), ["copy.db"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(&copy).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_copy_never_replaces_a_file() {
    let fixture = Fixture::sqlite();
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.db");
    fs::write(&copy, "the only copy of something else").expect("writes");
    let error = backup(&fixture.path, &copy).expect_err("the name is taken");
    assert_eq!((error.path, error.cause), (copy.clone(), StoreError::Conflict { field: "name of the file" }));
    assert_eq!(fs::read_to_string(&copy).expect("is there"), "the only copy of something else");
}

#[tokio::test]
async fn what_cannot_be_copied_leaves_no_file() {
    let fixture = Fixture::sqlite();
    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("copy.db");
    let nowhere = directory.path().join("absent/copy.db");
    let cause = |outcome: Result<u64, roomkey_store::OpenError>| outcome.expect_err("is refused").cause;
    assert_eq!(cause(backup(&directory.path().join("absent.db"), &copy)), StoreError::NotFound);
    assert!(matches!(cause(backup(&fixture.path, &nowhere)), StoreError::Unwritable { .. }));
    let other = directory.path().join("other.db");
    let bookmarks = rusqlite::Connection::open(&other).expect("opens");
    bookmarks.execute_batch("CREATE TABLE bookmarks (url TEXT)").expect("creates");
    assert_eq!(cause(backup(&other, &copy)), StoreError::Foreign);
    fs::write(&other, "hello, world\n".repeat(400)).expect("writes");
    assert!(matches!(cause(backup(&other, &copy)), StoreError::Corrupt { .. }));
    assert_eq!(files(directory.path()), ["other.db"]);
}
