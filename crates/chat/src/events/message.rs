use futures_util::FutureExt;
use roomkey_auth::policy::Action;
use roomkey_model::{ChannelId, Failure, Limit, Limits, MessageId};
use roomkey_store::Draft;
use serde::Deserialize;

use super::payload;
use crate::{Ack, Caller, Chat, HistoryRequest, MessageView, Reply, channels::text};

/// `sendMessage`. The ack comes after the commit, and after `message.created` has gone to the channel's room.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SendMessage {
    channel_id: ChannelId,
    content: String,
    client_id: Option<String>,
}

impl SendMessage {
    fn check(&self, limits: &Limits) -> Result<(), Failure> {
        text("content", &self.content, Limit::MessageContent, limits.message_content_bytes)?;
        match &self.client_id {
            Some(id) => text("clientId", id, Limit::ClientId, limits.client_id_bytes),
            None => Ok(()),
        }
    }
}

pub(super) fn send(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let payload: SendMessage = payload::object(args_json)?;
    payload.check(&chat.config.limits)?;
    let now = chat.clock.now();
    let draft = Draft {
        message: MessageId::generate(now, chat.entropy.as_ref()),
        channel: payload.channel_id,
        sender: caller.identity.user.clone(),
        content: payload.content,
        client_id: payload.client_id,
        created: now,
    };
    let message = chat.store.append(draft, chat.permit(&caller.identity, Action::SendMessage));
    Ok(Reply::later(
        message.map(|stored| Ack::new(stored.as_ref().map(MessageView::from).map_err(Failure::from))),
    ))
}

/// `message:history`. The messages come oldest first.
pub(super) fn history(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let request: HistoryRequest = payload::object(args_json)?;
    Ok(Reply::later(chat.read_history(&caller.identity, request)?.map(Ack::new)))
}
