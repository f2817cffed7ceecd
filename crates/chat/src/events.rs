//! The events that clients send: one file for each family, and one `match` that lists them all.

mod channel;
mod delivery;
mod message;
mod offline;
mod payload;
mod presence;
mod room;
mod typing;

use roomkey_store::Receipt;

use crate::{Caller, Chat, Reply};

/// Calls the handler of `event`, if there is one.
pub(crate) fn handle(chat: &Chat, caller: &Caller, event: &str, args_json: &str) -> Option<Reply> {
    let outcome = match event {
        "channel:addMember" => channel::add_member(chat, caller, args_json),
        "channel:create" => channel::create(chat, caller, args_json),
        "channel:invite" => channel::invite(chat, caller, args_json),
        "channel:join" => channel::join(chat, caller, args_json),
        "channel:leave" => channel::leave(chat, caller, args_json),
        "channel:list" => channel::list(chat, caller, args_json),
        "channel:members" => channel::members(chat, caller, args_json),
        "channel:removeMember" => channel::remove_member(chat, caller, args_json),
        "channel:update" => channel::update(chat, caller, args_json),
        "deleteMessage" => message::delete(chat, caller, args_json),
        "joinRoom" => room::join(chat, caller, args_json),
        "leaveRoom" => room::leave(chat, caller, args_json),
        "message:delivered" => delivery::mark(chat, caller, args_json, Receipt::Delivered),
        "message:getOffline" => offline::messages(chat, caller, args_json),
        "message:getOfflineCount" => offline::counts(chat, caller, args_json),
        "message:getStatus" => delivery::status(chat, caller, args_json),
        "message:history" => message::history(chat, caller, args_json),
        "message:seen" => delivery::mark(chat, caller, args_json, Receipt::Seen),
        "presence:get" => presence::get(chat, caller, args_json),
        "sendMessage" => message::send(chat, caller, args_json),
        "updateMessage" => message::update(chat, caller, args_json),
        "typing" => typing::start(chat, caller, args_json),
        "typing:get" => typing::list(chat, caller, args_json),
        "typing:stop" => typing::stop(chat, caller, args_json),
        _ => return None,
    };
    Some(outcome.unwrap_or_else(|failure| Reply::now(Err::<(), _>(failure))))
}
