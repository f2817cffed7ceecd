use roomkey_model::{ChannelId, Limit, Role, Seq, Timestamp, UserId, Visibility};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Caps, SqliteStore, accounts, channels,
    columns::{id, name, seq, signed, time},
    fault, invites,
};
use crate::{
    Committed, Joined, Member, MemberPermit, MemberStore, Pending, Permit, Profile, Standing, StoreError,
};

impl MemberStore for SqliteStore {
    fn standing(&self, channel: &ChannelId, user: &UserId) -> Pending<Option<Standing>> {
        let (channel, user) = (channel.clone(), user.clone());
        self.read(move |connection| Ok(place(connection, &channel, &user)?.map(|place| place.standing)))
    }

    fn join_channel(
        &self,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Joined> {
        let (channel, user, caps) = (channel.clone(), user.clone(), self.caps);
        self.write(move |connection, changes| {
            let standing = place(connection, &channel, &user)?.ok_or(StoreError::NotFound)?.standing;
            let before = standing.role;
            if before.is_none() {
                if !permit(standing) {
                    return Err(StoreError::Denied);
                }
                add(connection, &channel, &user, role, now, caps, changes)?;
            }
            let channel = channels::find(connection, &channel)?.ok_or(StoreError::NotFound)?;
            Ok(Joined { channel, role: before.unwrap_or(role) })
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
    ) -> Pending<Option<Role>> {
        let (channel, actor, user) = (channel.clone(), actor.clone(), user.clone());
        let caps = self.caps;
        self.write(move |connection, changes| {
            let before = check_member_permit(connection, &channel, &actor, &user, permit)?;
            match before {
                Some(before) => change_role(connection, &channel, &user, (before, role), changes)?,
                None => {
                    accounts::ensure_profile(connection, &user, now)?;
                    add(connection, &channel, &user, role, now, caps, changes)?;
                }
            }
            Ok(before)
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
            match check_member_permit(connection, &channel, &actor, &user, permit)? {
                Some(before) => remove(connection, &channel, &user, before, changes).map(|()| true),
                None => Ok(false),
            }
        })
    }

    fn count_members(&self, channel: &ChannelId) -> Pending<usize> {
        let channel = channel.clone();
        self.read(move |connection| count(connection, &channel))
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
            page(connection, &channel, after.as_ref(), limit)
        })
    }
}

/// Where a user is in a channel that exists.
pub(super) struct Place {
    pub(super) standing: Standing,
    /// Nothing can be sent.
    pub(super) is_archived: bool,
    /// The newest message when the user became a member.
    pub(super) joined_seq: Seq,
}

pub(super) fn place(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
) -> Result<Option<Place>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT visibility, archived IS NOT NULL AS is_archived, role, coalesce(joined_seq, 0) AS joined_seq
             FROM channels LEFT JOIN members ON members.channel = channels.channel AND user = ?2
             WHERE channels.channel = ?1",
        )?
        .query_row([channel.as_str(), user.as_str()], |row| {
            let role = match row.get_ref("role")?.as_str_or_null()? {
                Some(_) => Some(name::<Role>(row, "role")?),
                None => None,
            };
            Ok(Place {
                standing: Standing { channel: channel.clone(), visibility: name::<Visibility>(row, "visibility")?, role },
                is_archived: row.get("is_archived")?,
                joined_seq: seq(row, "joined_seq")?,
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
) -> Result<Place, StoreError> {
    let place = place(connection, channel, user)?.ok_or(StoreError::NotFound)?;
    if permit(place.standing.clone()) { Ok(place) } else { Err(StoreError::Denied) }
}

/// Asks `permit` about what `actor` wants to do to the membership of `user`; gives the role that `user` has.
pub(super) fn check_member_permit(
    connection: &Connection,
    channel: &ChannelId,
    actor: &UserId,
    user: &UserId,
    permit: MemberPermit,
) -> Result<Option<Role>, StoreError> {
    let actor = place(connection, channel, actor)?.ok_or(StoreError::NotFound)?;
    let role = place(connection, channel, user)?.and_then(|place| place.standing.role);
    if permit(actor.standing, role) { Ok(role) } else { Err(StoreError::Denied) }
}

/// Makes `user`, who is none yet, a member.
pub(super) fn add(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    role: Role,
    now: Timestamp,
    caps: Caps,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO members (channel, user, role, joined, joined_seq, delivered_seq, seen_seq)
             SELECT ?1, ?2, ?3, ?4, last_seq, last_seq, last_seq
             FROM (SELECT (SELECT last_seq FROM channels WHERE channel = ?1) AS last_seq)",
        )?
        .execute(params![channel.as_str(), user.as_str(), role.as_str(), signed(now.0)]);
    match inserted {
        Ok(_) => {}
        Err(error) if fault::is_foreign_key_violation(&error) => return Err(StoreError::NotFound),
        Err(error) => return Err(error.into()),
    }
    let channels: i64 = connection
        .prepare_cached("SELECT count(*) FROM members WHERE user = ?1")?
        .query_row([user.as_str()], |row| row.get(0))?;
    if channels > signed(caps.channels_per_user) {
        return Err(StoreError::Limit { limit: Limit::ChannelsPerUser });
    }
    let members = count(connection, channel)?;
    if members > caps.members_per_channel {
        return Err(StoreError::Limit { limit: Limit::MembersPerChannel });
    }
    let (channel, user) = (channel.clone(), user.clone());
    changes.push(Committed::MemberAdded { channel, user, role, before: None, members });
    Ok(())
}

/// How many members a channel has: none if there is no such channel.
pub(super) fn count(connection: &Connection, channel: &ChannelId) -> Result<usize, StoreError> {
    let count: Option<i64> = connection
        .prepare_cached("SELECT member_count FROM channels WHERE channel = ?1")?
        .query_row([channel.as_str()], |row| row.get(0))
        .optional()?;
    Ok(usize::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// Gives a member another role.
pub(super) fn change_role(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    (before, after): (Role, Role),
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    if after == before {
        return Ok(());
    }
    if after < before {
        invites::withdraw(connection, channel, user)?;
    }
    connection.prepare_cached("UPDATE members SET role = ?3 WHERE channel = ?1 AND user = ?2")?.execute([
        channel.as_str(),
        user.as_str(),
        after.as_str(),
    ])?;
    if before == Role::Owner {
        check_owner(connection, channel)?;
    }
    changes.push(Committed::MemberAdded {
        channel: channel.clone(),
        user: user.clone(),
        role: after,
        before: Some(before),
        members: count(connection, channel)?,
    });
    Ok(())
}

fn remove(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    before: Role,
    changes: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM members WHERE channel = ?1 AND user = ?2")?
        .execute([channel.as_str(), user.as_str()])?;
    invites::withdraw(connection, channel, user)?;
    if before == Role::Owner {
        check_owner(connection, channel)?;
    }
    let members = count(connection, channel)?;
    changes.push(Committed::MemberRemoved { channel: channel.clone(), user: user.clone(), members });
    Ok(())
}

/// Refuses, and so undoes, what has taken from a channel its last owner. A channel may be without one for another reason.
fn check_owner(connection: &Connection, channel: &ChannelId) -> Result<(), StoreError> {
    let has_owner: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM members WHERE channel = ?1 AND role = 'owner')")?
        .query_row([channel.as_str()], |row| row.get(0))?;
    if has_owner { Ok(()) } else { Err(StoreError::LastOwner) }
}

fn page(
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
