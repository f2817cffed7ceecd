use roomkey_model::Timestamp;
use rusqlite::{Connection, params};

use super::{
    SqliteStore,
    columns::{signed, time},
};
use crate::{LoginFailures, LoginStore, PastLogin, Pending, StoreError};

impl LoginStore for SqliteStore {
    fn note_login_failures(&self, failures: LoginFailures) -> Pending<()> {
        self.write(move |connection, _| note_failures(connection, &failures))
    }

    fn login_failures(&self, now: Timestamp, limit: usize) -> Pending<Vec<LoginFailures>> {
        self.read(move |connection| failures(connection, now, limit))
    }

    fn forget_login_failures(&self, now: Timestamp, limit: usize) -> Pending<usize> {
        self.write(move |connection, _| forget_failures(connection, now, limit))
    }

    fn past_logins(&self, since: Timestamp, limit: usize) -> Pending<Vec<PastLogin>> {
        self.read(move |connection| past(connection, since, limit))
    }
}

pub(super) fn note_failures(connection: &Connection, failures: &LoginFailures) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO login_failures (account, paid_until, blocked_until) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            failures.account,
            signed(failures.paid_until.0),
            signed(failures.blocked_until.0)
        ])?;
    Ok(())
}

/// Those that still count, the longest first.
pub(super) fn failures(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<LoginFailures>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT account, paid_until, blocked_until FROM login_failures
         WHERE paid_until > ?1 ORDER BY paid_until DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![signed(now.0), signed(limit)], |row| {
        Ok(LoginFailures {
            account: row.get("account")?,
            paid_until: time(row, "paid_until")?,
            blocked_until: time(row, "blocked_until")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes what counts no more, at most `limit` at a time; tells how many.
pub(super) fn forget_failures(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let sql = "DELETE FROM login_failures WHERE account IN
               (SELECT account FROM login_failures WHERE paid_until <= ?1 LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![signed(now.0), signed(limit)])?)
}

/// Logins that were used since then, the latest first, also those that have ended.
pub(super) fn past(
    connection: &Connection,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<PastLogin>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT email, username, address, seen FROM sessions JOIN accounts USING (user)
         WHERE seen >= ?1 AND address IS NOT NULL ORDER BY seen DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![signed(since.0), signed(limit)], |row| {
        Ok(PastLogin {
            email: row.get("email")?,
            username: row.get("username")?,
            address: row.get("address")?,
            seen: time(row, "seen")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
