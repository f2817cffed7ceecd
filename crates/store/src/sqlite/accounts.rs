use roomkey_model::{SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    columns::{id, optional_time, signed, time},
    fault,
};
use crate::{Account, Profile, Session, StoreError};

/// What makes an e-mail address or a user name unique.
pub(super) fn key(text: &str) -> String {
    text.to_lowercase()
}

pub(super) fn create(connection: &Connection, account: &Account) -> Result<(), StoreError> {
    let profile = Profile {
        user: account.user.clone(),
        name: account.username.clone().unwrap_or_else(|| account.user.as_str().to_owned()),
        avatar: None,
    };
    upsert_profile(connection, &profile, account.created)?;
    let inserted = connection
        .prepare_cached(
            "INSERT INTO accounts (user, email, email_key, username, username_key, password_hash, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            account.user.as_str(),
            account.email,
            key(&account.email),
            account.username,
            account.username.as_deref().map(key),
            account.password_hash,
            signed(account.created.0),
        ]);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) => Err(taken(&error).unwrap_or_else(|| error.into())),
    }
}

fn taken(error: &rusqlite::Error) -> Option<StoreError> {
    let columns = [("email_key", "email"), ("username_key", "username"), ("user", "id")];
    let (_, field) = columns
        .into_iter()
        .find(|(column, _)| fault::is_unique_violation(error, &format!("accounts.{column}")))?;
    Some(StoreError::Conflict { field })
}

/// The account whose `column`, one of the unique ones, has this value.
pub(super) fn find(
    connection: &Connection,
    column: &'static str,
    value: &str,
) -> Result<Option<Account>, StoreError> {
    let sql =
        format!("SELECT user, email, username, password_hash, created FROM accounts WHERE {column} = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([value], account).optional()?)
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        user: id(row, "user")?,
        email: row.get("email")?,
        username: row.get("username")?,
        password_hash: row.get("password_hash")?,
        created: time(row, "created")?,
    })
}

pub(super) fn upsert_profile(
    connection: &Connection,
    profile: &Profile,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Nothing is written, and so nothing waits for the disk, where nothing has changed.
    connection
        .prepare_cached(
            "INSERT INTO profiles (user, name, avatar, updated) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user) DO UPDATE
             SET name = excluded.name, avatar = excluded.avatar, updated = excluded.updated
             WHERE name IS NOT excluded.name OR avatar IS NOT excluded.avatar",
        )?
        .execute(params![profile.user.as_str(), profile.name, profile.avatar, signed(now.0)])?;
    Ok(())
}

/// Gives a user who was never here a profile that shows the id.
pub(super) fn ensure_profile(
    connection: &Connection,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO profiles (user, name, updated) VALUES (?1, ?1, ?2)")?
        .execute(params![user.as_str(), signed(now.0)])?;
    Ok(())
}

pub(super) fn profile(connection: &Connection, user: &UserId) -> Result<Option<Profile>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT user, name, avatar FROM profiles WHERE user = ?1")?
        .query_row([user.as_str()], |row| {
            Ok(Profile { user: id(row, "user")?, name: row.get("name")?, avatar: row.get("avatar")? })
        })
        .optional()?)
}

pub(super) fn create_session(connection: &Connection, session: &Session) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO sessions (session, user, user_agent, created, seen, ended)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            session.session.as_str(),
            session.user.as_str(),
            session.user_agent,
            signed(session.created.0),
            signed(session.seen.0),
            session.ended.map(|ended| signed(ended.0)),
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

const SESSION: &str = "SELECT session, user, user_agent, created, seen, ended FROM sessions";

pub(super) fn session(
    connection: &Connection,
    session_id: &SessionId,
) -> Result<Option<Session>, StoreError> {
    let sql = format!("{SESSION} WHERE session = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([session_id.as_str()], session_of_row).optional()?)
}

pub(super) fn sessions_of(
    connection: &Connection,
    user: &UserId,
    limit: usize,
) -> Result<Vec<Session>, StoreError> {
    let sql = format!("{SESSION} WHERE user = ?1 AND ended IS NULL ORDER BY created DESC, session LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![user.as_str(), signed(limit)], session_of_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn session_of_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        session: id(row, "session")?,
        user: id(row, "user")?,
        user_agent: row.get("user_agent")?,
        created: time(row, "created")?,
        seen: time(row, "seen")?,
        ended: optional_time(row, "ended")?,
    })
}

pub(super) fn touch_session(
    connection: &Connection,
    session: &SessionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE sessions SET seen = ?2 WHERE session = ?1 AND seen < ?2")?
        .execute(params![session.as_str(), signed(now.0)])?;
    Ok(())
}

pub(super) fn end_session(
    connection: &Connection,
    session: &SessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let ended = connection
        .prepare_cached("UPDATE sessions SET ended = ?2 WHERE session = ?1 AND ended IS NULL")?
        .execute(params![session.as_str(), signed(now.0)])?;
    Ok(ended > 0)
}
