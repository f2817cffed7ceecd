use roomkey_model::{ChannelId, Timestamp, UserId};
use serde::{Serialize, Serializer};

use super::{iso, iso_or_null};
use crate::{presence::UserPresence, typing::TypingUser};

/// Whether somebody is typing, as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TypingView<'a> {
    user_id: &'a str,
    channel_id: &'a str,
    is_typing: bool,
    #[serde(serialize_with = "iso")]
    timestamp: Timestamp,
}

impl<'a> TypingView<'a> {
    pub(crate) fn new(
        channel: &'a ChannelId,
        user: &'a UserId,
        is_typing: bool,
        timestamp: Timestamp,
    ) -> Self {
        Self { user_id: user.as_str(), channel_id: channel.as_str(), is_typing, timestamp }
    }
}

/// Who is typing in a channel: `{typing: [...]}`.
pub(crate) struct TypingPage {
    pub(crate) channel: ChannelId,
    pub(crate) users: Vec<TypingUser>,
}

impl Serialize for TypingPage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let users = self.users.iter();
        let views = users.map(|typer| TypingView::new(&self.channel, &typer.user, true, typer.typed));
        serializer.collect_map([("typing", views.collect::<Vec<_>>())])
    }
}

/// Whether somebody is here, as clients see it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PresenceView<'a> {
    user_id: &'a str,
    online: bool,
    #[serde(serialize_with = "iso_or_null")]
    last_seen: Option<Timestamp>,
}

impl<'a> PresenceView<'a> {
    /// Who is here was not seen last at any time.
    pub(crate) fn new(user: &'a UserId, online: bool, last_seen: Option<Timestamp>) -> Self {
        Self { user_id: user.as_str(), online, last_seen: last_seen.filter(|_| !online) }
    }
}

/// Whether users are here: `{presence: [...]}`.
pub(crate) struct PresencePage(pub(crate) Vec<UserPresence>);

impl Serialize for PresencePage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let users = self.0.iter();
        let views = users.map(|one| PresenceView::new(&one.user, one.online, one.last_seen));
        serializer.collect_map([("presence", views.collect::<Vec<_>>())])
    }
}
