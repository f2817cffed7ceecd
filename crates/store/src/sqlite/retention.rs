use roomkey_model::{ChannelId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore,
    columns::{id, optional_count, optional_time, signed, time},
};
use crate::{Overdue, Pending, Retention, RetentionStore, StoreError};

impl RetentionStore for SqliteStore {
    fn overdue(
        &self,
        server: Retention,
        now: Timestamp,
        after: Option<&ChannelId>,
        limit: usize,
    ) -> Pending<Overdue> {
        let after = after.cloned();
        self.read(move |connection| overdue(connection, server, now, after.as_ref(), limit))
    }

    fn trim(&self, channel: &ChannelId, server: Retention, now: Timestamp, limit: usize) -> Pending<usize> {
        let channel = channel.clone();
        self.write(move |connection, _| trim(connection, &channel, server, now, limit))
    }
}

/// What the owner of a channel has set.
pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<Retention> {
    Ok(Retention {
        max_age_s: optional_count(row, "max_age_s")?,
        max_messages: optional_count(row, "max_messages")?,
    })
}

/// What a channel has and may keep.
struct Kept {
    retention: Retention,
    last_seq: i64,
    trimmed_seq: i64,
}

const KEPT: &str = "SELECT channel, max_age_s, max_messages, last_seq, trimmed_seq";

impl Kept {
    fn of_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let retention = of_row(row)?;
        Ok(Self { retention, last_seq: row.get("last_seq")?, trimmed_seq: row.get("trimmed_seq")? })
    }

    /// There are too many messages up to this one.
    fn too_many(&self, server: Retention) -> i64 {
        let kept = self.retention.and(server).max_messages;
        kept.map_or(0, |count| self.last_seq.saturating_sub(signed(count)))
    }
}

fn find(connection: &Connection, channel: &ChannelId) -> Result<Option<Kept>, StoreError> {
    let sql = format!("{KEPT} FROM channels WHERE channel = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([channel.as_str()], Kept::of_row).optional()?)
}

fn overdue(
    connection: &Connection,
    server: Retention,
    now: Timestamp,
    after: Option<&ChannelId>,
    limit: usize,
) -> Result<Overdue, StoreError> {
    let sql = format!(
        "{KEPT}, (SELECT created FROM messages WHERE messages.channel = channels.channel ORDER BY seq LIMIT 1) AS oldest
         FROM channels WHERE channel > ?1 ORDER BY channel LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let after = after.map_or("", ChannelId::as_str);
    let rows = statement.query_map(params![after, signed(limit)], |row| {
        let (channel, kept) = (id::<ChannelId>(row, "channel")?, Kept::of_row(row)?);
        let is_old = match (kept.retention.and(server).oldest(now), optional_time(row, "oldest")?) {
            (Some(bound), Some(oldest)) => oldest < bound,
            _ => false,
        };
        Ok((channel, is_old || kept.too_many(server) > kept.trimmed_seq))
    })?;
    let looked_at = rows.collect::<Result<Vec<_>, _>>()?;
    let next = looked_at.last().filter(|_| looked_at.len() >= limit).map(|(channel, _)| channel.clone());
    let channels = looked_at.into_iter().filter(|(_, is_due)| *is_due).map(|(channel, _)| channel);
    Ok(Overdue { channels: channels.collect(), next })
}

fn trim(
    connection: &Connection,
    channel: &ChannelId,
    server: Retention,
    now: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let Some(kept) = find(connection, channel)? else { return Ok(0) };
    let (too_many, bound) = (kept.too_many(server), kept.retention.and(server).oldest(now));
    let mut statement = connection
        .prepare_cached("SELECT seq, created FROM messages WHERE channel = ?1 ORDER BY seq LIMIT ?2")?;
    let rows = statement.query_map(params![channel.as_str(), signed(limit)], |row| {
        Ok((row.get::<_, i64>("seq")?, time(row, "created")?))
    })?;
    // It ends at the first that stays, also where a clock was put back and one behind it looks older.
    let mut last_gone = None;
    for row in rows {
        let (seq, created) = row?;
        if seq > too_many && bound.is_none_or(|bound| created >= bound) {
            break;
        }
        last_gone = Some(seq);
    }
    let Some(last_gone) = last_gone else { return Ok(0) };
    let gone = connection
        .prepare_cached("DELETE FROM messages WHERE channel = ?1 AND seq <= ?2")?
        .execute(params![channel.as_str(), last_gone])?;
    connection
        .prepare_cached("UPDATE channels SET trimmed_seq = ?2 WHERE channel = ?1")?
        .execute(params![channel.as_str(), last_gone])?;
    Ok(gone)
}
