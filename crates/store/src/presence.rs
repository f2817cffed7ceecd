use roomkey_model::{ChannelId, Timestamp, UserId};

use crate::{HearingPermit, Pending, Permit};

/// A user came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceChange {
    /// Who.
    pub user: UserId,
    /// Whether the user is here now.
    pub online: bool,
    /// When the user came; or was here last.
    pub at: Timestamp,
}

/// When a user was last here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// Who.
    pub user: UserId,
    /// When; never, as far as is known, where it is none.
    pub at: Option<Timestamp>,
}

/// When users were here. Part of [`Store`](crate::Store).
pub trait PresenceStore: Send + Sync {
    /// Records changes, in order. Each is committed together with the user's channels that have no more than
    /// `members_max` members, which are to hear of it.
    fn record_presence(&self, changes: Vec<PresenceChange>, members_max: usize) -> Pending<()>;

    /// When those of `users` were last here who share a channel with `reader` that `permit` lets `reader` hear, or are
    /// `reader`; in their order.
    fn last_seen_of(
        &self,
        reader: &UserId,
        users: Vec<UserId>,
        permit: HearingPermit,
    ) -> Pending<Vec<LastSeen>>;

    /// When the members of the channel were last here, by user id, if `permit` allows it to `reader` and there are no
    /// more than `members_max`.
    fn last_seen_in(
        &self,
        channel: &ChannelId,
        reader: &UserId,
        members_max: usize,
        permit: Permit,
    ) -> Pending<Vec<LastSeen>>;
}
