use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};

use crate::{MessagePermit, Pending, Permit, Profile};

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

/// A new content for a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which message.
    pub message: MessageId,
    /// Who changes it.
    pub editor: UserId,
    /// What it says from now on.
    pub content: String,
    /// When it was changed.
    pub edited: Timestamp,
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
    /// Whether the reader sees only what was sent since they became a member.
    pub since_join: bool,
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

    /// Changes what a message says if `permit` allows it to the editor.
    ///
    /// To what it says already: nothing is changed, and nothing is committed.
    fn edit_message(&self, edit: Edit, permit: MessagePermit) -> Pending<Message>;

    /// Deletes a message if `permit` allows it to `actor`. Its place in the channel stays; its content is gone.
    ///
    /// One that is deleted already stays as it is, and is not committed again.
    fn delete_message(
        &self,
        message: &MessageId,
        actor: &UserId,
        now: Timestamp,
        permit: MessagePermit,
    ) -> Pending<Message>;

    /// A stretch of the channel's history, oldest first, if `permit` allows it to the reader.
    fn history(&self, query: HistoryQuery, permit: Permit) -> Pending<Vec<Message>>;

    /// The message.
    fn message(&self, message: &MessageId) -> Pending<Option<Message>>;
}
