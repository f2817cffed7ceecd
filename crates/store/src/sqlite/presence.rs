use roomkey_model::{ChannelId, Limit, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore, channels,
    columns::{id, optional_time, signed},
    members,
};
use crate::{Committed, HearingPermit, LastSeen, Pending, Permit, PresenceChange, PresenceStore, StoreError};

impl PresenceStore for SqliteStore {
    fn record_presence(&self, presence: Vec<PresenceChange>, members_max: usize) -> Pending<()> {
        self.write(move |connection, changes| {
            for change in presence {
                record(connection, &change)?;
                let channels = channels_to_tell(connection, &change.user, members_max)?;
                changes.push(Committed::PresenceChanged { change, channels });
            }
            Ok(())
        })
    }

    fn last_seen_of(
        &self,
        reader: &UserId,
        users: Vec<UserId>,
        permit: HearingPermit,
    ) -> Pending<Vec<LastSeen>> {
        let reader = reader.clone();
        self.read(move |connection| last_seen_of(connection, &reader, &users, &permit))
    }

    fn last_seen_in(
        &self,
        channel: &ChannelId,
        reader: &UserId,
        members_max: usize,
        permit: Permit,
    ) -> Pending<Vec<LastSeen>> {
        let (channel, reader) = (channel.clone(), reader.clone());
        self.read(move |connection| {
            members::check_permit(connection, &channel, &reader, permit)?;
            last_seen_in(connection, &channel, members_max)
        })
    }
}

/// A user without a profile, as one that was erased, leaves no trace.
fn record(connection: &Connection, change: &PresenceChange) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO last_seen (user, seen) SELECT user, ?2 FROM profiles WHERE user = ?1
             ON CONFLICT (user) DO UPDATE SET seen = max(seen, excluded.seen)",
        )?
        .execute(params![change.user.as_str(), signed(change.at.0)])?;
    Ok(())
}

fn channels_to_tell(
    connection: &Connection,
    user: &UserId,
    members_max: usize,
) -> Result<Vec<ChannelId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT channel FROM members JOIN channels USING (channel)
         WHERE user = ?1 AND member_count BETWEEN 2 AND ?2 ORDER BY channel",
    )?;
    let rows = statement.query_map(params![user.as_str(), signed(members_max)], |row| id(row, "channel"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn last_seen_of(
    connection: &Connection,
    reader: &UserId,
    users: &[UserId],
    permit: &HearingPermit,
) -> Result<Vec<LastSeen>, StoreError> {
    let mut heard = channels::roles_of(connection, reader)?;
    heard.retain(|(channel, role)| permit(channel, *role));
    let mut is_member =
        connection.prepare_cached("SELECT 1 FROM members WHERE channel = ?1 AND user = ?2")?;
    let mut last_seen = connection
        .prepare_cached("SELECT seen FROM profiles LEFT JOIN last_seen USING (user) WHERE user = ?1")?;
    let mut found = Vec::new();
    for user in users {
        let mut is_shared = user == reader;
        for (channel, _) in &heard {
            if is_shared {
                break;
            }
            is_shared = is_member.exists([channel.as_str(), user.as_str()])?;
        }
        if !is_shared {
            continue;
        }
        let seen = last_seen.query_row([user.as_str()], |row| optional_time(row, "seen"));
        if let Some(at) = seen.optional()? {
            found.push(LastSeen { user: user.clone(), at });
        }
    }
    Ok(found)
}

fn last_seen_in(
    connection: &Connection,
    channel: &ChannelId,
    members_max: usize,
) -> Result<Vec<LastSeen>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user, seen FROM members LEFT JOIN last_seen USING (user)
         WHERE channel = ?1 ORDER BY user LIMIT ?2",
    )?;
    let rows = statement
        .query_map(params![channel.as_str(), signed(members_max.saturating_add(1))], |row| {
            Ok(LastSeen { user: id(row, "user")?, at: optional_time(row, "seen")? })
        })?;
    let members: Vec<_> = rows.collect::<Result<_, _>>()?;
    match members.len() > members_max {
        true => Err(StoreError::Limit { limit: Limit::PresenceMembers }),
        false => Ok(members),
    }
}
