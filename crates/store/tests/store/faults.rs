//! What an operator is told when the store cannot be opened.

use std::{fs, path::Path};

use crate::support::Fixture;
use roomkey_store::{SqliteConfig, SqliteStore, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    let config = SqliteConfig { busy_timeout_ms: 1, ..SqliteConfig::default() };
    SqliteStore::open(path, &config, Box::new(|_| ())).map_err(|error| error.cause)
}

/// The same again. Between its fork and its exec a child that another test starts has every file that this process has
/// open, and so holds the lock for that moment.
fn reopen(path: &Path) -> Result<SqliteStore, StoreError> {
    for _ in 0..1000 {
        match open(path) {
            Err(StoreError::Locked { .. }) => std::thread::yield_now(),
            outcome => return outcome,
        }
    }
    open(path)
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

/// A database that was closed in good order.
async fn closed() -> Fixture {
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada", "bob"]).await;
    fixture.store.close().await;
    fixture
}

#[test]
fn a_file_that_is_no_database() {
    let directory = directory();
    for (name, bytes) in
        [("text", b"hello, world\n".repeat(400)), ("zeros", vec![0; 8192]), ("short", vec![1; 7])]
    {
        let path = directory.path().join(name);
        fs::write(&path, &bytes).expect("writes");
        assert!(matches!(open(&path), Err(StoreError::Corrupt { .. })), "{name}");
        assert_eq!(fs::read(&path).expect("reads"), bytes, "{name} is left as it was");
    }
}

#[tokio::test]
async fn a_damaged_database() {
    let fixture = closed().await;
    let whole = fs::read(&fixture.path).expect("reads");
    let mut schema = whole.clone();
    schema[100..4096].fill(0xff);
    let mut version = whole.clone();
    version[18..20].fill(9); // a file format from the future
    for (what, bytes) in [("schema", schema), ("version", version), ("cut short", whole[..4000].to_vec())] {
        fs::write(&fixture.path, bytes).expect("writes");
        match reopen(&fixture.path) {
            Err(StoreError::Corrupt { .. }) => {}
            other => panic!("{what}: {:?}", other.err()),
        }
    }
    fs::write(&fixture.path, whole).expect("writes");
    reopen(&fixture.path).expect("restored from the backup");
}

#[test]
fn a_directory_that_cannot_be_written() {
    let directory = directory();
    let file = directory.path().join("file");
    fs::write(&file, "").expect("writes");
    fs::create_dir(directory.path().join("roomkey.db")).expect("creates");
    for path in [file.join("roomkey.db"), file.join("deeper/roomkey.db"), directory.path().join("roomkey.db")]
    {
        assert!(matches!(open(&path), Err(StoreError::Unwritable { .. })), "{}", path.display());
    }
}

#[tokio::test]
async fn a_second_server() {
    let fixture = Fixture::sqlite();
    let process = Some(std::process::id());
    assert_eq!(open(&fixture.path).err(), Some(StoreError::Locked { process }));
    fixture.store.close().await;
    open(&fixture.path).expect("the first has gone");
}

#[tokio::test]
async fn a_database_of_a_newer_release() {
    let fixture = closed().await;
    let database = Connection::open(&fixture.path).expect("opens");
    let newest: u32 =
        database.query_row("SELECT max(version) FROM migrations", [], |row| row.get(0)).expect("one");
    database.execute("INSERT INTO migrations (version, sql) VALUES (?1, '')", [newest + 1]).expect("inserts");
    drop(database);
    let error = StoreError::NewerSchema { found: newest + 1, known: newest };
    assert_eq!(open(&fixture.path).err(), Some(error));
}

#[tokio::test]
async fn a_database_with_another_history() {
    let fixture = closed().await;
    let database = Connection::open(&fixture.path).expect("opens");
    database.execute("UPDATE migrations SET sql = sql || ' ' WHERE version = 1", []).expect("updates");
    drop(database);
    assert_eq!(open(&fixture.path).err(), Some(StoreError::MigrationChanged { version: 1 }));
}

#[test]
fn a_database_of_another_program() {
    let directory = directory();
    let path = directory.path().join("other.db");
    let database = Connection::open(&path).expect("opens");
    database.execute_batch("CREATE TABLE bookmarks (url TEXT)").expect("creates");
    drop(database);
    assert_eq!(open(&path).err(), Some(StoreError::Foreign));
}

#[test]
fn a_database_that_is_locked() {
    let directory = directory();
    let path = directory.path().join("roomkey.db");
    let database = Connection::open(&path).expect("opens");
    database.execute_batch("BEGIN EXCLUSIVE; CREATE TABLE later (id INTEGER)").expect("locks");
    assert_eq!(open(&path).err(), Some(StoreError::Busy));
}

#[test]
fn the_message_names_the_file_and_what_to_do() {
    let directory = directory();
    let path = directory.path().join("roomkey.db");
    fs::write(&path, "hello, world\n".repeat(400)).expect("writes");
    let Err(error) = SqliteStore::open(&path, &SqliteConfig::default(), Box::new(|_| ())) else {
        panic!("it is no database");
    };
    assert_eq!(
        error.to_string(),
        format!(
            "cannot open the store {}: the database is damaged (file is not a database); \
             restore the file and its -wal file from a backup",
            path.display()
        )
    );
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada"]).await;
    let directory = fixture.path.parent().expect("has one");
    assert_eq!(fs::metadata(directory).expect("is there").permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(directory).expect("readable") {
        let entry = entry.expect("readable");
        let mode = entry.metadata().expect("readable").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}
