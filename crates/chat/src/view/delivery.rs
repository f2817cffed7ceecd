//! Receipts, and what waits, as clients see them.

use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};
use roomkey_store::{DeliveryStatus, Marked, Message, MessageStatus, RecipientStatus, Waiting};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{MessageView, iso};
use crate::delivery::{SeenBy, overall, totals};

/// Messages of a channel, oldest first, as one user sees them: `{messages: [...]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePage {
    pub(crate) messages: Vec<Message>,
    pub(crate) seen_by: SeenBy,
}

impl MessagePage {
    fn views(&self) -> Vec<MessageView<'_>> {
        let view = |message| MessageView::new(message, self.seen_by.status_of(message));
        self.messages.iter().map(view).collect()
    }
}

impl Serialize for MessagePage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("messages", self.views())])
    }
}

/// The oldest messages that have not arrived: `{messages: [...], more}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflinePage {
    pub(crate) messages: MessagePage,
    pub(crate) more: bool,
}

impl Serialize for OfflinePage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut page = serializer.serialize_struct("OfflinePage", 2)?;
        page.serialize_field("messages", &self.messages.views())?;
        page.serialize_field("more", &self.more)?;
        page.end()
    }
}

/// What waits in each channel, and in all: `{total, unread, channels: [...]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPage(pub(crate) Vec<Waiting>);

impl Serialize for WaitingPage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (total, unread) = totals(&self.0);
        let channels: Vec<_> = self.0.iter().map(WaitingView::from).collect();
        let mut page = serializer.serialize_struct("WaitingPage", 3)?;
        page.serialize_field("total", &total)?;
        page.serialize_field("unread", &unread)?;
        page.serialize_field("channels", &channels)?;
        page.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WaitingView<'a> {
    channel_id: &'a ChannelId,
    count: u64,
    unread: u64,
    last_seq: Seq,
    delivered_seq: Seq,
    seen_seq: Seq,
}

impl<'a> From<&'a Waiting> for WaitingView<'a> {
    fn from(waiting: &'a Waiting) -> Self {
        Self {
            channel_id: &waiting.channel,
            count: waiting.undelivered,
            unread: waiting.unread,
            last_seq: waiting.last,
            delivered_seq: waiting.watermarks.delivered,
            seen_seq: waiting.watermarks.seen,
        }
    }
}

/// Where a member is after a receipt: `{channelId, deliveredSeq, seenSeq}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkedView(pub(crate) Marked);

impl Serialize for MarkedView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut view = serializer.serialize_struct("MarkedView", 3)?;
        view.serialize_field("channelId", &self.0.channel)?;
        view.serialize_field("deliveredSeq", &self.0.watermarks.delivered)?;
        view.serialize_field("seenSeq", &self.0.watermarks.seen)?;
        view.end()
    }
}

/// What has become of a message: `{messageId, status, recipients, delivered, read, statuses: [...]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView(pub(crate) MessageStatus);

impl Serialize for StatusView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let status = &self.0;
        let statuses: Vec<_> =
            status.statuses.iter().map(|one| RecipientView::new(status.message, one)).collect();
        let mut view = serializer.serialize_struct("StatusView", 6)?;
        view.serialize_field("messageId", &status.message)?;
        view.serialize_field("status", &overall(status))?;
        view.serialize_field("recipients", &status.recipients)?;
        view.serialize_field("delivered", &status.delivered)?;
        view.serialize_field("read", &status.read)?;
        view.serialize_field("statuses", &statuses)?;
        view.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecipientView<'a> {
    message_id: MessageId,
    recipient_id: &'a UserId,
    status: DeliveryStatus,
    #[serde(serialize_with = "iso")]
    timestamp: Timestamp,
}

impl<'a> RecipientView<'a> {
    fn new(message: MessageId, one: &'a RecipientStatus) -> Self {
        Self {
            message_id: message,
            recipient_id: &one.recipient,
            status: one.status,
            timestamp: one.timestamp,
        }
    }
}

/// `message.status`: somebody has come further, and this is the newest message of the receiver's that it is about.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewStatusView<'a> {
    pub(crate) channel_id: &'a ChannelId,
    pub(crate) message_id: MessageId,
    pub(crate) seq: Seq,
    pub(crate) recipient_id: &'a UserId,
    pub(crate) status: DeliveryStatus,
    #[serde(serialize_with = "iso")]
    pub(crate) timestamp: Timestamp,
}
