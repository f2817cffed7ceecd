//! The events that clients send: one file for each family, and one `match` that lists them all.

mod message;
mod payload;
mod room;

use crate::{Caller, Chat, Reply};

/// Calls the handler of `event`, if there is one.
pub(crate) fn handle(chat: &Chat, caller: &Caller, event: &str, args_json: &str) -> Option<Reply> {
    let outcome = match event {
        "deleteMessage" => message::delete(chat, caller, args_json),
        "joinRoom" => room::join(chat, caller, args_json),
        "leaveRoom" => room::leave(chat, caller, args_json),
        "message:history" => message::history(chat, caller, args_json),
        "sendMessage" => message::send(chat, caller, args_json),
        "updateMessage" => message::update(chat, caller, args_json),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|failure| Reply::now(Err::<(), _>(failure))))
}
