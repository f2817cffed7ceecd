use futures_util::future::BoxFuture;
use roomkey_model::{ChannelId, Revocation, Role, Timestamp, UserId};

use crate::{
    AccountStore, AdminStore, Channel, ChannelStore, InviteStore, LoginStore, MemberStore, Message,
    MessageStore, OutboxStore, Passed, PersonalStore, PresenceChange, PresenceStore, Receipt, RetentionStore,
    RevocationStore, SessionStore, Standing, StoreError, WatermarkStore, Watermarks,
};

/// An answer on its way. The request was taken in when the method was called, not when this is first polled;
/// dropping it does not take the request back.
pub type Pending<T> = BoxFuture<'static, Result<T, StoreError>>;

/// Decides, inside the transaction, whether a user who stands so to the channel may do what was asked.
pub type Permit = Box<dyn FnOnce(Standing) -> bool + Send>;

/// Decides of each of a user's channels, with the user's role there, whether the user may hear it.
pub type HearingPermit = Box<dyn Fn(&ChannelId, Role) -> bool + Send>;

/// A [`Permit`] for an act on a member: also told that member's role, if there is one.
pub type MemberPermit = Box<dyn FnOnce(Standing, Option<Role>) -> bool + Send>;

/// A [`Permit`] for an act on a message: also told the message.
pub type MessagePermit = Box<dyn FnOnce(Standing, &Message) -> bool + Send>;

/// Told of every batch of changes, in the order of the commits, each change once.
///
/// Called on the writer's thread after the commit and before the futures of the batch resolve, so that it must
/// be quick. What it makes of the changes therefore happens in commit order, and before anyone's next act that
/// builds on them.
pub type CommitSink = Box<dyn Fn(&[Committed]) + Send>;

/// A change that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// A channel has another name, is seen by others, or was archived.
    ChannelUpdated(Channel),
    /// A user became a member of a channel, or a member has another role.
    MemberAdded {
        /// The channel.
        channel: ChannelId,
        /// The member.
        user: UserId,
        /// What the member may do.
        role: Role,
        /// What the member might do before; none: it is a new member.
        before: Option<Role>,
    },
    /// A user is no longer a member of a channel.
    MemberRemoved {
        /// The channel.
        channel: ChannelId,
        /// Who was a member.
        user: UserId,
    },
    /// A message was appended to its channel.
    MessageCreated(Message),
    /// A message was deleted: what is left of it, which has no content.
    MessageDeleted(Message),
    /// A message says something else.
    MessageUpdated(Message),
    /// A user came or went.
    PresenceChanged {
        /// What happened.
        change: PresenceChange,
        /// The user's channels that are to hear of it.
        channels: Vec<ChannelId>,
    },
    /// A member's watermark moved.
    WatermarkMoved {
        /// The channel.
        channel: ChannelId,
        /// The member.
        user: UserId,
        /// What the member said.
        receipt: Receipt,
        /// Where the watermarks are now.
        watermarks: Watermarks,
        /// Since when.
        at: Timestamp,
        /// The newest message of each member whom this is news to: that it has come further. None in a large channel.
        passed: Vec<Passed>,
    },
    /// Something was revoked: together with what was decided before about the same target.
    Revoked(Revocation),
    /// A user may come back, with tokens that are not covered by this, which takes the place of the block.
    Unblocked(Revocation),
}

/// What must survive a restart.
///
/// Every method takes its place in the order of the writes when it is called: two appends called one after
/// the other get their sequence numbers in that order. A write's future resolves after its commit has reached
/// the disk, and a read sees every write that resolved before it was called. No method ever blocks; when there
/// is more to do than the queues hold, the answer is [`StoreError::Unavailable`].
pub trait Store:
    AccountStore
    + AdminStore
    + ChannelStore
    + InviteStore
    + LoginStore
    + MemberStore
    + MessageStore
    + OutboxStore
    + PersonalStore
    + PresenceStore
    + RetentionStore
    + RevocationStore
    + SessionStore
    + WatermarkStore
{
    /// Finishes what was accepted, accepts nothing more, and lets go of the files.
    fn close(&self) -> BoxFuture<'static, ()>;
}
