use roomkey_model::{SessionId, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore,
    columns::{id, signed, time},
    fault, revocations, search,
    sessions::{self, Which},
};
use crate::{Account, AccountStore, Pending, Profile, Revoke, StoreError};

impl AccountStore for SqliteStore {
    fn create_account(&self, account: Account) -> Pending<()> {
        self.write(move |connection, _| create(connection, &account))
    }

    fn account_by_email(&self, email: &str) -> Pending<Option<Account>> {
        let key = key(email);
        self.read(move |connection| find(connection, "email_key", &key))
    }

    fn account_by_username(&self, username: &str) -> Pending<Option<Account>> {
        let key = key(username);
        self.read(move |connection| find(connection, "username_key", &key))
    }

    fn account(&self, user: &UserId) -> Pending<Option<Account>> {
        let user = user.clone();
        self.read(move |connection| find(connection, "user", user.as_str()))
    }

    fn accounts(&self, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>> {
        let after = after.cloned();
        self.read(move |connection| list(connection, after.as_ref(), limit))
    }

    fn find_accounts(&self, text: &str, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>> {
        let (text, after) = (text.to_owned(), after.cloned());
        self.read(move |connection| search::find(connection, &text, after.as_ref(), limit))
    }

    fn count_accounts(&self, text: &str) -> Pending<usize> {
        let text = text.to_owned();
        self.read(move |connection| search::count(connection, &text))
    }

    fn rehash_password(&self, user: &UserId, old: &str, new: String) -> Pending<()> {
        let (user, old) = (user.clone(), old.to_owned());
        self.write(move |connection, _| replace_password(connection, &user, &old, &new))
    }

    fn change_password(
        &self,
        user: &UserId,
        old: &str,
        new: String,
        except: Option<&SessionId>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize> {
        let (user, old, except) = (user.clone(), old.to_owned(), except.cloned());
        self.write(move |connection, changes| {
            replace_password(connection, &user, &old, &new)?;
            let which = Which { except: except.as_ref(), began_by: None };
            sessions::end_all(connection, &user, &which, now, revoke, changes)
        })
    }

    fn profile(&self, user: &UserId) -> Pending<Option<Profile>> {
        let user = user.clone();
        self.read(move |connection| profile(connection, &user))
    }
}

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

pub(super) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        user: id(row, "user")?,
        email: row.get("email")?,
        username: row.get("username")?,
        password_hash: row.get("password_hash")?,
        created: time(row, "created")?,
    })
}

/// Refuses a login that was begun with a password that is not the account's any more, or before the user was blocked.
pub(super) fn permit_login(
    connection: &Connection,
    user: &UserId,
    password_hash: &str,
) -> Result<(), StoreError> {
    let current: Option<String> = connection
        .prepare_cached("SELECT password_hash FROM accounts WHERE user = ?1")?
        .query_row([user.as_str()], |row| row.get(0))
        .optional()?;
    if current.ok_or(StoreError::NotFound)? != password_hash || revocations::is_blocked(connection, user)? {
        return Err(StoreError::Denied);
    }
    Ok(())
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

/// Some accounts, by user id, after `after`.
pub(super) fn list(
    connection: &Connection,
    after: Option<&UserId>,
    limit: usize,
) -> Result<Vec<Account>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user, email, username, password_hash, created FROM accounts WHERE user > ?1 ORDER BY user LIMIT ?2",
    )?;
    let after = after.map_or("", UserId::as_str);
    let rows = statement.query_map(params![after, signed(limit)], account)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Replaces the password's hash if it still is `old`.
pub(super) fn replace_password(
    connection: &Connection,
    user: &UserId,
    old: &str,
    new: &str,
) -> Result<(), StoreError> {
    let replaced = connection
        .prepare_cached("UPDATE accounts SET password_hash = ?3 WHERE user = ?1 AND password_hash = ?2")?
        .execute([user.as_str(), old, new])?;
    if replaced > 0 { Ok(()) } else { Err(StoreError::Conflict { field: "password" }) }
}
