use roomkey_model::{ChannelId, Role, Seq, Timestamp, UserId};

use crate::{Account, Message, Pending, Profile, Revoke, Session, Watermarks};

/// Who stands where a user was that has been erased.
pub const ERASED: &str = "(erased)";

/// What is kept of a user, but for the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalData {
    /// What others see.
    pub profile: Profile,
    /// The account, where the user is of the built-in issuer.
    pub account: Option<Account>,
    /// When the user was last here.
    pub last_seen: Option<Timestamp>,
    /// The logins that are remembered, the newest first.
    pub sessions: Vec<Session>,
    /// The channels the user is in.
    pub memberships: Vec<MembershipData>,
    /// How many messages the user has sent that are still there.
    pub messages: u64,
    /// The channels the user has created.
    pub created: Vec<ChannelId>,
}

/// What is kept of a user in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipData {
    /// The channel.
    pub channel: ChannelId,
    /// Its name.
    pub name: String,
    /// What the user may do there.
    pub role: Role,
    /// Since when.
    pub joined: Timestamp,
    /// How far the user has come.
    pub watermarks: Watermarks,
}

/// Where a message is among those of its sender: its channel, its client id, its number.
pub type SentAt = (ChannelId, Option<String>, Seq);

/// What becomes of somebody's place when the user is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The channels the user was in.
    pub channels: usize,
    /// Those of them that have another owner now, because there would be none.
    pub inherited: Vec<(ChannelId, UserId)>,
}

/// All that is kept of one person. Part of [`Store`](crate::Store).
pub trait PersonalStore: Send + Sync {
    /// All but the messages; none if nobody of this name was ever here.
    fn personal_data(&self, user: &UserId) -> Pending<Option<PersonalData>>;

    /// The messages that the user has sent, by channel, client id (those without one first) and number, after `after`; at
    /// most `limit`.
    fn messages_from(&self, user: &UserId, after: Option<SentAt>, limit: usize) -> Pending<Vec<Message>>;

    /// Removes the account, the logins, the memberships and the invites of a user in one commit with the revocations that
    /// `revoke` makes of the logins, and decides that the messages go, too.
    ///
    /// A channel that would have no owner gets the member who comes first by role and time; one that nobody else is in is
    /// archived and private from here on. What waits to be told to backends about the user is forgotten. [`StoreError::NotFound`] if
    /// nobody of this name was ever here.
    ///
    /// [`StoreError::NotFound`]: crate::StoreError::NotFound
    fn erase(&self, user: &UserId, now: Timestamp, revoke: Revoke) -> Pending<Erased>;

    /// Empties messages of a user who was erased, at most `limit`, and puts [`ERASED`] in the user's place; with the last
    /// one goes what others saw of the user. Tells how many; none: no user is left whose messages are to go. To be repeated
    /// until then, also after a restart.
    fn erase_messages(&self, now: Timestamp, limit: usize) -> Pending<Option<usize>>;
}
