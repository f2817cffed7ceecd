use roomkey_model::{ChannelId, Role, Timestamp, UserId};

use crate::{Joined, Pending, Permit};

/// An invite to a channel: who knows its secret may become a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// A digest of the secret.
    pub digest: [u8; 32],
    /// The channel.
    pub channel: ChannelId,
    /// Who made it.
    pub inviter: UserId,
    /// The only one who can use it; none: whoever has it.
    pub user: Option<UserId>,
    /// What the new member may do.
    pub role: Role,
    /// How often it can be used.
    pub uses: u32,
    /// When it is over.
    pub ends: Timestamp,
}

/// Invites to channels. Part of [`Store`](crate::Store).
pub trait InviteStore: Send + Sync {
    /// Keeps an invite if `permit` allows it to the inviter, and the channel has fewer than `invites_max` of them.
    ///
    /// Those of the channel that are over or used up are forgotten.
    fn create_invite(
        &self,
        invite: Invite,
        invites_max: usize,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<()>;

    /// Makes `user` a member of the invite's channel, and uses it up by one, if `permit` allows it.
    ///
    /// Who is a member stays what they are, and the invite with them. An invite that is over, used up or for somebody
    /// else is [`NotFound`](crate::StoreError::NotFound), as one that never was.
    fn use_invite(&self, digest: [u8; 32], user: &UserId, now: Timestamp, permit: Permit) -> Pending<Joined>;
}
