//! What waits for a member: the other side of the watermarks.

use roomkey_model::{ChannelId, Role, Seq, UserId};
use rusqlite::{Connection, params};

use super::{
    columns::{count, id, name, seq, signed},
    messages,
    watermarks::watermarks,
};
use crate::{HearingPermit, HistoryQuery, Page, StoreError, Undelivered, Waiting, Watermarks};

/// How many channels full of counted messages are looked at for one question. In the rest all messages count.
const COUNTED_CHANNELS: u64 = 20;

pub(super) fn of(
    connection: &Connection,
    user: &UserId,
    counted: usize,
    permit: &HearingPermit,
) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT channel, role, last_seq, delivered_seq, seen_seq FROM members JOIN channels USING (channel)
         WHERE user = ?1 ORDER BY channel",
    )?;
    let rows = statement.query_map([user.as_str()], |row| {
        Ok((
            id::<ChannelId>(row, "channel")?,
            name::<Role>(row, "role")?,
            seq(row, "last_seq")?,
            watermarks(row)?,
        ))
    })?;
    let counted = u64::try_from(counted).unwrap_or(u64::MAX);
    let mut rows_left = counted.saturating_mul(COUNTED_CHANNELS);
    let mut waiting = Vec::new();
    for row in rows {
        let (channel, role, last, watermarks) = row?;
        if !permit(&channel, role) {
            continue;
        }
        let after = |watermark: Seq| last.0.saturating_sub(watermark.0);
        let (mut undelivered, mut unread) = (after(watermarks.delivered), after(watermarks.seen));
        if unread > counted {
            // The oldest may have gone with age.
            let kept = (last.0 + 1).saturating_sub(oldest(connection, &channel, last)?.0);
            (undelivered, unread) = (undelivered.min(kept), unread.min(kept));
        }
        // What was not delivered was not seen: one look at the rows is enough for both.
        let most = counted.min(rows_left);
        let rows = if unread <= most { unread } else { undelivered };
        if (1..=most).contains(&rows) {
            rows_left -= rows;
            let from = if unread <= most { watermarks.seen } else { watermarks.delivered };
            let (after_from, after_delivered) =
                counts_of_others(connection, &channel, user, from, watermarks.delivered)?;
            undelivered = after_delivered;
            if unread <= most {
                unread = after_from;
            }
        }
        waiting.push(Waiting { channel, last, watermarks, undelivered, unread });
    }
    Ok(waiting)
}

/// The oldest message that is still there; where there is none, the one that will be next.
fn oldest(connection: &Connection, channel: &ChannelId, last: Seq) -> Result<Seq, StoreError> {
    Ok(connection
        .prepare_cached("SELECT coalesce(min(seq), ?2 + 1) AS seq FROM messages WHERE channel = ?1")?
        .query_row(params![channel.as_str(), signed(last.0)], |row| seq(row, "seq"))?)
}

/// How many messages of others there are after `from`, and how many of them after `delivered`.
fn counts_of_others(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    from: Seq,
    delivered: Seq,
) -> Result<(u64, u64), StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) AS messages, count(*) FILTER (WHERE seq > ?4) AS undelivered FROM messages
             WHERE channel = ?1 AND seq > ?2 AND sender <> ?3 AND deleted IS NULL",
        )?
        .query_row(params![channel.as_str(), signed(from.0), user.as_str(), signed(delivered.0)], |row| {
            Ok((count(row, "messages")?, count(row, "undelivered")?))
        })?)
}

pub(super) fn undelivered(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    watermarks: Watermarks,
    limit: usize,
) -> Result<Undelivered, StoreError> {
    let query = HistoryQuery {
        channel: channel.clone(),
        reader: user.clone(),
        page: Page::After(watermarks.delivered),
        limit: limit.saturating_add(1),
        since_join: true,
    };
    let mut messages = messages::history(connection, &query, watermarks.delivered)?;
    let more = messages.len() > limit;
    messages.truncate(limit);
    Ok(Undelivered { messages, more })
}
