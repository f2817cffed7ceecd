use std::sync::Arc;

use roomkey_cluster::{Emission, Node};
use roomkey_model::{ChannelId, UserId};
use roomkey_store::{CommitSink, Committed, Message};
use serde::Serialize;

use crate::{
    MessageView,
    rooms::{channel_room, personal_room},
};

/// Tells the world what was committed, in the order of the commits: what to open the store with.
pub fn commit_sink(node: Node, namespace: Arc<str>) -> CommitSink {
    Box::new(move |changes| {
        for change in changes {
            tell(&node, &namespace, change);
        }
    })
}

fn tell(node: &Node, namespace: &Arc<str>, change: &Committed) {
    match change {
        Committed::MemberAdded { channel, user, .. } => add(node, namespace, channel, user),
        Committed::MemberRemoved { channel, user } => remove(node, namespace, channel, user),
        Committed::MessageCreated(message) => created(node, namespace, message),
        // The server's, which does not wait for the chat to act.
        Committed::Revoked(_) | Committed::Unblocked(_) => {}
    }
}

/// The member hears the channel from here on, on every socket.
fn add(node: &Node, namespace: &Arc<str>, channel: &ChannelId, user: &UserId) {
    if let Ok(personal) = personal_room(user) {
        node.join_members(namespace, &personal, &channel_room(channel));
    }
}

/// Who was a member hears nothing more of the channel, and is told so.
fn remove(node: &Node, namespace: &Arc<str>, channel: &ChannelId, user: &UserId) {
    if let Ok(personal) = personal_room(user) {
        let room = channel_room(channel);
        node.leave_members(namespace, &personal, &room);
        node.emit_to_room(
            &personal,
            &emission(namespace, "room:evicted", &(Evicted { room: room.as_str() },)),
        );
    }
}

fn created(node: &Node, namespace: &Arc<str>, message: &Message) {
    let emission = emission(namespace, "message.created", &(MessageView::from(message),));
    node.emit_to_room(&channel_room(&message.channel), &emission);
}

pub(crate) fn emission(namespace: &Arc<str>, event: &str, args: &impl Serialize) -> Emission {
    Emission::new(namespace, event, args).expect("plain data, and no reserved name")
}

#[derive(Serialize)]
struct Evicted<'a> {
    room: &'a str,
}
