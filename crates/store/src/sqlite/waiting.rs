//! What waits for a member: the other side of the watermarks.

use roomkey_model::{ChannelId, Role, Seq, UserId};
use rusqlite::{Connection, params};

use super::{
    columns::{count, id, name, seq, signed},
    messages,
    watermarks::watermarks,
};
use crate::{HearingPermit, HistoryQuery, Page, StoreError, Undelivered, Waiting, Watermarks};

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
    let mut waiting = Vec::new();
    for row in rows {
        let (channel, role, last, watermarks) = row?;
        if !permit(&channel, role) {
            continue;
        }
        let number = |after| number(connection, &channel, user, after, last, counted);
        let undelivered = number(watermarks.delivered)?;
        let unread =
            if watermarks.seen == watermarks.delivered { undelivered } else { number(watermarks.seen)? };
        waiting.push(Waiting { channel, last, watermarks, undelivered, unread });
    }
    Ok(waiting)
}

/// How many messages there are after `after`: of others, as long as it takes only a few to look at.
fn number(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    after: Seq,
    last: Seq,
    counted: usize,
) -> Result<u64, StoreError> {
    let within = |distance: u64| usize::try_from(distance).is_ok_and(|distance| distance <= counted);
    let mut distance = last.0.saturating_sub(after.0);
    if !within(distance) {
        // The oldest may have gone with age.
        let kept = (last.0 + 1).saturating_sub(oldest(connection, channel, last)?.0);
        distance = distance.min(kept);
    }
    match distance {
        0 => Ok(0),
        _ if within(distance) => count_of_others(connection, channel, user, after),
        _ => Ok(distance),
    }
}

/// The oldest message that is still there; where there is none, the one that will be next.
fn oldest(connection: &Connection, channel: &ChannelId, last: Seq) -> Result<Seq, StoreError> {
    Ok(connection
        .prepare_cached("SELECT coalesce(min(seq), ?2 + 1) AS seq FROM messages WHERE channel = ?1")?
        .query_row(params![channel.as_str(), signed(last.0)], |row| seq(row, "seq"))?)
}

fn count_of_others(
    connection: &Connection,
    channel: &ChannelId,
    user: &UserId,
    after: Seq,
) -> Result<u64, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) AS messages FROM messages
             WHERE channel = ?1 AND seq > ?2 AND sender <> ?3 AND deleted IS NULL",
        )?
        .query_row(params![channel.as_str(), signed(after.0), user.as_str()], |row| count(row, "messages"))?)
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
