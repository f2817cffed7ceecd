use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};
use roomkey_auth::policy::Action;
use roomkey_model::{ChannelId, Failure, Role, RoomName};
use roomkey_store::Joined;

use super::payload;
use crate::{
    Ack, Caller, Chat, Reply,
    rooms::{Room, channel_room, joined},
    sink::emission,
};

/// `joinRoom`. Joining the room of a public channel makes its user a member.
pub(super) fn join(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let name: RoomName = payload::text(args_json)?;
    match room(chat, &name)? {
        Room::Channel(channel) => Ok(join_channel(chat, caller, name, &channel)),
        Room::Free(room) => Ok(join_free(chat, caller, room)),
        // Every socket of the user is in it already, and no rule lets anybody into another's.
        Room::Personal(user)
            if user == caller.identity.user && chat.config.access.may_join(&caller.identity, &name) =>
        {
            Ok(in_room(chat, caller, name))
        }
        Room::Personal(_) => Err(Failure::forbidden()),
    }
}

/// Only rules of the configuration let anybody in.
fn join_free(chat: &Chat, caller: &Caller, name: RoomName) -> Reply {
    let turn = caller.turn();
    let (access, identity) = (chat.config.access.clone(), caller.identity.clone());
    let (node, socket) = (chat.node.clone(), caller.socket.clone());
    let emission = emission(&chat.config.namespace, "roomJoined", &(&name,));
    let outcome = async move {
        let _turn = turn.come().await;
        if !access.may_join(&identity, &name) {
            return Err(Failure::forbidden());
        }
        joined(node.join(&socket, &name))?;
        // Other rules since then have not found the socket in the room.
        if !access.may_join(&identity, &name) {
            node.leave(&socket, &name);
            return Err(Failure::forbidden());
        }
        node.emit_to_socket(&socket, &emission);
        Ok(name)
    };
    Reply::later(outcome.map(Ack::new))
}

fn in_room(chat: &Chat, caller: &Caller, name: RoomName) -> Reply {
    let joined = emission(&chat.config.namespace, "roomJoined", &(&name,));
    chat.node.emit_to_socket(&caller.socket, &joined);
    Reply::now(Ok(name))
}

fn join_channel(chat: &Chat, caller: &Caller, name: RoomName, channel: &ChannelId) -> Reply {
    let user = &caller.identity.user;
    let permit = chat.permit(&caller.identity, Action::Join);
    let member = chat.store.join_channel(channel, user, Role::Member, chat.clock.now(), permit);
    let entered = enter(chat, caller, member.err_into());
    let (node, socket) = (chat.node.clone(), caller.socket.clone());
    let emission = emission(&chat.config.namespace, "roomJoined", &(&name,));
    Reply::answer(entered, move |_| {
        node.emit_to_socket(&socket, &emission);
        Ack::new(Ok(name))
    })
}

/// Lets the caller's socket into the room of a channel, once its user is a member, and when it is its turn.
pub(super) fn enter<M>(
    chat: &Chat,
    caller: &Caller,
    member: M,
) -> impl Future<Output = Result<Joined, Failure>> + Send + use<M>
where
    M: Future<Output = Result<Joined, Failure>> + Send + 'static,
{
    let turn = caller.turn();
    let (access, identity) = (chat.config.access.clone(), caller.identity.clone());
    let (store, node, socket) = (Arc::clone(&chat.store), chat.node.clone(), caller.socket.clone());
    async move {
        let _turn = turn.come().await;
        let member = member.await?;
        let channel = &member.channel.channel;
        let room = channel_room(channel);
        if !access.may_hear(&identity, channel, member.role) {
            return Err(Failure::forbidden());
        }
        joined(node.join(&socket, &room))?;
        // A removal since then that did not find the socket in the room is seen here, and so are other rules.
        let standing = store.standing(channel, &identity.user).await;
        let role = standing.as_ref().ok().and_then(|standing| standing.as_ref()?.role);
        if !role.is_some_and(|role| access.may_hear(&identity, channel, role)) {
            node.leave(&socket, &room);
            standing?;
            return Err(Failure::forbidden());
        }
        Ok(member)
    }
}

/// `leaveRoom`. The socket hears the room no more; the user stays a member of the channel.
pub(super) fn leave(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let name: RoomName = payload::text(args_json)?;
    let room = match room(chat, &name)? {
        Room::Channel(channel) => {
            chat.typing.left(&channel, &caller.identity.user, &caller.socket);
            channel_room(&channel)
        }
        Room::Free(room) => room,
        // It is how the server reaches all sockets of a user, to end a membership as well.
        Room::Personal(_) => return Err(Failure::forbidden()),
    };
    let turn = caller.turn();
    let (node, socket) = (chat.node.clone(), caller.socket.clone());
    Ok(Reply::later(async move {
        let _turn = turn.come().await;
        node.leave(&socket, &room);
        Ack::new(Ok(name))
    }))
}

fn room(chat: &Chat, name: &RoomName) -> Result<Room, Failure> {
    Room::parse(name, chat.config.dashed_personal_rooms)
        .map_err(|error| Failure::bad_payload(format!("The id in the room's name {error}")))
}
