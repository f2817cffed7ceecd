use futures_util::FutureExt;
use roomkey_model::{Failure, MessageId};
use roomkey_store::Receipt;
use serde::Deserialize;

use super::payload;
use crate::{Ack, Caller, Chat, Reply, StatusRequest};

/// `message:delivered` and `message:seen`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Marks {
    message_id: MessageId,
}

pub(super) fn mark(
    chat: &Chat,
    caller: &Caller,
    args_json: &str,
    receipt: Receipt,
) -> Result<Reply, Failure> {
    let Marks { message_id } = payload::object(args_json)?;
    Ok(Reply::later(chat.mark(&caller.identity, message_id, receipt).map(Ack::new)))
}

/// `message:getStatus`.
pub(super) fn status(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let request: StatusRequest = payload::object(args_json)?;
    Ok(Reply::later(chat.message_status(&caller.identity, request)?.map(Ack::new)))
}
