use roomkey_model::{ChannelId, Failure, Role, UserId, Visibility};
use roomkey_store::{Channel, Joined, Retention};
use serde::{Deserialize, Serialize};

use super::{payload, room};
use crate::{Ack, Caller, ChannelPatch, ChannelView, Chat, ListRequest, NewChannel, NewInvite, Reply};

/// `channel:create`. The ack is the channel.
pub(super) fn create(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let new: NewChannel = payload::object(args_json)?;
    Ok(Reply::answer(chat.create_channel(&caller.identity, new), joined))
}

/// `channel:list`. Without a scope the first page of the caller's channels, and of those that everybody may find.
pub(super) fn list(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let request: ListRequest = payload::object_or_nothing(args_json)?;
    Ok(Reply::answer(chat.list_channels(&caller.identity, &request), |list| Ack::new(Ok(list))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Join {
    channel_id: Option<ChannelId>,
    invite: Option<String>,
}

/// `channel:join`, by the channel's id or with an invite. The ack is the channel.
pub(super) fn join(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let member = match payload::object(args_json)? {
        Join { channel_id: Some(channel), invite: None } => chat.join_channel(&caller.identity, &channel),
        Join { channel_id: None, invite: Some(invite) } => chat.use_invite(&caller.identity, &invite),
        _ => return Err(Failure::bad_payload("Exactly one of channelId and invite must be given")),
    };
    // A socket that had left the room while its user stayed in the channel comes back to it.
    Ok(Reply::answer(room::enter(chat, caller, member), joined))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Leave {
    channel_id: ChannelId,
}

/// `channel:leave`: the user is no longer a member.
pub(super) fn leave(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let Leave { channel_id } = payload::object(args_json)?;
    let user = caller.identity.user.clone();
    Ok(remove(chat, caller, channel_id, user))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Update {
    channel_id: ChannelId,
    name: Option<String>,
    visibility: Option<Visibility>,
    archived: Option<bool>,
    retention: Option<Retention>,
}

/// `channel:update`. The ack is the channel as it is now.
pub(super) fn update(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let Update { channel_id, name, visibility, archived, retention } = payload::object(args_json)?;
    let patch = ChannelPatch { name, visibility, archived, retention };
    let updated = chat.update_channel(&caller.identity, &channel_id, patch);
    Ok(Reply::answer(updated, |channel: &Channel| Ack::new(Ok(ChannelView::new(channel, None)))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Members {
    channel_id: ChannelId,
    after: Option<UserId>,
    limit: Option<usize>,
}

/// `channel:members`.
pub(super) fn members(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let Members { channel_id, after, limit } = payload::object(args_json)?;
    let members = chat.members(&caller.identity, &channel_id, after.as_ref(), limit);
    Ok(Reply::answer(members, |page| Ack::new(Ok(page))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AddMember {
    channel_id: ChannelId,
    user_id: UserId,
    #[serde(default = "member")]
    role: Role,
}

fn member() -> Role {
    Role::Member
}

/// `channel:addMember`: makes somebody a member, or gives a member another role.
pub(super) fn add_member(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let AddMember { channel_id, user_id, role } = payload::object(args_json)?;
    let added = chat.add_member(&caller.identity, &channel_id, &user_id, role);
    let member = Membership { channel_id, user_id, role: Some(role) };
    Ok(Reply::answer(added, move |()| Ack::new(Ok(member))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RemoveMember {
    channel_id: ChannelId,
    user_id: UserId,
}

/// `channel:removeMember`.
pub(super) fn remove_member(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let RemoveMember { channel_id, user_id } = payload::object(args_json)?;
    Ok(remove(chat, caller, channel_id, user_id))
}

fn remove(chat: &Chat, caller: &Caller, channel_id: ChannelId, user_id: UserId) -> Reply {
    let removed = chat.remove_member(&caller.identity, &channel_id, &user_id);
    let member = Membership { channel_id, user_id, role: None };
    Reply::answer(removed, move |_| Ack::new(Ok(member)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Invite {
    channel_id: ChannelId,
    role: Option<Role>,
    user_id: Option<UserId>,
    expires_in_s: Option<u64>,
    uses: Option<u32>,
}

/// `channel:invite`. The ack is the only place where the invite is told.
pub(super) fn invite(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let Invite { channel_id, role, user_id, expires_in_s, uses } = payload::object(args_json)?;
    let usual = NewInvite::default();
    let new = NewInvite {
        role: role.unwrap_or(usual.role),
        user_id,
        expires_in_s,
        uses: uses.unwrap_or(usual.uses),
    };
    Ok(Reply::answer(chat.invite(&caller.identity, &channel_id, new), |invite| Ack::new(Ok(invite))))
}

fn joined(joined: &Joined) -> Ack {
    Ack::new(Ok(ChannelView::from(joined)))
}

/// What a member is now; without a role, what the member was.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Membership {
    channel_id: ChannelId,
    user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
}
