use std::{sync::Arc, time::Duration};

use roomkey_model::{ChannelId, Clock, Failure, UserId};
use roomkey_store::{Message, PersonalData, SentAt, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::users::BY_OPERATOR;
use crate::{
    audit::Event,
    control::{Command, Named, Operator},
};

/// Messages in one answer.
const PAGE: usize = 1000;

/// Messages that are emptied in one write, so that no other waits for long.
const EMPTIED: usize = 256;

/// Such writes of one command.
const WRITES: usize = 10;

/// Between two such writes while others are told: about a thousand messages in a second, so that clients and webhooks
/// keep up.
const PAUSE: Duration = Duration::from_millis(250);

/// All that is kept of a user, but for the messages.
#[derive(Serialize, Deserialize)]
pub(crate) struct Export {
    pub(crate) user: Named,
}

/// What there is, ready to be shown.
#[derive(Serialize, Deserialize)]
pub(crate) struct Exported {
    pub(crate) user: UserId,
    pub(crate) data: Value,
}

impl Command for Export {
    type Answer = Exported;

    const PATH: &'static str = "/users/export";

    async fn run(self, operator: Arc<Operator>) -> Result<Exported, Failure> {
        let user = operator.kept_user(&self.user).await?;
        let data = operator.store.personal_data(&user).await?;
        let data = data.ok_or_else(|| Failure::with_message(roomkey_model::ErrorCode::NotFound, NOBODY))?;
        operator.record(Event::AdminAction, "an operator exported what is kept of a user", user.as_str());
        Ok(Exported { user, data: in_json(&data) })
    }
}

const NOBODY: &str = "nothing is kept of this user";

/// No secret is in it: neither the password's hash nor what refresh tokens are known by.
fn in_json(data: &PersonalData) -> Value {
    let time = |time: roomkey_model::Timestamp| time.to_rfc3339();
    let account = data.account.as_ref().map(|account| {
        json!({
            "email": account.email,
            "username": account.username,
            "createdAt": time(account.created),
        })
    });
    let sessions = data.sessions.iter().map(|session| {
        json!({
            "id": session.session,
            "userAgent": session.user_agent,
            "address": session.address,
            "createdAt": time(session.created),
            "lastSeenAt": time(session.seen),
            "endedAt": session.ended.map(time),
        })
    });
    let channels = data.memberships.iter().map(|membership| {
        json!({
            "id": membership.channel,
            "name": membership.name,
            "role": membership.role,
            "joinedAt": time(membership.joined),
            "deliveredSeq": membership.watermarks.delivered,
            "seenSeq": membership.watermarks.seen,
        })
    });
    json!({
        "id": data.profile.user,
        "profile": { "username": data.profile.name, "avatar": data.profile.avatar },
        "account": account,
        "lastSeenAt": data.last_seen.map(time),
        "sessions": sessions.collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "createdChannels": data.created,
    })
}

/// A page of the messages that a user has sent.
#[derive(Serialize, Deserialize)]
pub(crate) struct Messages {
    pub(crate) user: UserId,
    /// Only those behind this one.
    pub(crate) after: Option<SentAt>,
}

/// Some messages, and where to go on; nowhere after the last.
#[derive(Serialize, Deserialize)]
pub(crate) struct MessagesPage {
    pub(crate) messages: Vec<Value>,
    pub(crate) next: Option<SentAt>,
}

impl Command for Messages {
    type Answer = MessagesPage;

    const PATH: &'static str = "/users/messages";

    async fn run(self, operator: Arc<Operator>) -> Result<MessagesPage, Failure> {
        let messages = operator.store.messages_from(&self.user, self.after, PAGE).await?;
        let next = messages.last().filter(|_| messages.len() == PAGE);
        let next = next.map(|message| (message.channel.clone(), message.client_id.clone(), message.seq));
        Ok(MessagesPage { messages: messages.iter().map(message_in_json).collect(), next })
    }
}

fn message_in_json(message: &Message) -> Value {
    json!({
        "id": message.message,
        "channelId": message.channel,
        "seq": message.seq,
        "content": message.content,
        "clientId": message.client_id,
        "createdAt": message.created.to_rfc3339(),
        "editedAt": message.edited.map(|time| time.to_rfc3339()),
        "deletedAt": message.deleted.map(|time| time.to_rfc3339()),
    })
}

/// Removes all that is kept of a user.
#[derive(Serialize, Deserialize)]
pub(crate) struct Erase {
    pub(crate) user: Named,
}

/// What was removed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Erased {
    pub(crate) user: UserId,
    /// Sockets that were closed.
    pub(crate) sockets: usize,
    /// Messages that are to be emptied.
    pub(crate) messages: u64,
    /// Channels that the user was in.
    pub(crate) channels: usize,
    /// Channels that have another owner now.
    pub(crate) inherited: Vec<(ChannelId, UserId)>,
}

impl Command for Erase {
    type Answer = Erased;

    const PATH: &'static str = "/users/erase";

    async fn run(self, operator: Arc<Operator>) -> Result<Erased, Failure> {
        let user = operator.kept_user(&self.user).await?;
        let (known, erased, swept) = operator.accounts.erase(&user).await?;
        operator.record(Event::UserErased, BY_OPERATOR, user.as_str());
        let roomkey_store::Erased { channels, inherited } = erased;
        Ok(Erased { user, sockets: swept.sockets, messages: known.messages, channels, inherited })
    }
}

/// Empties some of the messages of users who were erased.
#[derive(Serialize, Deserialize)]
pub(crate) struct Empty {}

impl Command for Empty {
    /// Whether some are left.
    type Answer = bool;

    const PATH: &'static str = "/users/empty";

    async fn run(self, operator: Arc<Operator>) -> Result<bool, Failure> {
        // Without a chat there is nobody to tell.
        let pause = operator.chat.as_ref().map(|_| PAUSE);
        Ok(empty(&*operator.store, &*operator.clock, pause, WRITES).await?)
    }
}

/// Empties the messages of users who were erased, in a server that runs. To be called from time to time: one that was
/// stopped in between goes on with it.
pub(crate) async fn empty_all(store: &dyn Store, clock: &dyn Clock) -> Result<(), StoreError> {
    empty(store, clock, Some(PAUSE), usize::MAX).await.map(|_| ())
}

/// Tells whether some are left.
async fn empty(
    store: &dyn Store,
    clock: &dyn Clock,
    pause: Option<Duration>,
    writes: usize,
) -> Result<bool, StoreError> {
    for _ in 0..writes {
        match (store.erase_messages(clock.now(), EMPTIED).await?, pause) {
            (None, _) => return Ok(false),
            (Some(EMPTIED), Some(pause)) => tokio::time::sleep(pause).await,
            _ => {}
        }
    }
    Ok(true)
}
