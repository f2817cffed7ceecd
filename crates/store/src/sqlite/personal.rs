use roomkey_model::{ChannelId, Role, Timestamp, UserId, Visibility};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore, accounts, channels,
    columns::{count, id, name, seq, signed, time},
    fault, members, messages, outbox,
    sessions::{self, Which},
};
use crate::{
    ChannelChange, Committed, ERASED, Erased, MembershipData, Message, Pending, PersonalData, PersonalStore,
    Revoke, SentAt, StoreError, Watermarks,
};

impl PersonalStore for SqliteStore {
    fn personal_data(&self, user: &UserId) -> Pending<Option<PersonalData>> {
        let user = user.clone();
        self.read(move |connection| data(connection, &user))
    }

    fn messages_from(&self, user: &UserId, after: Option<SentAt>, limit: usize) -> Pending<Vec<Message>> {
        let user = user.clone();
        self.read(move |connection| messages::from(connection, &user, after.as_ref(), limit))
    }

    fn erase(&self, user: &UserId, now: Timestamp, revoke: Revoke) -> Pending<Erased> {
        let user = user.clone();
        self.write(move |connection, changes| erase(connection, &user, now, revoke, changes))
    }

    fn erase_messages(&self, now: Timestamp, limit: usize) -> Pending<Option<usize>> {
        self.write(move |connection, changes| erase_messages(connection, now, limit, changes))
    }
}

fn data(connection: &Connection, user: &UserId) -> Result<Option<PersonalData>, StoreError> {
    let Some(profile) = accounts::profile(connection, user)? else { return Ok(None) };
    Ok(Some(PersonalData {
        profile,
        account: accounts::find(connection, "user", user.as_str())?,
        last_seen: connection
            .prepare_cached("SELECT seen FROM last_seen WHERE user = ?1")?
            .query_row([user.as_str()], |row| time(row, "seen"))
            .optional()?,
        sessions: sessions::all_of(connection, user)?,
        memberships: memberships(connection, user)?,
        messages: connection
            .prepare_cached("SELECT count(*) AS messages FROM messages WHERE sender = ?1")?
            .query_row([user.as_str()], |row| count(row, "messages"))?,
        created: connection
            .prepare_cached("SELECT channel FROM channels WHERE creator = ?1 ORDER BY channel")?
            .query_map([user.as_str()], |row| id(row, "channel"))?
            .collect::<Result<_, _>>()?,
    }))
}

fn memberships(connection: &Connection, user: &UserId) -> Result<Vec<MembershipData>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, name, role, joined, delivered_seq, seen_seq
         FROM members JOIN channels USING (channel) WHERE user = ?1 ORDER BY channel",
    )?;
    let rows = statement.query_map([user.as_str()], |row| {
        Ok(MembershipData {
            channel: id(row, "channel")?,
            name: row.get("name")?,
            role: name(row, "role")?,
            joined: time(row, "joined")?,
            watermarks: Watermarks { delivered: seq(row, "delivered_seq")?, seen: seq(row, "seen_seq")? },
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn erase(
    connection: &Connection,
    user: &UserId,
    now: Timestamp,
    revoke: Revoke,
    changes: &mut Vec<Committed>,
) -> Result<Erased, StoreError> {
    if user.as_str() == ERASED || accounts::profile(connection, user)?.is_none() {
        return Err(StoreError::NotFound);
    }
    let execute = |sql: &str| -> Result<usize, StoreError> {
        Ok(connection.prepare_cached(sql)?.execute([user.as_str()])?)
    };
    let which = Which { except: None, began_by: None };
    sessions::end_all(connection, user, &which, now, revoke, changes)?;
    execute("DELETE FROM accounts WHERE user = ?1")?; // and its sessions
    execute("DELETE FROM last_seen WHERE user = ?1")?;
    execute("DELETE FROM invites WHERE inviter = ?1 OR user = ?1")?;
    outbox::forget(connection, user)?;
    let mut deserted = Vec::new();
    let mut erased = Erased { channels: 0, inherited: Vec::new() };
    for membership in memberships(connection, user)? {
        erased.channels += 1;
        let channel = membership.channel;
        if membership.role == Role::Owner && !has_other_owner(connection, &channel, user)? {
            match heir(connection, &channel, user)? {
                Some((heir, role)) => {
                    members::change_role(connection, &channel, &heir, (role, Role::Owner), changes)?;
                    erased.inherited.push((channel.clone(), heir));
                }
                None => deserted.push(channel.clone()),
            }
        }
        connection
            .prepare_cached("DELETE FROM members WHERE channel = ?1 AND user = ?2")?
            .execute([channel.as_str(), user.as_str()])?;
        let members = members::count(connection, &channel)?;
        changes.push(Committed::MemberRemoved { channel, user: user.clone(), members });
    }
    connection
        .prepare_cached("INSERT OR IGNORE INTO profiles (user, name, updated) VALUES (?1, 'erased', ?2)")?
        .execute(params![ERASED, signed(now.0)])?;
    connection
        .prepare_cached("UPDATE channels SET creator = ?2 WHERE creator = ?1")?
        .execute([user.as_str(), ERASED])?;
    for channel in deserted {
        close(connection, &channel, now, changes)?;
    }
    connection
        .prepare_cached("UPDATE profiles SET name = 'erased', avatar = NULL, updated = ?2 WHERE user = ?1")?
        .execute(params![user.as_str(), signed(now.0)])?;
    // The user may have sent something since `now` was read, or the clock was set back: the newest of all messages, as ids
    // made later sort later, is no older than the user's newest.
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO erasures (user, requested)
             VALUES (?1, max(?2, coalesce((SELECT created FROM messages ORDER BY message DESC LIMIT 1), 0)))",
        )?
        .execute(params![user.as_str(), signed(now.0)])?;
    Ok(erased)
}

/// Nobody is left who could let anybody in, or close it.
fn close(
    connection: &Connection,
    channel: &ChannelId,
    now: Timestamp,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    let change = ChannelChange {
        visibility: Some(Visibility::Private),
        archived: Some(true),
        ..ChannelChange::default()
    };
    channels::update(connection, channel, change, now, changes)?;
    Ok(())
}

fn has_other_owner(connection: &Connection, channel: &ChannelId, user: &UserId) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM members WHERE channel = ?1 AND role = 'owner' AND user <> ?2)",
        )?
        .query_row([channel.as_str(), user.as_str()], |row| row.get(0))?)
}

/// Who owns the channel next, if anybody is left, and is what now.
fn heir(
    connection: &Connection,
    channel: &ChannelId,
    owner: &UserId,
) -> Result<Option<(UserId, Role)>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT user, role FROM members WHERE channel = ?1 AND user <> ?2
             ORDER BY CASE role WHEN 'moderator' THEN 0 WHEN 'member' THEN 1 ELSE 2 END, joined, user LIMIT 1",
        )?
        .query_row([channel.as_str(), owner.as_str()], |row| {
            Ok((id::<UserId>(row, "user")?, name::<Role>(row, "role")?))
        })
        .optional()?)
}

fn erase_messages(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
    changes: &mut Vec<Committed>,
) -> Result<Option<usize>, StoreError> {
    let next: Option<(String, i64)> = connection
        .prepare_cached("SELECT user, requested FROM erasures LIMIT 1")?
        .query_row([], |row| Ok((row.get("user")?, row.get("requested")?)))
        .optional()?;
    let Some((user, requested)) = next else { return Ok(None) };
    // Somebody of the same name may be here since: what is newer is theirs.
    let places: Vec<(String, i64, bool)> = connection
        .prepare_cached(
            "SELECT channel, seq, deleted IS NULL FROM messages WHERE sender = ?1 AND created <= ?2 LIMIT ?3",
        )?
        .query_map(params![user, requested, signed(limit)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    for (channel, seq, is_news) in &places {
        let id = connection
            .prepare_cached(
                "UPDATE messages
                 SET sender = ?3, content = '', client_id = NULL, updated = max(updated, ?4), edited = NULL,
                     deleted = coalesce(deleted, max(updated, ?4))
                 WHERE channel = ?1 AND seq = ?2 RETURNING message",
            )?
            .query_row(params![channel, seq, ERASED, signed(now.0)], |row| {
                super::columns::message_id(row, "message")
            })?;
        if *is_news && let Some(message) = messages::find(connection, id)? {
            changes.push(Committed::MessageDeleted(message));
        }
    }
    if places.len() < limit {
        connection.prepare_cached("DELETE FROM erasures WHERE user = ?1")?.execute([&user])?;
        // Unless somebody of the same name is here since.
        match connection.prepare_cached("DELETE FROM profiles WHERE user = ?1")?.execute([&user]) {
            Err(error) if fault::is_foreign_key_violation(&error) => {}
            outcome => {
                outcome?;
            }
        }
    }
    Ok(Some(places.len()))
}
