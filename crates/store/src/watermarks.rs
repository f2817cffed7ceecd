use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};
use serde::Serialize;

use crate::{HearingPermit, Message, Pending, Permit};

/// How far a member has come in a channel: everything up to here. Neither ever goes back, and what was seen was
/// delivered. Both begin at the newest message when the member joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// The newest message that has reached the member.
    pub delivered: Seq,
    /// The newest message that the member has read.
    pub seen: Seq,
}

/// What a member says of a message, and with it of all before it in the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It has arrived.
    Delivered,
    /// It was read, and so it has arrived.
    Seen,
}

/// What has become of a message on its way to somebody; a greater one includes the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeliveryStatus {
    /// It is stored.
    Sent,
    /// It has arrived.
    Delivered,
    /// It was read.
    Read,
}

impl From<Receipt> for DeliveryStatus {
    fn from(receipt: Receipt) -> Self {
        match receipt {
            Receipt::Delivered => Self::Delivered,
            Receipt::Seen => Self::Read,
        }
    }
}

/// A receipt to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The message, and with it all before it.
    pub message: MessageId,
    /// Whose watermark it is.
    pub user: UserId,
    /// Which one.
    pub receipt: Receipt,
    /// When it came.
    pub now: Timestamp,
    /// Whether messages from before the user joined do not exist for the user.
    pub since_join: bool,
    /// Members of a channel in which senders are told; of a larger one nobody is.
    pub receipt_members: usize,
    /// Messages, the newest of those passed, whose senders are told.
    pub receipt_messages: usize,
}

/// Where a member is after a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The channel of the message.
    pub channel: ChannelId,
    /// The watermarks there.
    pub watermarks: Watermarks,
}

/// The newest message of one sender that a watermark has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Who sent it.
    pub sender: UserId,
    /// The message.
    pub message: MessageId,
    /// Its place in the channel.
    pub seq: Seq,
}

/// Which recipients of a message to tell about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusQuery {
    /// The message.
    pub message: MessageId,
    /// Who asks; a member.
    pub reader: UserId,
    /// Whether messages from before the reader joined do not exist for the reader.
    pub since_join: bool,
    /// The recipients after this one, by user id.
    pub after: Option<UserId>,
    /// How many at most.
    pub limit: usize,
}

/// What has become of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageStatus {
    /// The message.
    pub message: MessageId,
    /// The members it is for: all that were there when it was sent and still are, without its sender.
    pub recipients: u64,
    /// Those it has reached, including those who have read it.
    pub delivered: u64,
    /// Those who have read it.
    pub read: u64,
    /// Some of the recipients, by user id.
    pub statuses: Vec<RecipientStatus>,
}

/// What has become of a message on its way to one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientStatus {
    /// The member.
    pub recipient: UserId,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// When it was sent, or when the member's watermark last moved: it had come so far by then.
    pub timestamp: Timestamp,
}

/// What the members of a channel but one have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Others {
    /// What has reached all of them, and what all have read.
    pub watermarks: Watermarks,
    /// The newest message when the first of them joined: later ones are for somebody.
    pub joined: Seq,
}

/// What there is to say about the delivery of a channel's messages to and from one user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The user's own watermarks; none for who is not a member.
    pub own: Option<Watermarks>,
    /// All the other members; none where there are no others, or more than was asked for.
    pub others: Option<Others>,
}

/// What waits for a member in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The channel.
    pub channel: ChannelId,
    /// Its newest message; zero while there is none.
    pub last: Seq,
    /// How far the member has come.
    pub watermarks: Watermarks,
    /// Messages of others after the delivered one.
    pub undelivered: u64,
    /// Messages of others after the seen one.
    pub unread: u64,
}

/// The oldest messages that have not reached a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// They follow each other without a gap.
    pub messages: Vec<Message>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// How far members have received and read their channels. Part of [`Store`](crate::Store).
pub trait WatermarkStore: Send + Sync {
    /// Moves a member's watermarks up to a message if `permit` allows it. Those that are there already stay.
    fn mark(&self, mark: Mark, permit: Permit) -> Pending<Marked>;

    /// What has become of a message, for a member to whom `permit` allows it.
    fn message_status(&self, query: StatusQuery, permit: Permit) -> Pending<MessageStatus>;

    /// How far the user, and everybody else in the channel, has come; nothing of others if there are more than
    /// `receipt_members` members.
    fn progress(&self, channel: &ChannelId, user: &UserId, receipt_members: usize) -> Pending<Progress>;

    /// What waits for the user in each channel that the user is in and that `permit` lets the user hear, by id.
    ///
    /// Up to `counted` messages are counted one by one, without the user's own and deleted ones. Of more the number
    /// is that of all messages, and so it is once 20 times as many were counted in other channels.
    fn waiting(&self, user: &UserId, counted: usize, permit: HearingPermit) -> Pending<Vec<Waiting>>;

    /// The oldest messages that have not reached the user, who is a member to whom `permit` allows it; at most `limit`.
    fn undelivered(
        &self,
        channel: &ChannelId,
        user: &UserId,
        limit: usize,
        permit: Permit,
    ) -> Pending<Undelivered>;
}
