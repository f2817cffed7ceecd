use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::StoreError;

/// The steps from an empty database to this release's. A step that was released is never changed.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_accounts_channels_messages.sql"),
    include_str!("../../migrations/0002_revocations.sql"),
    include_str!("../../migrations/0003_refresh_tokens.sql"),
    include_str!("../../migrations/0004_login_failures.sql"),
    include_str!("../../migrations/0005_channels_and_edits.sql"),
    include_str!("../../migrations/0006_watermarks.sql"),
    include_str!("../../migrations/0007_outbox.sql"),
    include_str!("../../migrations/0008_last_seen.sql"),
    include_str!("../../migrations/0009_retention.sql"),
    include_str!("../../migrations/0010_indexes.sql"),
    include_str!("../../migrations/0011_admins.sql"),
];

/// Applies the steps the database lacks, all in one transaction.
///
/// The database keeps the text of each step: a better checksum, and a file that says how it was made.
pub(super) fn run(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, sql TEXT NOT NULL) STRICT",
    )?;
    let applied = applied(&transaction)?;
    let (found, known) = (version(applied.len()), version(migrations.len()));
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (index, (applied, known)) in applied.iter().zip(migrations).enumerate() {
        if applied != known {
            return Err(StoreError::MigrationChanged { version: version(index + 1) });
        }
    }
    for (index, sql) in migrations.iter().enumerate().skip(applied.len()) {
        transaction.execute_batch(sql)?;
        transaction.execute(
            "INSERT INTO migrations (version, sql) VALUES (?1, ?2)",
            params![version(index + 1), sql],
        )?;
    }
    Ok(transaction.commit()?)
}

fn applied(transaction: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let mut statement = transaction.prepare("SELECT sql FROM migrations ORDER BY version")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn version(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE one (id INTEGER) STRICT";
    const TWO: &str = "CREATE TABLE two (id INTEGER) STRICT";

    fn database() -> Connection {
        Connection::open_in_memory().expect("memory")
    }

    #[test]
    fn only_the_missing_steps_are_applied() {
        let mut connection = database();
        run(&mut connection, &[ONE]).expect("the first step");
        run(&mut connection, &[ONE, TWO]).expect("the second step");
        run(&mut connection, &[ONE, TWO]).expect("nothing to do");
        connection
            .execute_batch("INSERT INTO one VALUES (1); INSERT INTO two VALUES (1)")
            .expect("both are there");
    }

    #[test]
    fn a_newer_or_a_changed_database_is_left_alone() {
        let mut connection = database();
        run(&mut connection, &[ONE, TWO]).expect("two steps");
        assert_eq!(run(&mut connection, &[ONE]), Err(StoreError::NewerSchema { found: 2, known: 1 }));
        assert_eq!(
            run(&mut connection, &[ONE, "CREATE TABLE other (id INTEGER)"]),
            Err(StoreError::MigrationChanged { version: 2 })
        );
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_behind() {
        let mut connection = database();
        assert!(run(&mut connection, &[ONE, "CREATE TABLE one (id INTEGER)"]).is_err());
        run(&mut connection, &[ONE]).expect("the database is still empty");
    }

    #[test]
    fn the_real_steps_apply() {
        run(&mut database(), MIGRATIONS).expect("all steps");
    }
}
