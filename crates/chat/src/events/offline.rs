use futures_util::FutureExt;
use roomkey_model::Failure;

use super::payload;
use crate::{Ack, Caller, Chat, OfflineRequest, Reply};

/// `message:getOfflineCount`.
pub(super) fn counts(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    payload::nothing(args_json)?;
    Ok(Reply::later(chat.waiting(&caller.identity).map(Ack::new)))
}

/// `message:getOffline`.
pub(super) fn messages(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let request: OfflineRequest = payload::object(args_json)?;
    Ok(Reply::later(chat.offline(&caller.identity, request)?.map(Ack::new)))
}
