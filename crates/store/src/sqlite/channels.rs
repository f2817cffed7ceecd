use roomkey_model::{ChannelId, Role, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Caps, SqliteStore, accounts,
    columns::{id, name, optional_time, seq, signed, time},
    fault, members, retention,
};
use crate::{Channel, ChannelChange, ChannelStore, Committed, Joined, Pending, Permit, Profile, StoreError};

impl ChannelStore for SqliteStore {
    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<(ChannelId, Role)>> {
        self.write(move |connection, _| {
            accounts::upsert_profile(connection, &profile, now)?;
            roles_of(connection, &profile.user)
        })
    }

    fn create_channel(&self, channel: Channel) -> Pending<()> {
        let caps = self.caps;
        self.write(move |connection, changes| create(connection, &channel, caps, changes))
    }

    fn channel(&self, channel: &ChannelId) -> Pending<Option<Channel>> {
        let channel = channel.clone();
        self.read(move |connection| find(connection, &channel))
    }

    fn channels_of(&self, user: &UserId, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Joined>> {
        let (user, after) = (user.clone(), after.cloned());
        self.read(move |connection| of(connection, &user, after.as_ref(), limit))
    }

    fn public_channels(&self, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Channel>> {
        let after = after.cloned();
        self.read(move |connection| public(connection, after.as_ref(), limit))
    }

    fn update_channel(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        change: ChannelChange,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Channel> {
        let (channel, actor) = (channel.clone(), actor.clone());
        self.write(move |connection, changes| {
            members::check_permit(connection, &channel, &actor, permit)?;
            update(connection, &channel, change, now, changes)
        })
    }
}

pub(super) fn create(
    connection: &Connection,
    channel: &Channel,
    caps: Caps,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO channels (channel, name, visibility, creator, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            channel.channel.as_str(),
            channel.name,
            channel.visibility.as_str(),
            channel.creator.as_str(),
            signed(channel.created.0),
        ]);
    match inserted {
        Ok(_) => {}
        Err(error) if fault::is_unique_violation(&error, "channels.channel") => {
            return Err(StoreError::Conflict { field: "id" });
        }
        Err(error) if fault::is_foreign_key_violation(&error) => return Err(StoreError::NotFound),
        Err(error) => return Err(error.into()),
    }
    let Channel { channel, creator, created, .. } = channel;
    members::add(connection, channel, creator, Role::Owner, *created, caps, changes)
}

/// Makes of a channel what `change` says.
pub(super) fn update(
    connection: &Connection,
    channel: &ChannelId,
    change: ChannelChange,
    now: Timestamp,
    changes: &mut Vec<Committed>,
) -> Result<Channel, StoreError> {
    let before = find(connection, channel)?.ok_or(StoreError::NotFound)?;
    let ChannelChange { name, visibility, archived, retention } = change;
    let after = Channel {
        name: name.unwrap_or_else(|| before.name.clone()),
        visibility: visibility.unwrap_or(before.visibility),
        archived: match archived {
            Some(true) => before.archived.or(Some(now)),
            Some(false) => None,
            None => before.archived,
        },
        retention: retention.unwrap_or(before.retention),
        ..before.clone()
    };
    if after != before {
        connection
            .prepare_cached(
                "UPDATE channels SET name = ?2, visibility = ?3, archived = ?4, max_age_s = ?5, max_messages = ?6
                 WHERE channel = ?1",
            )?
            .execute(params![
                channel.as_str(),
                after.name,
                after.visibility.as_str(),
                after.archived.map(|time| signed(time.0)),
                after.retention.max_age_s.map(signed),
                after.retention.max_messages.map(signed),
            ])?;
        changes.push(Committed::ChannelUpdated(after.clone()));
    }
    Ok(after)
}

const CHANNEL: &str =
    "SELECT channel, name, visibility, creator, created, last_seq, archived, max_age_s, max_messages
    FROM channels";

pub(super) fn find(connection: &Connection, channel: &ChannelId) -> Result<Option<Channel>, StoreError> {
    let sql = format!("{CHANNEL} WHERE channel = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([channel.as_str()], channel_of_row).optional()?)
}

pub(super) fn public(
    connection: &Connection,
    after: Option<&ChannelId>,
    limit: usize,
) -> Result<Vec<Channel>, StoreError> {
    let sql = format!("{CHANNEL} WHERE visibility = 'public' AND channel > ?1 ORDER BY channel LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let after = after.map_or("", ChannelId::as_str);
    let rows = statement.query_map(params![after, signed(limit)], channel_of_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn of(
    connection: &Connection,
    user: &UserId,
    after: Option<&ChannelId>,
    limit: usize,
) -> Result<Vec<Joined>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, name, visibility, creator, created, last_seq, archived, max_age_s, max_messages, role
         FROM members JOIN channels USING (channel)
         WHERE user = ?1 AND channel > ?2 ORDER BY channel LIMIT ?3",
    )?;
    let after = after.map_or("", ChannelId::as_str);
    let rows = statement.query_map(params![user.as_str(), after, signed(limit)], |row| {
        Ok(Joined { channel: channel_of_row(row)?, role: name(row, "role")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn roles_of(connection: &Connection, user: &UserId) -> Result<Vec<(ChannelId, Role)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT channel, role FROM members WHERE user = ?1 ORDER BY channel")?;
    let rows = statement.query_map([user.as_str()], |row| Ok((id(row, "channel")?, name(row, "role")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn channel_of_row(row: &Row<'_>) -> rusqlite::Result<Channel> {
    Ok(Channel {
        channel: id(row, "channel")?,
        name: row.get("name")?,
        visibility: name(row, "visibility")?,
        creator: id(row, "creator")?,
        created: time(row, "created")?,
        last_seq: seq(row, "last_seq")?,
        archived: optional_time(row, "archived")?,
        retention: retention::of_row(row)?,
    })
}
