use std::sync::Arc;

use futures_util::FutureExt;
use roomkey_auth::policy::{self, Action};
use roomkey_model::{ChannelId, Failure, Membership, Role, RoomName};

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
        Room::Channel(channel) => Ok(join_channel(chat, caller, name, channel)),
        // Every socket of the user is in it already.
        Room::Personal(_) if may_join(caller, &name) => {
            let joined = emission(&chat.config.namespace, "roomJoined", &(&name,));
            chat.node.emit_to_socket(&caller.socket, &joined);
            Ok(Reply::now(Ok(name)))
        }
        Room::Personal(_) => Err(Failure::forbidden()),
    }
}

fn join_channel(chat: &Chat, caller: &Caller, name: RoomName, channel: ChannelId) -> Reply {
    let turn = caller.turn();
    let user = caller.identity.user.clone();
    let permit = chat.permit(&caller.identity, Action::JoinChannel);
    let member = chat.store.join_channel(&channel, &user, Role::Member, chat.clock.now(), permit);
    let (store, node, socket) = (Arc::clone(&chat.store), chat.node.clone(), caller.socket.clone());
    let emission = emission(&chat.config.namespace, "roomJoined", &(&name,));
    let outcome = async move {
        let _turn = turn.come().await;
        member.await?;
        let room = channel_room(&channel);
        joined(node.join(&socket, &room))?;
        // A removal since then that did not find the socket in the room is seen here.
        let standing = store.standing(&channel, &user).await;
        if !matches!(&standing, Ok(Some(standing)) if standing.role.is_some()) {
            node.leave(&socket, &room);
            standing?;
            return Err(Failure::forbidden());
        }
        node.emit_to_socket(&socket, &emission);
        Ok(name)
    };
    Reply::later(outcome.map(Ack::new))
}

/// `leaveRoom`. The socket hears the room no more; the user stays a member of the channel.
pub(super) fn leave(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let name: RoomName = payload::text(args_json)?;
    let Room::Channel(channel) = room(chat, &name)? else {
        // It is how the server reaches all sockets of a user, to end a membership as well.
        return Err(Failure::forbidden());
    };
    let turn = caller.turn();
    let (node, socket) = (chat.node.clone(), caller.socket.clone());
    Ok(Reply::later(async move {
        let _turn = turn.come().await;
        node.leave(&socket, &channel_room(&channel));
        Ack::new(Ok(name))
    }))
}

fn room(chat: &Chat, name: &RoomName) -> Result<Room, Failure> {
    Room::parse(name, chat.config.dashed_personal_rooms)
        .map_err(|error| Failure::bad_payload(format!("The id in the room's name {error}")))
}

fn may_join(caller: &Caller, name: &RoomName) -> bool {
    policy::decide(&caller.identity, Action::JoinRoom(name), Membership::None).is_allowed()
}
