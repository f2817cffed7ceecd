use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{SqliteConfig, lock, migrate};
use crate::StoreError;

/// "RMKY": tells our databases from those of other programs.
const APPLICATION_ID: i32 = 0x524d_4b59;

/// Opens the connection that writes, and brings the database to this release's version.
pub(super) fn writer(path: &Path, config: &SqliteConfig) -> Result<Connection, StoreError> {
    lock::private().create(true).append(true).open(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(path, flags, config)?;
    check(&connection)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten: somebody may have asked to be forgotten.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    if let Some(bytes) = config.database_bytes {
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page_bytes;
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate::run(&mut connection, migrate::MIGRATIONS)?;
    Ok(connection)
}

/// Opens a connection that reads.
pub(super) fn reader(path: &Path, config: &SqliteConfig) -> Result<Connection, StoreError> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX, config)
}

fn connect(path: &Path, flags: OpenFlags, config: &SqliteConfig) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(config.busy_timeout_ms.into()))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Reads the header and the whole schema, and makes sure that the database is ours or new.
pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if tables > 0 && id != APPLICATION_ID { Err(StoreError::Foreign) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_disk_when_it_is_done() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("roomkey.db");
        let connection = writer(&path, &SqliteConfig::default()).expect("opens");
        let setting = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
        assert_eq!(setting("journal_mode"), Ok("wal".to_owned()));
        let synchronous: u8 =
            connection.pragma_query_value(None, "synchronous", |row| row.get(0)).expect("readable");
        assert_eq!(synchronous, 2, "full: with less a power cut takes the last commits of a write-ahead log");
    }
}
