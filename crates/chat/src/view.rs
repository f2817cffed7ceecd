//! What clients see, over Socket.IO as over REST.

mod delivery;
mod live;

use roomkey_auth::InviteToken;
use roomkey_model::{MessageId, Role, Seq, Timestamp, Visibility};
use roomkey_store::{Channel, DeliveryStatus, Joined, Member, Message, Profile, Retention};
use serde::{Serialize, Serializer, ser::SerializeMap};

pub(crate) use delivery::NewStatusView;
pub use delivery::{MarkedView, MessagePage, OfflinePage, StatusView, WaitingPage};

pub(crate) use live::{PresencePage, PresenceView, TypingPage, TypingView};

/// A message as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView<'a> {
    id: MessageId,
    channel_id: &'a str,
    user_id: &'a str,
    content: &'a str,
    seq: Seq,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(serialize_with = "iso")]
    created_at: Timestamp,
    #[serde(serialize_with = "iso")]
    updated_at: Timestamp,
    #[serde(serialize_with = "iso_or_null")]
    edited_at: Option<Timestamp>,
    #[serde(serialize_with = "iso_or_null", skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Timestamp>,
    delivery_status: DeliveryStatus,
    user: UserView<'a>,
}

impl<'a> MessageView<'a> {
    /// The message as the one sees it for whom it has this status.
    pub fn new(message: &'a Message, delivery_status: DeliveryStatus) -> Self {
        Self {
            id: message.message,
            channel_id: message.channel.as_str(),
            user_id: message.sender.user.as_str(),
            content: &message.content,
            seq: message.seq,
            client_id: message.client_id.as_deref(),
            created_at: message.created,
            updated_at: message.updated,
            edited_at: message.edited,
            deleted_at: message.deleted,
            delivery_status,
            user: UserView::from(&message.sender),
        }
    }
}

impl<'a> From<&'a Message> for MessageView<'a> {
    /// The message as everyone sees it when it is new.
    fn from(message: &'a Message) -> Self {
        Self::new(message, DeliveryStatus::Sent)
    }
}

/// What is told of a message that was deleted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageDeleted<'a> {
    message_id: MessageId,
    channel_id: &'a str,
    seq: Seq,
}

impl<'a> From<&'a Message> for MessageDeleted<'a> {
    fn from(message: &'a Message) -> Self {
        Self { message_id: message.message, channel_id: message.channel.as_str(), seq: message.seq }
    }
}

#[derive(Serialize)]
struct UserView<'a> {
    id: &'a str,
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<&'a str>,
}

impl<'a> From<&'a Profile> for UserView<'a> {
    fn from(profile: &'a Profile) -> Self {
        Self { id: profile.user.as_str(), username: &profile.name, avatar: profile.avatar.as_deref() }
    }
}

/// A channel as clients see it: with the caller's role where the caller is a member.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelView<'a> {
    id: &'a str,
    name: &'a str,
    visibility: Visibility,
    created_by: &'a str,
    #[serde(serialize_with = "iso")]
    created_at: Timestamp,
    last_seq: Seq,
    #[serde(serialize_with = "iso_or_null", skip_serializing_if = "Option::is_none")]
    archived_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Retention::is_all")]
    retention: Retention,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
}

impl<'a> ChannelView<'a> {
    /// The channel as who has this role in it sees it.
    pub fn new(channel: &'a Channel, role: Option<Role>) -> Self {
        Self {
            id: channel.channel.as_str(),
            name: &channel.name,
            visibility: channel.visibility,
            created_by: channel.creator.as_str(),
            created_at: channel.created,
            last_seq: channel.last_seq,
            archived_at: channel.archived,
            retention: channel.retention,
            role,
        }
    }
}

impl<'a> From<&'a Joined> for ChannelView<'a> {
    fn from(joined: &'a Joined) -> Self {
        Self::new(&joined.channel, Some(joined.role))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MemberView<'a> {
    user: UserView<'a>,
    role: Role,
    #[serde(serialize_with = "iso")]
    joined_at: Timestamp,
}

impl<'a> From<&'a Member> for MemberView<'a> {
    fn from(member: &'a Member) -> Self {
        Self { user: UserView::from(&member.profile), role: member.role, joined_at: member.joined }
    }
}

/// An invite as who made it sees it, once: `{invite, expiresAt}`.
pub struct IssuedInvite {
    invite: InviteToken,
    ends: Timestamp,
}

impl IssuedInvite {
    pub(crate) fn new(invite: InviteToken, ends: Timestamp) -> Self {
        Self { invite, ends }
    }
}

impl Serialize for IssuedInvite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let invite = self.invite.expose();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("invite", invite)?;
        map.serialize_entry("expiresAt", &self.ends.to_string())?;
        map.end()
    }
}

/// Declares a page of a list: `{<name>: [...]}`.
macro_rules! page {
    ($(#[$doc:meta])* $page:ident { $name:literal: $record:ty => $view:expr }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $page(pub Vec<$record>);

        impl Serialize for $page {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let views: Vec<_> = self.0.iter().map($view).collect();
                serializer.collect_map([($name, views)])
            }
        }
    };
}

page! {
    /// Channels the caller is in, and as what: `{channels: [...]}`.
    ChannelPage { "channels": Joined => ChannelView::from }
}

page! {
    /// Public channels, whether the caller is in them or not: `{channels: [...]}`.
    PublicChannelPage { "channels": Channel => |channel| ChannelView::new(channel, None) }
}

/// Channels the caller is in, and public ones the caller is not in: `{channels: [...]}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelList {
    /// With the caller's role.
    pub mine: Vec<Joined>,
    /// Without one.
    pub public: Vec<Channel>,
}

impl Serialize for ChannelList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let public = self.public.iter().map(|channel| ChannelView::new(channel, None));
        let views: Vec<_> = self.mine.iter().map(ChannelView::from).chain(public).collect();
        serializer.collect_map([("channels", views)])
    }
}

page! {
    /// Members of a channel: `{members: [...]}`.
    MemberPage { "members": Member => MemberView::from }
}

fn iso<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn iso_or_null<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}
