use roomkey_model::{ChannelId, Membership, Role, Timestamp, UserId, Visibility};

use crate::{Joined, MemberPermit, Pending, Permit, Profile};

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

/// Who is in the channels. A channel always has an owner. Part of [`Store`](crate::Store).
pub trait MemberStore: Send + Sync {
    /// How the user stands to the channel; none if there is no such channel.
    fn standing(&self, channel: &ChannelId, user: &UserId) -> Pending<Option<Standing>>;

    /// Lets a user in on their own wish; gives the channel, and the role the user now has.
    ///
    /// Who is a member stays so, without asking `permit`. Who is not becomes one with `role` if `permit` allows.
    fn join_channel(
        &self,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Joined>;

    /// Makes `user` a member with `role`, or gives a member that role, if `permit` allows it to `actor`.
    ///
    /// Gives the role that `user` had before. A user who was never here gets a profile that shows the id. The invites of
    /// a member who becomes less are gone.
    fn add_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: MemberPermit,
    ) -> Pending<Option<Role>>;

    /// Removes a member, and the invites that the member made, if `permit` allows it to `actor`; tells whether there
    /// was one.
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

    /// How many members a channel has; none if there is no such channel.
    fn count_members(&self, channel: &ChannelId) -> Pending<usize>;
}
