use std::sync::Arc;

use roomkey_model::{Revocation, RevocationTarget, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::{
    SqliteStore,
    columns::{id, name, optional_time, signed, time},
};
use crate::{Committed, Pending, RevocationStore, StoreError};

impl RevocationStore for SqliteStore {
    fn revoke(&self, revocations: Vec<Revocation>) -> Pending<()> {
        self.write(move |connection, changes| {
            revocations.into_iter().try_for_each(|revocation| add(connection, revocation, changes))
        })
    }

    fn unblock(&self, cut_off: Revocation) -> Pending<bool> {
        self.write(move |connection, changes| unblock(connection, cut_off, changes))
    }

    fn revocations(&self) -> Pending<Vec<Revocation>> {
        self.read(all)
    }

    fn purge_revocations(&self, now: Timestamp, limit: usize) -> Pending<usize> {
        self.write(move |connection, _| purge(connection, now, limit))
    }
}

/// Adds a revocation to what was decided before about its target, and tells so.
///
/// Part of every transaction that ends a session: there is no moment in which the one is done and the other is not.
pub(super) fn add(
    connection: &Connection,
    revocation: Revocation,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    let before = find(connection, &revocation.target)?;
    let revocation = match &before {
        Some(before) => revocation.and(before),
        None => revocation,
    };
    put(connection, &revocation)?;
    changes.push(Committed::Revoked(revocation));
    Ok(())
}

/// Puts a cut-off in the place of a user's block; tells whether the user was blocked.
pub(super) fn unblock(
    connection: &Connection,
    cut_off: Revocation,
    changes: &mut Vec<Committed>,
) -> Result<bool, StoreError> {
    let before = find(connection, &cut_off.target)?;
    if before.is_none_or(|before| before.issued_before.is_some()) {
        return Ok(false);
    }
    put(connection, &cut_off)?;
    changes.push(Committed::Unblocked(cut_off));
    Ok(true)
}

pub(super) fn is_blocked(connection: &Connection, user: &UserId) -> Result<bool, StoreError> {
    let revocation = find(connection, &RevocationTarget::User(user.clone()))?;
    Ok(revocation.is_some_and(|revocation| revocation.issued_before.is_none()))
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Revocation>, StoreError> {
    let mut statement = connection.prepare_cached(SELECT)?;
    let rows = statement.query_map([], revocation)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes what is over, at most `limit` at a time; tells how many.
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
    let sql = "DELETE FROM revocations WHERE (kind, issuer, id) IN
               (SELECT kind, issuer, id FROM revocations WHERE until <= ?1 LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.execute(params![signed(now.0), signed(limit)])?)
}

const SELECT: &str = "SELECT kind, issuer, id, issued_before, revoked_at, until, reason FROM revocations";

fn find(connection: &Connection, target: &RevocationTarget) -> Result<Option<Revocation>, StoreError> {
    let sql = format!("{SELECT} WHERE kind = ?1 AND issuer = ?2 AND id = ?3");
    let (kind, issuer, id) = columns(target);
    Ok(connection.prepare_cached(&sql)?.query_row([kind, issuer, id], revocation).optional()?)
}

fn put(connection: &Connection, revocation: &Revocation) -> Result<(), StoreError> {
    let (kind, issuer, id) = columns(&revocation.target);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO revocations (kind, issuer, id, issued_before, revoked_at, until, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            kind,
            issuer,
            id,
            revocation.issued_before.map(|time| signed(time.0)),
            signed(revocation.revoked_at.0),
            revocation.until.map(|time| signed(time.0)),
            revocation.reason.as_str(),
        ])?;
    Ok(())
}

fn columns(target: &RevocationTarget) -> (&'static str, &str, &str) {
    match target {
        RevocationTarget::Key { issuer, key_id } => ("key", issuer, key_id),
        RevocationTarget::Session { issuer, session } => ("session", issuer, session.as_str()),
        RevocationTarget::Token { issuer, token } => ("token", issuer, token.as_str()),
        RevocationTarget::User(user) => ("user", "", user.as_str()),
    }
}

fn revocation(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    let issuer = || row.get::<_, String>("issuer").map(Arc::from);
    let target = match row.get_ref("kind")?.as_str()? {
        "key" => {
            RevocationTarget::Key { issuer: issuer()?, key_id: row.get::<_, String>("id").map(Arc::from)? }
        }
        "session" => RevocationTarget::Session { issuer: issuer()?, session: id(row, "id")? },
        "token" => RevocationTarget::Token { issuer: issuer()?, token: id(row, "id")? },
        "user" => RevocationTarget::User(id(row, "id")?),
        _ => {
            let unknown = "unknown kind of revocation";
            return Err(rusqlite::Error::FromSqlConversionFailure(0, Type::Text, unknown.into()));
        }
    };
    Ok(Revocation {
        target,
        issued_before: optional_time(row, "issued_before")?,
        revoked_at: time(row, "revoked_at")?,
        until: optional_time(row, "until")?,
        reason: name(row, "reason")?,
    })
}
