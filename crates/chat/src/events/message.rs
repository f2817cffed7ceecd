use futures_util::FutureExt;
use roomkey_model::{Failure, MessageId};
use roomkey_store::Message;
use serde::Deserialize;

use super::payload;
use crate::{Ack, Caller, Chat, HistoryRequest, MessageDeleted, MessageView, NewMessage, Reply};

/// `sendMessage`. The ack comes after the commit, and after `message.created` has gone to the channel's room.
pub(super) fn send(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let new: NewMessage = payload::object(args_json)?;
    let message = chat.send(&caller.identity, new)?;
    Ok(Reply::answer(message, |sent| Ack::new(Ok(MessageView::from(sent)))))
}

/// `updateMessage`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UpdateMessage {
    message_id: MessageId,
    content: String,
}

pub(super) fn update(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let UpdateMessage { message_id, content } = payload::object(args_json)?;
    let message = chat.edit(&caller.identity, message_id, content)?;
    Ok(Reply::answer(message, view))
}

/// `deleteMessage`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DeleteMessage {
    message_id: MessageId,
}

pub(super) fn delete(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let DeleteMessage { message_id } = payload::object(args_json)?;
    let message = chat.delete(&caller.identity, message_id);
    Ok(Reply::answer(message, |deleted| Ack::new(Ok(MessageDeleted::from(deleted)))))
}

/// `message:history`. The messages come oldest first.
pub(super) fn history(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let request: HistoryRequest = payload::object(args_json)?;
    Ok(Reply::later(chat.read_history(&caller.identity, request)?.map(Ack::new)))
}

fn view(message: &Message) -> Ack {
    Ack::new(Ok(MessageView::from(message)))
}
