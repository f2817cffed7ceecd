use roomkey_model::{MessageId, Seq, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};

use super::{
    SqliteStore, accounts,
    columns::{id, message_id, optional_time, seq, signed, time},
    fault,
    members::{self, Place},
};
use crate::{
    Committed, Draft, Edit, HistoryQuery, Message, MessagePermit, MessageStore, Page, Pending, Permit,
    Profile, SentAt, StoreError,
};

impl MessageStore for SqliteStore {
    fn append(&self, draft: Draft, permit: Permit) -> Pending<Message> {
        self.write(move |connection, changes| append(connection, draft, permit, changes))
    }

    fn edit_message(&self, edit: Edit, permit: MessagePermit) -> Pending<Message> {
        self.write(move |connection, changes| self::edit(connection, edit, permit, changes))
    }

    fn delete_message(
        &self,
        message: &MessageId,
        actor: &UserId,
        now: Timestamp,
        permit: MessagePermit,
    ) -> Pending<Message> {
        let (message, actor) = (*message, actor.clone());
        self.write(move |connection, changes| delete(connection, message, &actor, now, permit, changes))
    }

    fn history(&self, query: HistoryQuery, permit: Permit) -> Pending<Vec<Message>> {
        self.read(move |connection| {
            let place = members::check_permit(connection, &query.channel, &query.reader, permit)?;
            let floor = if query.since_join { place.joined_seq } else { Seq(0) };
            // Who is no member has not joined, and sees nothing of what is seen since then.
            if query.since_join && place.standing.role.is_none() {
                return Err(StoreError::Denied);
            }
            history(connection, &query, floor)
        })
    }

    fn message(&self, message: &MessageId) -> Pending<Option<Message>> {
        let message = *message;
        self.read(move |connection| find(connection, message))
    }
}

pub(super) fn append(
    connection: &Connection,
    draft: Draft,
    permit: Permit,
    changes: &mut Vec<Committed>,
) -> Result<Message, StoreError> {
    let place = members::check_permit(connection, &draft.channel, &draft.sender, permit)?;
    if let Some(message) = sent_before(connection, &draft)? {
        return Ok(message);
    }
    if place.is_archived {
        return Err(StoreError::Archived);
    }
    let sender = accounts::profile(connection, &draft.sender)?.ok_or(StoreError::NotFound)?;
    let message = Message {
        message: draft.message,
        seq: next_seq(connection, &draft)?,
        channel: draft.channel,
        sender,
        content: draft.content,
        client_id: draft.client_id,
        created: draft.created,
        updated: draft.created,
        edited: None,
        deleted: None,
    };
    insert(connection, &message)?;
    changes.push(Committed::MessageCreated(message.clone()));
    Ok(message)
}

fn edit(
    connection: &Connection,
    edit: Edit,
    permit: MessagePermit,
    changes: &mut Vec<Committed>,
) -> Result<Message, StoreError> {
    let (mut message, place) = check_permit(connection, edit.message, &edit.editor, permit)?;
    if message.deleted.is_some() {
        return Err(StoreError::NotFound);
    }
    if place.is_archived {
        return Err(StoreError::Archived);
    }
    if message.content == edit.content {
        return Ok(message);
    }
    message = Message {
        content: edit.content,
        updated: edit.edited.max(message.updated),
        edited: Some(edit.edited.max(message.updated)),
        ..message
    };
    update(connection, &message)?;
    changes.push(Committed::MessageUpdated(message.clone()));
    Ok(message)
}

fn delete(
    connection: &Connection,
    id: MessageId,
    actor: &UserId,
    now: Timestamp,
    permit: MessagePermit,
    changes: &mut Vec<Committed>,
) -> Result<Message, StoreError> {
    let (mut message, _) = check_permit(connection, id, actor, permit)?;
    if message.deleted.is_some() {
        return Ok(message);
    }
    let now = now.max(message.updated);
    message = Message { content: String::new(), updated: now, deleted: Some(now), ..message };
    update(connection, &message)?;
    changes.push(Committed::MessageDeleted(message.clone()));
    Ok(message)
}

/// Asks `permit` about a message that must exist; gives it, and where the user is in its channel.
fn check_permit(
    connection: &Connection,
    message: MessageId,
    user: &UserId,
    permit: MessagePermit,
) -> Result<(Message, Place), StoreError> {
    let message = find(connection, message)?.ok_or(StoreError::NotFound)?;
    let place = members::place(connection, &message.channel, user)?.ok_or(StoreError::NotFound)?;
    if permit(place.standing.clone(), &message) { Ok((message, place)) } else { Err(StoreError::Denied) }
}

fn update(connection: &Connection, message: &Message) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE messages SET content = ?3, updated = ?4, edited = ?5, deleted = ?6
             WHERE channel = ?1 AND seq = ?2",
        )?
        .execute(params![
            message.channel.as_str(),
            signed(message.seq.0),
            message.content,
            signed(message.updated.0),
            message.edited.map(|time| signed(time.0)),
            message.deleted.map(|time| signed(time.0)),
        ])?;
    Ok(())
}

fn next_seq(connection: &Connection, draft: &Draft) -> Result<Seq, StoreError> {
    Ok(connection
        .prepare_cached("UPDATE channels SET last_seq = last_seq + 1 WHERE channel = ?1 RETURNING last_seq")?
        .query_row([draft.channel.as_str()], |row| seq(row, "last_seq"))?)
}

fn insert(connection: &Connection, message: &Message) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO messages (channel, seq, message, sender, content, client_id, created, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            message.channel.as_str(),
            signed(message.seq.0),
            message.message.as_bytes(),
            message.sender.user.as_str(),
            message.content,
            message.client_id,
            signed(message.created.0),
            signed(message.updated.0),
        ]);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if fault::is_unique_violation(&error, "messages.message") => {
            Err(StoreError::Conflict { field: "id" })
        }
        Err(error) => Err(error.into()),
    }
}

const MESSAGE: &str = "SELECT message, channel, seq, sender, name, avatar, content, client_id, created,
    messages.updated AS updated, edited, deleted
    FROM messages JOIN profiles ON profiles.user = sender";

/// What somebody has sent, in the order of the index `messages_by_sender`, which is made of ranges for this: the rest of
/// what has no client id, the rest of the channel, and the other channels.
pub(super) fn from(
    connection: &Connection,
    sender: &UserId,
    after: Option<&SentAt>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let mut messages = Vec::new();
    let (channel, client_id, seq) = after.map_or(("", None, 0), |(channel, client_id, seq)| {
        (channel.as_str(), client_id.as_deref(), signed(seq.0))
    });
    for (range, order, bound) in [
        (
            "channel = ?2 AND client_id IS NULL AND seq > ?3",
            "seq",
            client_id.is_none().then_some(Value::from(seq)),
        ),
        (
            "channel = ?2 AND client_id > ?3",
            "client_id",
            Some(Value::from(client_id.unwrap_or_default().to_owned())),
        ),
        ("channel > ?2 AND ?3 IS NULL", "channel, client_id, seq", Some(Value::Null)),
    ] {
        let Some(bound) = bound else { continue };
        let sql = format!("{MESSAGE} WHERE sender = ?1 AND {range} ORDER BY {order} LIMIT ?4");
        let mut statement = connection.prepare_cached(&sql)?;
        let left = signed(limit - messages.len());
        for row in statement.query_map(params![sender.as_str(), channel, bound, left], message)? {
            messages.push(row?);
        }
    }
    Ok(messages)
}

/// The message that the sender has sent here by the same client id.
fn sent_before(connection: &Connection, draft: &Draft) -> Result<Option<Message>, StoreError> {
    let Some(client_id) = &draft.client_id else { return Ok(None) };
    let sql = format!("{MESSAGE} WHERE channel = ?1 AND sender = ?2 AND client_id = ?3");
    Ok(connection
        .prepare_cached(&sql)?
        .query_row([draft.channel.as_str(), draft.sender.as_str(), client_id], message)
        .optional()?)
}

pub(super) fn find(connection: &Connection, id: MessageId) -> Result<Option<Message>, StoreError> {
    let sql = format!("{MESSAGE} WHERE message = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([id.as_bytes()], message).optional()?)
}

/// The messages that the query asks for, of those after `floor`.
pub(super) fn history(
    connection: &Connection,
    query: &HistoryQuery,
    floor: Seq,
) -> Result<Vec<Message>, StoreError> {
    let (bound, order, seq) = match query.page {
        Page::After(seq) => (">", "ASC", signed(seq.0)),
        Page::Before(seq) => ("<", "DESC", signed(seq.0)),
        Page::Latest => ("<=", "DESC", i64::MAX),
    };
    let sql =
        format!("{MESSAGE} WHERE channel = ?1 AND seq {bound} ?2 AND seq > ?4 ORDER BY seq {order} LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let parameters = params![query.channel.as_str(), seq, signed(query.limit), signed(floor.0)];
    let rows = statement.query_map(parameters, message)?;
    let mut messages: Vec<_> = rows.collect::<Result<_, _>>()?;
    if order == "DESC" {
        messages.reverse();
    }
    Ok(messages)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        message: message_id(row, "message")?,
        channel: id(row, "channel")?,
        seq: seq(row, "seq")?,
        sender: Profile { user: id(row, "sender")?, name: row.get("name")?, avatar: row.get("avatar")? },
        content: row.get("content")?,
        client_id: row.get("client_id")?,
        created: time(row, "created")?,
        updated: time(row, "updated")?,
        edited: optional_time(row, "edited")?,
        deleted: optional_time(row, "deleted")?,
    })
}
