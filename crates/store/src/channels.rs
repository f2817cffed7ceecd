use roomkey_model::{ChannelId, Membership, Role, Seq, Timestamp, UserId, Visibility};

use crate::{MemberPermit, Pending, Permit, Profile};

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
}

/// A channel a user is in, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The channel.
    pub channel: Channel,
    /// The user's role in it.
    pub role: Role,
}

/// A member of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who it is.
    pub profile: Profile,
    /// What the member may do.
    pub role: Role,
    /// Since when.
    pub joined: Timestamp,
}

/// How a user stands to a channel that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The channel.
    pub channel: ChannelId,
    /// Who may find and join the channel.
    pub visibility: Visibility,
    /// The user's role; none for who is not a member.
    pub role: Option<Role>,
}

impl Standing {
    /// The same, as the policy asks.
    #[must_use]
    pub fn membership(&self) -> Membership {
        Membership::new(self.visibility, self.role)
    }
}

/// Channels and who is in them. Part of [`Store`](crate::Store).
pub trait ChannelStore: Send + Sync {
    /// A user has come: brings the profile up to date, and gives the channels the user is in.
    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<ChannelId>>;

    /// Creates a channel with its creator as the owner. The creator must have a profile.
    fn create_channel(&self, channel: Channel) -> Pending<()>;

    /// The channel.
    fn channel(&self, channel: &ChannelId) -> Pending<Option<Channel>>;

    /// The channels the user is in, by id, after `after`; at most `limit`.
    fn channels_of(&self, user: &UserId, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Joined>>;

    /// The public channels, by id, after `after`; at most `limit`.
    fn public_channels(&self, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Channel>>;

    /// How the user stands to the channel; none if there is no such channel.
    fn standing(&self, channel: &ChannelId, user: &UserId) -> Pending<Option<Standing>>;

    /// Lets a user in on their own wish; gives the role the user now has.
    ///
    /// Who is a member stays so, without asking `permit`. Who is not becomes one with `role` if `permit` allows.
    fn join_channel(
        &self,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Role>;

    /// Makes `user` a member with `role`, or gives a member that role, if `permit` allows it to `actor`.
    ///
    /// A user who was never here gets a profile that shows the id.
    fn add_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: MemberPermit,
    ) -> Pending<()>;

    /// Removes a member if `permit` allows it to `actor`; tells whether there was one.
    fn remove_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        permit: MemberPermit,
    ) -> Pending<bool>;

    /// The members of the channel by user id, after `after`, if `permit` allows it to `reader`; at most `limit`.
    fn members(
        &self,
        channel: &ChannelId,
        reader: &UserId,
        after: Option<&UserId>,
        limit: usize,
        permit: Permit,
    ) -> Pending<Vec<Member>>;
}
