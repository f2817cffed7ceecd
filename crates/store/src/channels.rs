use roomkey_model::{ChannelId, Role, Seq, Timestamp, UserId, Visibility};

use crate::{Pending, Permit, Profile, Retention};

/// A channel of the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub channel: ChannelId,
    /// Its name, not unique.
    pub name: String,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// Who created it.
    pub creator: UserId,
    /// When it was created.
    pub created: Timestamp,
    /// The newest message; zero while there is none.
    pub last_seq: Seq,
    /// Since when nothing can be sent to it; none while it can.
    pub archived: Option<Timestamp>,
    /// How much of it is kept, by its owner's wish.
    pub retention: Retention,
}

/// What is to be another with a channel. What is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelChange {
    /// Its name.
    pub name: Option<String>,
    /// Who may find and join it.
    pub visibility: Option<Visibility>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// How much of it is kept.
    pub retention: Option<Retention>,
}

/// A channel a user is in, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The channel.
    pub channel: Channel,
    /// The user's role in it.
    pub role: Role,
}

/// Channels. Part of [`Store`](crate::Store).
pub trait ChannelStore: Send + Sync {
    /// A user has come: brings the profile up to date, and gives the channels the user is in, and as what.
    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<(ChannelId, Role)>>;

    /// Creates a channel with its creator as the owner. The creator must have a profile.
    fn create_channel(&self, channel: Channel) -> Pending<()>;

    /// The channel.
    fn channel(&self, channel: &ChannelId) -> Pending<Option<Channel>>;

    /// The channels the user is in, by id, after `after`; at most `limit`.
    fn channels_of(&self, user: &UserId, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Joined>>;

    /// The public channels, by id, after `after`; at most `limit`.
    fn public_channels(&self, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Channel>>;

    /// Changes a channel if `permit` allows it to `actor`; gives what it is now.
    ///
    /// A change to what it is already is not committed.
    fn update_channel(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        change: ChannelChange,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Channel>;
}
