use roomkey_model::{ChannelId, Limit, Role, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    SqliteStore, accounts, channels,
    columns::{id, name, signed},
    members,
};
use crate::{Invite, InviteStore, Joined, Pending, Permit, StoreError};

impl InviteStore for SqliteStore {
    fn create_invite(
        &self,
        invite: Invite,
        invites_max: usize,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<()> {
        self.write(move |connection, _| {
            members::check_permit(connection, &invite.channel, &invite.inviter, permit)?;
            create(connection, &invite, invites_max, now)
        })
    }

    fn use_invite(&self, digest: [u8; 32], user: &UserId, now: Timestamp, permit: Permit) -> Pending<Joined> {
        let (user, caps) = (user.clone(), self.caps);
        self.write(move |connection, changes| {
            let (channel, role) = find(connection, &digest, &user, now)?.ok_or(StoreError::NotFound)?;
            let standing = members::place(connection, &channel, &user)?.ok_or(StoreError::NotFound)?.standing;
            let before = standing.role;
            if !permit(standing) {
                return Err(StoreError::Denied);
            }
            if before.is_none() {
                accounts::ensure_profile(connection, &user, now)?;
                members::add(connection, &channel, &user, role, now, caps, changes)?;
                use_up(connection, &digest)?;
            }
            let channel = channels::find(connection, &channel)?.ok_or(StoreError::NotFound)?;
            Ok(Joined { channel, role: before.unwrap_or(role) })
        })
    }
}

fn create(
    connection: &Connection,
    invite: &Invite,
    invites_max: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    let channel = invite.channel.as_str();
    connection
        .prepare_cached("DELETE FROM invites WHERE channel = ?1 AND ends <= ?2")?
        .execute(params![channel, signed(now.0)])?;
    let count: i64 = connection
        .prepare_cached("SELECT count(*) FROM invites WHERE channel = ?1")?
        .query_row([channel], |row| row.get(0))?;
    if count >= signed(invites_max) {
        return Err(StoreError::Limit { limit: Limit::InvitesPerChannel });
    }
    connection
        .prepare_cached(
            "INSERT INTO invites (digest, channel, inviter, user, role, uses, ends)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            invite.digest,
            channel,
            invite.inviter.as_str(),
            invite.user.as_ref().map(UserId::as_str),
            invite.role.as_str(),
            invite.uses,
            signed(invite.ends.0),
        ])?;
    Ok(())
}

/// Where an invite that is good for `user` leads, and as what.
fn find(
    connection: &Connection,
    digest: &[u8; 32],
    user: &UserId,
    now: Timestamp,
) -> Result<Option<(ChannelId, Role)>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT channel, role FROM invites
             WHERE digest = ?1 AND (user IS NULL OR user = ?2) AND ends > ?3",
        )?
        .query_row(params![digest, user.as_str(), signed(now.0)], |row| {
            Ok((id(row, "channel")?, name(row, "role")?))
        })
        .optional()?)
}

fn use_up(connection: &Connection, digest: &[u8; 32]) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM invites WHERE digest = ?1 AND uses <= 1")?.execute([digest])?;
    connection.prepare_cached("UPDATE invites SET uses = uses - 1 WHERE digest = ?1")?.execute([digest])?;
    Ok(())
}

/// Forgets the invites that a member has made.
pub(super) fn withdraw(
    connection: &Connection,
    channel: &ChannelId,
    inviter: &UserId,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM invites WHERE channel = ?1 AND inviter = ?2")?
        .execute([channel.as_str(), inviter.as_str()])?;
    Ok(())
}
