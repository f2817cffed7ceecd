use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};

use crate::{Pending, Permit, Profile};

/// A message to be stored. Its sequence number comes with the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, new.
    pub message: MessageId,
    /// Where it goes.
    pub channel: ChannelId,
    /// Who sends it.
    pub sender: UserId,
    /// What it says.
    pub content: String,
    /// The client's name for it, unique per channel and sender: a retry with the same name is the same message.
    pub client_id: Option<String>,
    /// When it was sent.
    pub created: Timestamp,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub message: MessageId,
    /// The channel it is in.
    pub channel: ChannelId,
    /// Its place in the channel.
    pub seq: Seq,
    /// Who sent it.
    pub sender: Profile,
    /// What it says; nothing once it is deleted.
    pub content: String,
    /// The client's name for it.
    pub client_id: Option<String>,
    /// When it was sent.
    pub created: Timestamp,
    /// When anything of it last changed.
    pub updated: Timestamp,
    /// When its content was last changed by a person.
    pub edited: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
}

/// A stretch of a channel's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The channel.
    pub channel: ChannelId,
    /// Who asks.
    pub reader: UserId,
    /// Which part.
    pub page: Page,
    /// How many messages at most.
    pub limit: usize,
}

/// Which messages, always told oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The oldest of those after this one.
    After(Seq),
    /// The newest of those before this one.
    Before(Seq),
    /// The newest.
    Latest,
}

/// The messages of channels. Part of [`Store`](crate::Store).
pub trait MessageStore: Send + Sync {
    /// Appends a message if `permit` allows it to the sender.
    ///
    /// A retry, that is a draft whose client id the sender has used in this channel before, gives the message
    /// that was stored then and is not committed again. The sender must have a profile.
    fn append(&self, draft: Draft, permit: Permit) -> Pending<Message>;

    /// A stretch of the channel's history, oldest first, if `permit` allows it to the reader.
    fn history(&self, query: HistoryQuery, permit: Permit) -> Pending<Vec<Message>>;

    /// The message.
    fn message(&self, message: &MessageId) -> Pending<Option<Message>>;
}
