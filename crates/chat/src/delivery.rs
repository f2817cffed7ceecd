//! What has arrived and what was read, and what waits for those who were away.

use std::sync::Arc;

use futures_util::FutureExt;
use roomkey_auth::{Identity, policy::Action};
use roomkey_model::{ChannelId, Failure, MessageId, UserId};
use roomkey_store::{DeliveryStatus, Mark, Message, MessageStatus, Progress, Receipt, StatusQuery, Waiting};
use serde::Deserialize;

use crate::{
    Chat,
    channels::page_limit,
    page::oldest_within,
    view::{MarkedView, MessagePage, OfflinePage, StatusView, WaitingPage},
};

/// Asks what has become of a message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct StatusRequest {
    /// The message.
    pub message_id: MessageId,
    /// The recipients after this one, by user id.
    pub after: Option<UserId>,
    /// How many recipients at most; where it is not said, the most there can be.
    pub limit: Option<usize>,
}

/// Asks for the oldest messages of a channel that have not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OfflineRequest {
    /// The channel.
    pub channel_id: ChannelId,
    /// How many at most; where it is not said, the most there can be.
    pub limit: Option<usize>,
}

impl Chat {
    /// Takes a receipt: this message, and all before it, have arrived or were read. The store has it when this returns.
    pub fn mark(
        &self,
        identity: &Arc<Identity>,
        message: MessageId,
        receipt: Receipt,
    ) -> impl Future<Output = Result<MarkedView, Failure>> + Send + use<> {
        let mark = Mark {
            message,
            user: identity.user.clone(),
            receipt,
            now: self.clock.now(),
            since_join: self.config.history_since_join,
            receipt_members: self.config.limits.receipt_members,
            receipt_messages: self.config.limits.receipt_messages,
        };
        let marked = self.store.mark(mark, self.permit(identity, Action::ReadHistory));
        async move { Ok(MarkedView(marked.await?)) }
    }

    /// What has become of a message, for a member of its channel.
    pub fn message_status(
        &self,
        identity: &Arc<Identity>,
        request: StatusRequest,
    ) -> Result<impl Future<Output = Result<StatusView, Failure>> + Send + use<>, Failure> {
        let query = StatusQuery {
            message: request.message_id,
            reader: identity.user.clone(),
            since_join: self.config.history_since_join,
            after: request.after,
            limit: page_limit(request.limit, &self.config.limits)?,
        };
        let status = self.store.message_status(query, self.permit(identity, Action::ReadHistory));
        Ok(async move { Ok(StatusView(status.await?)) })
    }

    /// What waits for the caller in each channel that the caller may hear.
    pub fn waiting(
        &self,
        identity: &Arc<Identity>,
    ) -> impl Future<Output = Result<WaitingPage, Failure>> + Send + use<> {
        let counted = self.config.limits.counted_messages;
        let waiting = self.store.waiting(&identity.user, counted, self.hearing_permit(identity));
        async move { Ok(WaitingPage(waiting.await?)) }
    }

    /// The oldest messages of a channel that have not reached the caller.
    pub fn offline(
        &self,
        identity: &Arc<Identity>,
        request: OfflineRequest,
    ) -> Result<impl Future<Output = Result<OfflinePage, Failure>> + Send + use<>, Failure> {
        let OfflineRequest { channel_id, limit } = request;
        let limit = page_limit(limit, &self.config.limits)?;
        let permit = self.permit(identity, Action::ReadHistory);
        let undelivered = self.store.undelivered(&channel_id, &identity.user, limit, permit);
        let seen_by = self.seen_by(&identity.user, &channel_id);
        let bytes_max = self.config.limits.page_bytes;
        Ok(async move {
            let undelivered = undelivered.await?;
            let (messages, is_cut) = oldest_within(undelivered.messages, bytes_max);
            let messages = MessagePage { messages, seen_by: seen_by.await? };
            Ok(OfflinePage { messages, more: undelivered.more || is_cut })
        })
    }

    /// Through whose eyes the messages of a channel are shown.
    pub(crate) fn seen_by(
        &self,
        user: &UserId,
        channel: &ChannelId,
    ) -> impl Future<Output = Result<SeenBy, Failure>> + Send + use<> {
        let user = user.clone();
        self.store
            .progress(channel, &user, self.config.limits.receipt_members)
            .map(|progress| Ok(SeenBy { user, progress: progress? }))
    }
}

/// A user who looks at the messages of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBy {
    user: UserId,
    progress: Progress,
}

impl SeenBy {
    /// Whether the user has the message; of the user's own, whether all others have.
    pub(crate) fn status_of(&self, message: &Message) -> DeliveryStatus {
        let is_own = message.sender.user == self.user;
        let come = if is_own {
            // What nobody else was there for has reached nobody.
            let others = self.progress.others.filter(|others| others.joined < message.seq);
            others.map(|others| others.watermarks)
        } else {
            self.progress.own
        };
        match come {
            Some(come) if come.seen >= message.seq => DeliveryStatus::Read,
            Some(come) if come.delivered >= message.seq => DeliveryStatus::Delivered,
            _ => DeliveryStatus::Sent,
        }
    }
}

/// What has become of a message in all: what all recipients have in common.
pub(crate) fn overall(status: &MessageStatus) -> DeliveryStatus {
    match status.recipients {
        0 => DeliveryStatus::Sent,
        all if status.read == all => DeliveryStatus::Read,
        all if status.delivered == all => DeliveryStatus::Delivered,
        _ => DeliveryStatus::Sent,
    }
}

/// The sums over all channels: of what has not arrived, and of what was not read.
pub(crate) fn totals(waiting: &[Waiting]) -> (u64, u64) {
    waiting.iter().fold((0, 0), |(total, unread), one| (total + one.undelivered, unread + one.unread))
}
