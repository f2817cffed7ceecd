use std::sync::Arc;

use roomkey_auth::Identity;
use roomkey_cluster::{Emission, Node};
use roomkey_hub::{RoomKey, Selection};
use roomkey_model::{ChannelId, Limits, Role, Timestamp, UserId};
use roomkey_store::{CommitSink, Committed, Passed, PresenceChange, Receipt};
use serde::Serialize;

use crate::{
    Access, ChannelView, MessageView, Typing,
    recheck::Evicted,
    rooms::{channel_room, personal_room},
    view::{MessageDeleted, NewStatusView, PresenceView},
};

/// Tells the world what was committed, in the order of the commits: what to open the store with.
pub fn commit_sink(
    node: Node,
    namespace: Arc<str>,
    access: Arc<Access>,
    typing: Arc<Typing>,
    limits: &Limits,
) -> CommitSink {
    let members_max = limits.presence_members;
    Box::new(move |changes| {
        for change in changes {
            tell(&node, &namespace, &access, &typing, members_max, change);
        }
    })
}

/// Where a channel has more members than `members_max`, it does not hear who becomes one and who is one no longer.
fn tell(
    node: &Node,
    namespace: &Arc<str>,
    access: &Access,
    typing: &Typing,
    members_max: usize,
    change: &Committed,
) {
    let to_channel = |channel: &ChannelId, emission: Emission| {
        node.emit_to_room(&channel_room(channel), &emission);
    };
    match change {
        Committed::ChannelUpdated(channel) => {
            let view = ChannelView::new(channel, None);
            to_channel(&channel.channel, emission(namespace, "channel.updated", &(view,)));
        }
        Committed::MemberAdded { channel, user, role, before, members } => {
            let_in(node, namespace, access, channel, user, (*before, *role));
            let added = MemberAdded { channel_id: channel, user_id: user, role: *role };
            let added = emission(namespace, "member.added", &(added,));
            if before.is_some() || *members <= members_max {
                to_channel(channel, added);
            } else if let Ok(personal) = personal_room(user) {
                node.emit_to_room(&personal, &added);
            }
        }
        Committed::MemberRemoved { channel, user, members } => {
            typing.stop(channel, user);
            evict(node, namespace, access, channel, user);
            if *members <= members_max {
                let removed = MemberRemoved { channel_id: channel, user_id: user };
                to_channel(channel, emission(namespace, "member.removed", &(removed,)));
            }
        }
        Committed::MessageCreated(message) => {
            typing.sent(&message.channel, &message.sender.user, message.created);
            let view = MessageView::from(message);
            to_channel(&message.channel, emission(namespace, "message.created", &(view,)));
        }
        Committed::MessageDeleted(message) => {
            let deleted = MessageDeleted::from(message);
            to_channel(&message.channel, emission(namespace, "message.deleted", &(deleted,)));
        }
        Committed::MessageUpdated(message) => {
            let view = MessageView::from(message);
            to_channel(&message.channel, emission(namespace, "message.updated", &(view,)));
        }
        Committed::PresenceChanged { change, channels } => presence(node, namespace, change, channels),
        Committed::WatermarkMoved { channel, user, receipt, at, passed, .. } => {
            for one in passed {
                new_status(node, namespace, one, channel, user, *receipt, *at);
            }
        }
        // The server's, which does not wait for the chat to act.
        Committed::Revoked(_) | Committed::Unblocked(_) => {}
    }
}

/// A new member hears the channel from here on, on every socket whose token may. With another role, a member does on those that
/// could not hear it before.
fn let_in(
    node: &Node,
    namespace: &Arc<str>,
    access: &Access,
    channel: &ChannelId,
    user: &UserId,
    (before, role): (Option<Role>, Role),
) {
    let Ok(personal) = personal_room(user) else { return };
    let room = channel_room(channel);
    let sockets = access.sockets_of(user);
    let may_hear = |identity: &Arc<Identity>| access.may_hear(identity, channel, role);
    match &sockets {
        // Who could hear it before has heard it, or has left the room.
        Some(sockets) if before.is_some() => {
            let could_hear = |identity: &Arc<Identity>| {
                before.is_some_and(|role| access.may_hear(identity, channel, role))
            };
            for (socket, identity) in sockets {
                if may_hear(identity) && !could_hear(identity) {
                    let _ = node.join(socket, &room);
                }
            }
        }
        Some(sockets) if !sockets.iter().all(|(_, identity)| may_hear(identity)) => {
            for (socket, _) in sockets.iter().filter(|(_, identity)| may_hear(identity)) {
                // Who is in too many rooms is not told: it is the user's other sockets that count.
                let _ = node.join(socket, &room);
            }
        }
        _ => node.join_members(namespace, &personal, &room),
    }
    // Whose token or policy has changed since it was asked above was looked for too soon, or is not found here.
    for (socket, identity) in access.sockets_of(user).unwrap_or_default() {
        if !may_hear(&identity) {
            node.leave(&socket, &room);
        }
    }
}

/// Who was a member hears nothing more of the channel, and is told so.
fn evict(node: &Node, namespace: &Arc<str>, access: &Access, channel: &ChannelId, user: &UserId) {
    let room = channel_room(channel);
    // A socket that is not in its user's room, whoever took it out, hears the channel no more either.
    for (socket, _) in access.sockets_of(user).unwrap_or_default() {
        node.leave(&socket, &room);
    }
    if let Ok(personal) = personal_room(user) {
        node.leave_members(namespace, &personal, &room);
        node.emit_to_room(
            &personal,
            &emission(namespace, "room:evicted", &(Evicted { room: room.as_str() },)),
        );
    }
}

/// Somebody has received or read what this user sent.
fn new_status(
    node: &Node,
    namespace: &Arc<str>,
    passed: &Passed,
    channel: &ChannelId,
    recipient: &UserId,
    receipt: Receipt,
    at: Timestamp,
) {
    let status = NewStatusView {
        message_id: passed.message,
        channel_id: channel,
        seq: passed.seq,
        recipient_id: recipient,
        status: receipt.into(),
        timestamp: at,
    };
    if let Ok(personal) = personal_room(&passed.sender) {
        node.emit_to_room(&personal, &emission(namespace, "message.status", &(status,)));
    }
}

/// Everyone who shares one of these channels with the user hears of it once.
fn presence(node: &Node, namespace: &Arc<str>, change: &PresenceChange, channels: &[ChannelId]) {
    let (Some((first, rest)), Ok(personal)) = (channels.split_first(), personal_room(&change.user)) else {
        return;
    };
    let room = |channel| RoomKey::room(namespace, &channel_room(channel));
    let own = RoomKey::room(namespace, &personal);
    let to = rest.iter().fold(Selection::from(room(first)), |to, channel| to.to(room(channel)));
    let view = PresenceView::new(&change.user, change.online, Some(change.at));
    node.emit_to(&to.except_room(own), &emission(namespace, "presence.update", &(view,)));
}

pub(crate) fn emission(namespace: &Arc<str>, event: &str, args: &impl Serialize) -> Emission {
    Emission::new(namespace, event, args).expect("plain data, and no reserved name")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberAdded<'a> {
    channel_id: &'a ChannelId,
    user_id: &'a UserId,
    role: Role,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberRemoved<'a> {
    channel_id: &'a ChannelId,
    user_id: &'a UserId,
}
