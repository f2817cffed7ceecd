use roomkey_model::{Revocation, SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore, accounts,
    columns::{id, optional_time, signed, time},
    fault, revocations,
};
use crate::{
    Committed, Pending, RefreshFamily, Revoke, Rotated, Rotation, Session, SessionStore, StoreError,
};

impl SessionStore for SqliteStore {
    fn create_session(&self, session: Session, refresh: RefreshFamily, password_hash: &str) -> Pending<()> {
        let password_hash = password_hash.to_owned();
        self.write(move |connection, _| {
            accounts::permit_login(connection, &session.user, &password_hash)?;
            create(connection, &session, &refresh)
        })
    }

    fn session(&self, session: &SessionId) -> Pending<Option<Session>> {
        let session = session.clone();
        self.read(move |connection| find(connection, &session))
    }

    fn refresh_tag_key(&self, session: &SessionId) -> Pending<Option<[u8; 32]>> {
        let session = session.clone();
        self.read(move |connection| tag_key(connection, &session))
    }

    fn rotate(&self, rotation: Rotation) -> Pending<Rotated> {
        self.write(move |connection, changes| rotate(connection, rotation, changes))
    }

    fn sessions_of(&self, user: &UserId, now: Timestamp, limit: usize) -> Pending<Vec<Session>> {
        let user = user.clone();
        self.read(move |connection| of_user(connection, &user, now, limit))
    }

    fn touch_session(&self, session: &SessionId, now: Timestamp) -> Pending<()> {
        let session = session.clone();
        self.write(move |connection, _| touch(connection, &session, now))
    }

    fn end_session(
        &self,
        session: &SessionId,
        user: &UserId,
        now: Timestamp,
        revocation: Revocation,
    ) -> Pending<bool> {
        let (session, user) = (session.clone(), user.clone());
        self.write(move |connection, changes| end(connection, &session, &user, now, revocation, changes))
    }

    fn end_sessions_of(
        &self,
        user: &UserId,
        began_by: Option<Timestamp>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize> {
        let user = user.clone();
        self.write(move |connection, changes| {
            let which = Which { except: None, began_by };
            end_all(connection, &user, &which, now, revoke, changes)
        })
    }

    fn forget_sessions(&self, since: Timestamp) -> Pending<usize> {
        self.write(move |connection, _| forget(connection, since))
    }
}

pub(super) fn create(
    connection: &Connection,
    session: &Session,
    refresh: &RefreshFamily,
) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO sessions
             (session, user, user_agent, address, created, seen, ends, idle_ends, ended, tag_key, refresh_current)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            session.session.as_str(),
            session.user.as_str(),
            session.user_agent,
            session.address,
            signed(session.created.0),
            signed(session.seen.0),
            signed(session.ends.0),
            signed(session.idle_ends.0),
            session.ended.map(|ended| signed(ended.0)),
            refresh.tag_key,
            refresh.current,
        ]);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if fault::is_unique_violation(&error, "sessions.session") => {
            Err(StoreError::Conflict { field: "id" })
        }
        Err(error) if fault::is_foreign_key_violation(&error) => Err(StoreError::NotFound),
        Err(error) => Err(error.into()),
    }
}

const COLUMNS: &str = "session, user, user_agent, address, created, seen, ends, idle_ends, ended";

pub(super) fn find(connection: &Connection, session: &SessionId) -> Result<Option<Session>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE session = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([session.as_str()], of_row).optional()?)
}

pub(super) fn of_user(
    connection: &Connection,
    user: &UserId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM sessions
         WHERE user = ?1 AND ended IS NULL AND ends > ?2 AND idle_ends > ?2 ORDER BY created DESC, session LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![user.as_str(), signed(now.0), signed(limit)], of_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The logins of a user that are remembered, newest first.
pub(super) fn all_of(connection: &Connection, user: &UserId) -> Result<Vec<Session>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE user = ?1 ORDER BY created DESC, session");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([user.as_str()], of_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        session: id(row, "session")?,
        user: id(row, "user")?,
        user_agent: row.get("user_agent")?,
        address: row.get("address")?,
        created: time(row, "created")?,
        seen: time(row, "seen")?,
        ends: time(row, "ends")?,
        idle_ends: time(row, "idle_ends")?,
        ended: optional_time(row, "ended")?,
    })
}

pub(super) fn tag_key(connection: &Connection, session: &SessionId) -> Result<Option<[u8; 32]>, StoreError> {
    let key = connection
        .prepare_cached("SELECT tag_key FROM sessions WHERE session = ?1")?
        .query_row([session.as_str()], |row| row.get(0))
        .optional()?;
    Ok(key.flatten())
}

pub(super) fn touch(connection: &Connection, session: &SessionId, now: Timestamp) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE sessions SET seen = ?2 WHERE session = ?1 AND seen < ?2")?
        .execute(params![session.as_str(), signed(now.0)])?;
    Ok(())
}

/// Exchanges a refresh token for its successor, or ends the session of one that was exchanged before.
pub(super) fn rotate(
    connection: &Connection,
    rotation: Rotation,
    changes: &mut Vec<Committed>,
) -> Result<Rotated, StoreError> {
    let Some(session) = find(connection, &rotation.session)? else { return Ok(Rotated::Unknown) };
    if session.ended.is_some() {
        return Ok(Rotated::Ended);
    }
    if session.is_over(rotation.now) {
        return Ok(Rotated::Expired);
    }
    let tokens = connection
        .prepare_cached(
            "SELECT refresh_current, refresh_parent, refresh_salt, refreshed FROM sessions
             WHERE session = ?1 AND refresh_current IS NOT NULL",
        )?
        .query_row([rotation.session.as_str()], Tokens::of_row)
        .optional()?;
    let Some(tokens) = tokens else { return Ok(Rotated::Unknown) };
    if tokens.current == rotation.presented {
        return exchange(connection, &rotation, session);
    }
    match tokens.parent {
        Some(parent) if parent.digest == rotation.presented && rotation.is_retry(parent.exchanged) => {
            Ok(Rotated::Retried(session, parent.salt))
        }
        _ => {
            let (now, revocation) = (rotation.now, rotation.revocation);
            end(connection, &session.session, &session.user, now, revocation, changes)?;
            Ok(Rotated::Reused(session))
        }
    }
}

struct Tokens {
    current: [u8; 32],
    parent: Option<Parent>,
}

/// The token before the current one.
struct Parent {
    digest: [u8; 32],
    /// What the current one was made from.
    salt: [u8; 32],
    exchanged: Timestamp,
}

impl Tokens {
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let parent = row.get("refresh_parent")?;
        let (salt, exchanged) = (row.get("refresh_salt")?, optional_time(row, "refreshed")?);
        let parent = match (parent, salt, exchanged) {
            (Some(digest), Some(salt), Some(exchanged)) => Some(Parent { digest, salt, exchanged }),
            _ => None,
        };
        Ok(Self { current: row.get("refresh_current")?, parent })
    }
}

fn exchange(connection: &Connection, rotation: &Rotation, session: Session) -> Result<Rotated, StoreError> {
    let (salt, successor) = &rotation.successor;
    let (now, idle_ends) = (rotation.now, rotation.idle_ends);
    let address = rotation.address.clone().or(session.address);
    connection
        .prepare_cached(
            "UPDATE sessions SET refresh_parent = refresh_current, refresh_current = ?2, refresh_salt = ?3,
             refreshed = ?4, seen = max(seen, ?4), idle_ends = ?5, address = ?6 WHERE session = ?1",
        )?
        .execute(params![
            session.session.as_str(),
            successor,
            salt,
            signed(now.0),
            signed(idle_ends.0),
            address
        ])?;
    Ok(Rotated::Exchanged(Session { seen: session.seen.max(now), idle_ends, address, ..session }))
}

/// Ends the session of this user, if there is one that has not ended, and revokes its tokens.
pub(super) fn end(
    connection: &Connection,
    session: &SessionId,
    user: &UserId,
    now: Timestamp,
    revocation: Revocation,
    changes: &mut Vec<Committed>,
) -> Result<bool, StoreError> {
    let ended = connection
        .prepare_cached("UPDATE sessions SET ended = ?3 WHERE session = ?1 AND user = ?2 AND ended IS NULL")?
        .execute(params![session.as_str(), user.as_str(), signed(now.0)])?;
    if ended > 0 {
        revocations::add(connection, revocation, changes)?;
    }
    Ok(ended > 0)
}

/// Which of a user's sessions.
pub(super) struct Which<'a> {
    /// Not this one.
    pub(super) except: Option<&'a SessionId>,
    /// Those that began then or before; all, also those that began before the clock was put back.
    pub(super) began_by: Option<Timestamp>,
}

/// Ends sessions of the user.
pub(super) fn end_all(
    connection: &Connection,
    user: &UserId,
    which: &Which<'_>,
    now: Timestamp,
    revoke: Revoke,
    changes: &mut Vec<Committed>,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE sessions SET ended = ?4
         WHERE user = ?1 AND ended IS NULL AND session IS NOT ?2 AND created <= coalesce(?3, created) RETURNING session",
    )?;
    let (except, began_by) = (which.except.map(SessionId::as_str), which.began_by.map(|time| signed(time.0)));
    let ended = statement
        .query_map(params![user.as_str(), except, began_by, signed(now.0)], |row| id(row, "session"))?
        .collect::<Result<Vec<SessionId>, _>>()?;
    for revocation in revoke(&ended) {
        revocations::add(connection, revocation, changes)?;
    }
    Ok(ended.len())
}

/// Forgets sessions that were over before `since`.
pub(super) fn forget(connection: &Connection, since: Timestamp) -> Result<usize, StoreError> {
    let sql = "DELETE FROM sessions WHERE min(coalesce(ended, ends), ends, idle_ends) < ?1";
    Ok(connection.prepare_cached(sql)?.execute([signed(since.0)])?)
}
