use roomkey_model::{ChannelId, Limit, Role, Timestamp, UserId, Visibility};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore, accounts,
    columns::{id, name, seq, signed, time},
    fault,
};
use crate::{
    Channel, ChannelStore, Committed, Joined, Member, MemberPermit, Pending, Permit, Profile, Standing,
    StoreError,
};

impl ChannelStore for SqliteStore {
    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<ChannelId>> {
        self.write(move |connection, _| {
            accounts::upsert_profile(connection, &profile, now)?;
            ids_of(connection, &profile.user)
        })
    }

    fn create_channel(&self, channel: Channel) -> Pending<()> {
        let channels_per_user = self.channels_per_user;
        self.write(move |connection, changes| create(connection, &channel, channels_per_user, changes))
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

    fn standing(&self, channel: &ChannelId, user: &UserId) -> Pending<Option<Standing>> {
        let (channel, user) = (channel.clone(), user.clone());
        self.read(move |connection| standing(connection, &channel, &user))
    }

    fn join_channel(
        &self,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Role> {
        let (channel, user, channels_per_user) = (channel.clone(), user.clone(), self.channels_per_user);
        self.write(move |connection, changes| {
            let standing = standing(connection, &channel, &user)?.ok_or(StoreError::NotFound)?;
            if let Some(role) = standing.role {
                return Ok(role);
            }
            if !permit(standing) {
                return Err(StoreError::Denied);
            }
            add_member(connection, &channel, &user, role, now, channels_per_user, changes)?;
            Ok(role)
        })
    }

    fn add_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: MemberPermit,
    ) -> Pending<()> {
        let (channel, actor, user) = (channel.clone(), actor.clone(), user.clone());
        let channels_per_user = self.channels_per_user;
        self.write(move |connection, changes| {
            check_member_permit(connection, &channel, &actor, &user, permit)?;
            accounts::ensure_profile(connection, &user, now)?;
            add_member(connection, &channel, &user, role, now, channels_per_user, changes)
        })
    }

    fn remove_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        permit: MemberPermit,
    ) -> Pending<bool> {
        let (channel, actor, user) = (channel.clone(), actor.clone(), user.clone());
        self.write(move |connection, changes| {
            check_member_permit(connection, &channel, &actor, &user, permit)?;
            remove_member(connection, &channel, &user, changes)
        })
    }

    fn members(
        &self,
        channel: &ChannelId,
        reader: &UserId,
        after: Option<&UserId>,
        limit: usize,
        permit: Permit,
    ) -> Pending<Vec<Member>> {
        let (channel, reader, after) = (channel.clone(), reader.clone(), after.cloned());
        self.read(move |connection| {
            check_permit(connection, &channel, &reader, permit)?;
            members(connection, &channel, after.as_ref(), limit)
        })
    }
}

pub(super) fn create(
    connection: &Connection,
    channel: &Channel,
    channels_per_user: usize,
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
    add_member(connection, channel, creator, Role::Owner, *created, channels_per_user, changes)
}

const CHANNEL: &str = "SELECT channel, name, visibility, creator, created, last_seq FROM channels";

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
        "SELECT channel, name, visibility, creator, created, last_seq, role
         FROM members JOIN channels USING (channel)
         WHERE user = ?1 AND channel > ?2 ORDER BY channel LIMIT ?3",
    )?;
    let after = after.map_or("", ChannelId::as_str);
    let rows = statement.query_map(params![user.as_str(), after, signed(limit)], |row| {
        Ok(Joined { channel: channel_of_row(row)?, role: name(row, "role")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn ids_of(connection: &Connection, user: &UserId) -> Result<Vec<ChannelId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT channel FROM members WHERE user = ?1 ORDER BY channel")?;
    let rows = statement.query_map([user.as_str()], |row| id(row, "channel"))?;
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
    })
}

pub(super) fn standing(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
) -> Result<Option<Standing>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT visibility, role FROM channels
             LEFT JOIN members ON members.channel = channels.channel AND user = ?2
             WHERE channels.channel = ?1",
        )?
        .query_row([channel.as_str(), user.as_str()], |row| {
            let role = match row.get_ref("role")?.as_str_or_null()? {
                Some(_) => Some(name::<Role>(row, "role")?),
                None => None,
            };
            Ok(Standing {
                channel: channel.clone(),
                visibility: name::<Visibility>(row, "visibility")?,
                role,
            })
        })
        .optional()?)
}

/// Asks `permit` about a user and a channel that must exist.
pub(super) fn check_permit(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    permit: Permit,
) -> Result<(), StoreError> {
    let standing = standing(connection, channel, user)?.ok_or(StoreError::NotFound)?;
    if permit(standing) { Ok(()) } else { Err(StoreError::Denied) }
}

/// Asks `permit` about what `actor` wants to do to the membership of `user`.
pub(super) fn check_member_permit(
    connection: &Connection,
    channel: &ChannelId,
    actor: &UserId,
    user: &UserId,
    permit: MemberPermit,
) -> Result<(), StoreError> {
    let actor = standing(connection, channel, actor)?.ok_or(StoreError::NotFound)?;
    let role = standing(connection, channel, user)?.and_then(|standing| standing.role);
    if permit(actor, role) { Ok(()) } else { Err(StoreError::Denied) }
}

pub(super) fn add_member(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    role: Role,
    now: Timestamp,
    channels_per_user: usize,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    let written = connection
        .prepare_cached(
            "INSERT INTO members (channel, user, role, joined) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (channel, user) DO UPDATE SET role = excluded.role WHERE role <> excluded.role",
        )?
        .execute(params![channel.as_str(), user.as_str(), role.as_str(), signed(now.0)]);
    match written {
        Ok(_) => {}
        Err(error) if fault::is_foreign_key_violation(&error) => return Err(StoreError::NotFound),
        Err(error) => return Err(error.into()),
    }
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM members WHERE user = ?1")?
        .query_row([user.as_str()], |row| row.get(0))?;
    if count > signed(channels_per_user) {
        return Err(StoreError::Limit { limit: Limit::ChannelsPerUser });
    }
    changes.push(Committed::MemberAdded { channel: channel.clone(), user: user.clone(), role });
    Ok(())
}

pub(super) fn remove_member(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    changes: &mut Vec<Committed>,
) -> Result<bool, StoreError> {
    let removed = connection
        .prepare_cached("DELETE FROM members WHERE channel = ?1 AND user = ?2")?
        .execute([channel.as_str(), user.as_str()])?;
    if removed > 0 {
        changes.push(Committed::MemberRemoved { channel: channel.clone(), user: user.clone() });
    }
    Ok(removed > 0)
}

pub(super) fn members(
    connection: &Connection,
    channel: &ChannelId,
    after: Option<&UserId>,
    limit: usize,
) -> Result<Vec<Member>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user, name, avatar, role, joined FROM members JOIN profiles USING (user)
         WHERE channel = ?1 AND user > ?2 ORDER BY user LIMIT ?3",
    )?;
    let after = after.map_or("", UserId::as_str);
    let rows = statement.query_map(params![channel.as_str(), after, signed(limit)], |row| {
        Ok(Member {
            profile: Profile { user: id(row, "user")?, name: row.get("name")?, avatar: row.get("avatar")? },
            role: name(row, "role")?,
            joined: time(row, "joined")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
