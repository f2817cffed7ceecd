use std::sync::Arc;

use roomkey_auth::policy::Action;
use roomkey_model::{ChannelId, ErrorCode, Failure};
use serde::Deserialize;

use super::payload;
use crate::{
    Ack, Caller, Chat, Reply,
    view::{TypingPage, TypingView},
};

/// `typing`, `typing:stop` and `typing:get`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct InChannel {
    channel_id: ChannelId,
}

/// `typing`: the user is shown as typing for some seconds, if it is allowed to send there.
pub(super) fn start(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let InChannel { channel_id } = payload::object(args_json)?;
    // Before the store is asked: a stop, a message or a removal that comes after this takes it back.
    let request = chat.typing.request(&channel_id, &caller.identity.user, &caller.socket);
    let allowed = chat.may(&caller.identity, &channel_id, Action::SendMessage);
    let channel = chat.store.channel(&channel_id);
    let user = caller.identity.user.clone();
    let typed = chat.clock.now();
    Ok(Reply::later(async move {
        let granted = async {
            allowed.await?;
            if channel.await?.is_some_and(|channel| channel.archived.is_some()) {
                return Err(ErrorCode::ChannelArchived.into());
            }
            request.grant()
        };
        Ack::new(granted.await.map(|granted| {
            let typed = granted.as_ref().map_or(typed, |granted| granted.typed);
            TypingView::new(&channel_id, &user, granted.is_some(), typed)
        }))
    }))
}

/// `typing:stop`.
pub(super) fn stop(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let InChannel { channel_id } = payload::object(args_json)?;
    chat.typing.stop(&channel_id, &caller.identity.user);
    let allowed = chat.may(&caller.identity, &channel_id, Action::SendMessage);
    let (user, now) = (caller.identity.user.clone(), chat.clock.now());
    Ok(Reply::later(async move {
        Ack::new(allowed.await.map(|()| TypingView::new(&channel_id, &user, false, now)))
    }))
}

/// `typing:get`: who is typing, but for the caller.
pub(super) fn list(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let InChannel { channel_id } = payload::object(args_json)?;
    let allowed = chat.may(&caller.identity, &channel_id, Action::ReadHistory);
    let (typing, user) = (Arc::clone(&chat.typing), caller.identity.user.clone());
    Ok(Reply::later(async move {
        Ack::new(allowed.await.map(|()| {
            let mut users = typing.users(&channel_id);
            users.retain(|typer| typer.user != user);
            TypingPage { channel: channel_id, users }
        }))
    }))
}
