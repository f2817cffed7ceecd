use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore,
    columns::{count, id, message_id, optional_time, seq, signed, time},
    members, waiting,
};
use crate::{
    Committed, DeliveryStatus, HearingPermit, Mark, Marked, MessageStatus, Others, Passed, Pending, Permit,
    Progress, Receipt, RecipientStatus, StatusQuery, StoreError, Undelivered, Waiting, WatermarkStore,
    Watermarks,
};

impl WatermarkStore for SqliteStore {
    fn mark(&self, mark: Mark, permit: Permit) -> Pending<Marked> {
        self.write(move |connection, changes| self::mark(connection, &mark, permit, changes))
    }

    fn message_status(&self, query: StatusQuery, permit: Permit) -> Pending<MessageStatus> {
        self.read(move |connection| message_status(connection, &query, permit))
    }

    fn progress(&self, channel: &ChannelId, user: &UserId, receipt_members: usize) -> Pending<Progress> {
        let (channel, user) = (channel.clone(), user.clone());
        self.read(move |connection| progress(connection, &channel, &user, receipt_members))
    }

    fn waiting(&self, user: &UserId, counted: usize, permit: HearingPermit) -> Pending<Vec<Waiting>> {
        let user = user.clone();
        self.read(move |connection| waiting::of(connection, &user, counted, &permit))
    }

    fn undelivered(
        &self,
        channel: &ChannelId,
        user: &UserId,
        limit: usize,
        permit: Permit,
    ) -> Pending<Undelivered> {
        let (channel, user) = (channel.clone(), user.clone());
        self.read(move |connection| {
            let (watermarks, _) = check_member(connection, &channel, &user, permit)?;
            waiting::undelivered(connection, &channel, &user, watermarks, limit)
        })
    }
}

fn mark(
    connection: &Connection,
    mark: &Mark,
    permit: Permit,
    changes: &mut Vec<Committed>,
) -> Result<Marked, StoreError> {
    let sent = sent(connection, mark.message)?;
    let (before, joined) = check_member(connection, &sent.channel, &mark.user, permit)?;
    sent.check_visible(mark.since_join, joined)?;
    let Sent { channel, seq: to, .. } = sent;
    let (from, watermarks) = match mark.receipt {
        Receipt::Delivered => {
            (before.delivered, Watermarks { delivered: before.delivered.max(to), ..before })
        }
        Receipt::Seen => {
            (before.seen, Watermarks { delivered: before.delivered.max(to), seen: before.seen.max(to) })
        }
    };
    if watermarks != before {
        move_to(connection, &channel, mark, watermarks)?;
        changes.push(Committed::WatermarkMoved {
            channel: channel.clone(),
            user: mark.user.clone(),
            receipt: mark.receipt,
            watermarks,
            at: mark.now,
            passed: passed(connection, &channel, mark, from, to)?,
        });
    }
    Ok(Marked { channel, watermarks })
}

fn move_to(
    connection: &Connection,
    channel: &ChannelId,
    mark: &Mark,
    to: Watermarks,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE members SET
                 delivered_at = iif(delivered_seq < ?3, ?5, delivered_at), delivered_seq = ?3,
                 seen_at = iif(seen_seq < ?4, ?5, seen_at), seen_seq = ?4
             WHERE channel = ?1 AND user = ?2",
        )?
        .execute(params![
            channel.as_str(),
            mark.user.as_str(),
            signed(to.delivered.0),
            signed(to.seen.0),
            signed(mark.now.0),
        ])?;
    Ok(())
}

/// The newest messages, one of each other member, after `from` up to `to`.
fn passed(
    connection: &Connection,
    channel: &ChannelId,
    mark: &Mark,
    from: Seq,
    to: Seq,
) -> Result<Vec<Passed>, StoreError> {
    if members_up_to(connection, channel, mark.receipt_members)?.is_none() {
        return Ok(Vec::new());
    }
    let from = signed(from.0).max(signed(to.0).saturating_sub(signed(mark.receipt_messages)));
    let mut statement = connection.prepare_cached(
        "SELECT sender, message, max(seq) AS seq FROM messages
         WHERE channel = ?1 AND seq > ?2 AND seq <= ?3 AND sender <> ?4 AND deleted IS NULL
             AND EXISTS (SELECT 1 FROM members WHERE members.channel = ?1 AND user = sender)
         GROUP BY sender ORDER BY max(seq)",
    )?;
    let rows =
        statement.query_map(params![channel.as_str(), from, signed(to.0), mark.user.as_str()], |row| {
            Ok(Passed {
                sender: id(row, "sender")?,
                message: message_id(row, "message")?,
                seq: seq(row, "seq")?,
            })
        })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many members there are, if there are not more than that.
fn members_up_to(
    connection: &Connection,
    channel: &ChannelId,
    limit: usize,
) -> Result<Option<usize>, StoreError> {
    let members: i64 = connection
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM members WHERE channel = ?1 LIMIT ?2)")?
        .query_row(params![channel.as_str(), signed(limit).saturating_add(1)], |row| row.get(0))?;
    Ok(usize::try_from(members).ok().filter(|members| *members <= limit))
}

/// A message, as far as its delivery goes.
struct Sent {
    channel: ChannelId,
    seq: Seq,
    sender: UserId,
    created: Timestamp,
}

impl Sent {
    /// Where history begins with joining, what was said before does not exist.
    fn check_visible(&self, since_join: bool, joined: Seq) -> Result<(), StoreError> {
        if since_join && self.seq <= joined { Err(StoreError::Denied) } else { Ok(()) }
    }
}

fn sent(connection: &Connection, message: MessageId) -> Result<Sent, StoreError> {
    connection
        .prepare_cached("SELECT channel, seq, sender, created FROM messages WHERE message = ?1")?
        .query_row([message.as_bytes()], |row| {
            Ok(Sent {
                channel: id(row, "channel")?,
                seq: seq(row, "seq")?,
                sender: id(row, "sender")?,
                created: time(row, "created")?,
            })
        })
        .optional()?
        .ok_or(StoreError::NotFound)
}

/// Asks `permit`, and gives the watermarks of a member, and the newest message when the member joined. Nobody else has
/// any, whatever else is allowed.
fn check_member(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    permit: Permit,
) -> Result<(Watermarks, Seq), StoreError> {
    let place = members::check_permit(connection, channel, user, permit)?;
    let own = own(connection, channel, user)?.ok_or(StoreError::Denied)?;
    Ok((own, place.joined_seq))
}

fn own(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
) -> Result<Option<Watermarks>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT delivered_seq, seen_seq FROM members WHERE channel = ?1 AND user = ?2")?
        .query_row([channel.as_str(), user.as_str()], watermarks)
        .optional()?)
}

pub(super) fn watermarks(row: &Row<'_>) -> rusqlite::Result<Watermarks> {
    Ok(Watermarks { delivered: seq(row, "delivered_seq")?, seen: seq(row, "seen_seq")? })
}

fn progress(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    receipt_members: usize,
) -> Result<Progress, StoreError> {
    let own = own(connection, channel, user)?;
    if members_up_to(connection, channel, receipt_members)?.is_none() {
        return Ok(Progress { own, others: None });
    }
    let others = connection
        .prepare_cached(
            "SELECT min(delivered_seq) AS delivered_seq, min(seen_seq) AS seen_seq,
                 min(joined_seq) AS joined_seq
             FROM members WHERE channel = ?1 AND user <> ?2 HAVING count(*) > 0",
        )?
        .query_row([channel.as_str(), user.as_str()], |row| {
            Ok(Others { watermarks: watermarks(row)?, joined: seq(row, "joined_seq")? })
        })
        .optional()?;
    Ok(Progress { own, others })
}

fn message_status(
    connection: &Connection,
    query: &StatusQuery,
    permit: Permit,
) -> Result<MessageStatus, StoreError> {
    let sent = sent(connection, query.message)?;
    let (_, joined) = check_member(connection, &sent.channel, &query.reader, permit)?;
    sent.check_visible(query.since_join, joined)?;
    let (recipients, delivered, read) = connection
        .prepare_cached(
            "SELECT count(*) AS recipients, count(*) FILTER (WHERE delivered_seq >= ?3) AS delivered,
                 count(*) FILTER (WHERE seen_seq >= ?3) AS read
             FROM members WHERE channel = ?1 AND user <> ?2 AND joined_seq < ?3",
        )?
        .query_row(params![sent.channel.as_str(), sent.sender.as_str(), signed(sent.seq.0)], |row| {
            Ok((count(row, "recipients")?, count(row, "delivered")?, count(row, "read")?))
        })?;
    let statuses = statuses(connection, &sent, query)?;
    Ok(MessageStatus { message: query.message, recipients, delivered, read, statuses })
}

fn statuses(
    connection: &Connection,
    sent: &Sent,
    query: &StatusQuery,
) -> Result<Vec<RecipientStatus>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT user, delivered_seq, delivered_at, seen_seq, seen_at FROM members
         WHERE channel = ?1 AND user <> ?2 AND joined_seq < ?3 AND user > ?4 ORDER BY user LIMIT ?5",
    )?;
    let after = query.after.as_ref().map_or("", UserId::as_str);
    let parameters =
        params![sent.channel.as_str(), sent.sender.as_str(), signed(sent.seq.0), after, signed(query.limit)];
    let rows = statement.query_map(parameters, |row| {
        let come = watermarks(row)?;
        let (status, at) = if come.seen >= sent.seq {
            (DeliveryStatus::Read, optional_time(row, "seen_at")?)
        } else if come.delivered >= sent.seq {
            (DeliveryStatus::Delivered, optional_time(row, "delivered_at")?)
        } else {
            (DeliveryStatus::Sent, None)
        };
        Ok(RecipientStatus { recipient: id(row, "user")?, status, timestamp: at.unwrap_or(sent.created) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
