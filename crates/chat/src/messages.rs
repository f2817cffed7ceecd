//! What is done with messages, by events as over REST. What a method asks of the store it has asked when it returns; the
//! answer is what is left to wait for.

use std::sync::Arc;

use futures_util::TryFutureExt;
use roomkey_auth::{Identity, policy::Action};
use roomkey_model::{ChannelId, Failure, Limit, MessageId, Seq};
use roomkey_store::{Draft, Edit, HistoryQuery, Message, Page};
use serde::Deserialize;

use crate::{
    Chat,
    channels::{page_limit, text},
    page::{newest_within, oldest_within},
    view::MessagePage,
};

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewMessage {
    /// Where.
    pub channel_id: ChannelId,
    /// What it says.
    pub content: String,
    /// The client's name for it: a retry with the same one is the same message.
    pub client_id: Option<String>,
}

/// A stretch of the history, as a client asks for it. Without `before` or `after` it is the newest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HistoryRequest {
    /// The channel.
    pub channel_id: ChannelId,
    /// The newest messages before this one.
    pub before: Option<Seq>,
    /// The oldest messages after this one.
    pub after: Option<Seq>,
    /// How many at most; where it is not said, the most there can be.
    pub limit: Option<usize>,
}

impl Chat {
    /// Sends a message. Who else retries it with the same client id gets what was sent then.
    pub fn send(
        &self,
        identity: &Arc<Identity>,
        new: NewMessage,
    ) -> Result<impl Future<Output = Result<Message, Failure>> + Send + use<>, Failure> {
        self.check_content(&new.content)?;
        if let Some(id) = &new.client_id {
            text("clientId", id, Limit::ClientId, self.config.limits.client_id_bytes)?;
        }
        let now = self.clock.now();
        let draft = Draft {
            message: MessageId::generate(now, self.entropy.as_ref()),
            channel: new.channel_id,
            sender: identity.user.clone(),
            content: new.content,
            client_id: new.client_id,
            created: now,
        };
        Ok(self.store.append(draft, self.permit(identity, Action::SendMessage)).err_into())
    }

    /// Changes what a message of the caller's own says.
    pub fn edit(
        &self,
        identity: &Arc<Identity>,
        message: MessageId,
        content: String,
    ) -> Result<impl Future<Output = Result<Message, Failure>> + Send + use<>, Failure> {
        self.check_content(&content)?;
        let edited = self.clock.now();
        let permit = self.edit_permit(identity, edited);
        let edit = Edit { message, editor: identity.user.clone(), content, edited };
        Ok(self.store.edit_message(edit, permit).err_into())
    }

    /// Deletes a message: the caller's own, or as a moderator.
    pub fn delete(
        &self,
        identity: &Arc<Identity>,
        message: MessageId,
    ) -> impl Future<Output = Result<Message, Failure>> + Send + use<> {
        let (now, permit) = (self.clock.now(), self.delete_permit(identity));
        self.store.delete_message(&message, &identity.user, now, permit).err_into()
    }

    fn check_content(&self, content: &str) -> Result<(), Failure> {
        text("content", content, Limit::MessageContent, self.config.limits.message_content_bytes)
    }

    /// A stretch of a channel's history.
    pub async fn history(
        &self,
        identity: &Arc<Identity>,
        request: HistoryRequest,
    ) -> Result<MessagePage, Failure> {
        self.read_history(identity, request)?.await
    }

    /// The same, asked of the store when it is called.
    pub(crate) fn read_history(
        &self,
        identity: &Arc<Identity>,
        request: HistoryRequest,
    ) -> Result<impl Future<Output = Result<MessagePage, Failure>> + Send + use<>, Failure> {
        let page = match (request.before, request.after) {
            (None, None) => Page::Latest,
            (Some(seq), None) => Page::Before(seq),
            (None, Some(seq)) => Page::After(seq),
            (Some(_), Some(_)) => {
                return Err(Failure::bad_payload("before, after: only one of them can be given"));
            }
        };
        let query = HistoryQuery {
            channel: request.channel_id,
            reader: identity.user.clone(),
            page,
            limit: page_limit(request.limit, &self.config.limits)?,
            since_join: self.config.history_since_join,
        };
        let seen_by = self.seen_by(&identity.user, &query.channel);
        let messages = self.store.history(query, self.permit(identity, Action::ReadHistory));
        let bytes_max = self.config.limits.page_bytes;
        Ok(async move {
            let messages = match page {
                Page::After(_) => oldest_within(messages.await?, bytes_max).0,
                Page::Before(_) | Page::Latest => newest_within(messages.await?, bytes_max),
            };
            Ok(MessagePage { messages, seen_by: seen_by.await? })
        })
    }
}
