use futures_util::future::BoxFuture;
use roomkey_model::{ChannelId, MessageId, Revocation, SessionId, Timestamp, UserId};

use crate::{
    Account, Channel, Draft, HistoryQuery, Joined, LoginFailures, Member, Message, PastLogin, Profile,
    RefreshFamily, Revoke, Role, Rotated, Rotation, Session, Standing, StoreError,
};

/// An answer on its way. The request was taken in when the method was called, not when this is first polled;
/// dropping it does not take the request back.
pub type Pending<T> = BoxFuture<'static, Result<T, StoreError>>;

/// Decides, inside the transaction, whether a user who stands so to the channel may do what was asked.
pub type Permit = Box<dyn FnOnce(Standing) -> bool + Send>;

/// A [`Permit`] for an act on a member: also told that member's role, if there is one.
pub type MemberPermit = Box<dyn FnOnce(Standing, Option<Role>) -> bool + Send>;

/// Told of every batch of changes, in the order of the commits, each change once.
///
/// Called on the writer's thread after the commit and before the futures of the batch resolve, so that it must
/// be quick. What it makes of the changes therefore happens in commit order, and before anyone's next act that
/// builds on them.
pub type CommitSink = Box<dyn Fn(&[Committed]) + Send>;

/// A change that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// A user became a member of a channel.
    MemberAdded {
        /// The channel.
        channel: ChannelId,
        /// The new member.
        user: UserId,
        /// What the new member may do.
        role: Role,
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
pub trait Store: Send + Sync {
    /// Creates an account and its profile. [`StoreError::Conflict`] names `email`, `username` or `id`.
    fn create_account(&self, account: Account) -> Pending<()>;

    /// The account with this e-mail address, without regard to case.
    fn account_by_email(&self, email: &str) -> Pending<Option<Account>>;

    /// The account with this user name, without regard to case.
    fn account_by_username(&self, username: &str) -> Pending<Option<Account>>;

    /// The account of this user.
    fn account(&self, user: &UserId) -> Pending<Option<Account>>;

    /// The accounts by user id, after `after`; at most `limit`.
    fn accounts(&self, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>>;

    /// Replaces the password's hash if it still is `old`, and leaves the sessions alone.
    fn rehash_password(&self, user: &UserId, old: &str, new: String) -> Pending<()>;

    /// Replaces the password's hash if it still is `old`, and ends all logins of the user but `except`; in one commit with
    /// the revocations that `revoke` makes of them. Tells how many.
    fn change_password(
        &self,
        user: &UserId,
        old: &str,
        new: String,
        except: Option<&SessionId>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize>;

    /// Stores a new login, and what its first refresh token is known by.
    ///
    /// [`StoreError::Denied`] if the account has another password by now than the one whose hash was looked at, or is
    /// blocked: what ended all logins in between is not undone by one that was on its way.
    fn create_session(&self, session: Session, refresh: RefreshFamily, password_hash: &str) -> Pending<()>;

    /// The login, also when it has ended.
    fn session(&self, session: &SessionId) -> Pending<Option<Session>>;

    /// What the tags of its refresh tokens are made with; none if it has none.
    fn refresh_tag_key(&self, session: &SessionId) -> Pending<Option<[u8; 32]>>;

    /// Exchanges a refresh token, once. Of two requests with the same token one exchanges it, and the other is a retry.
    fn rotate(&self, rotation: Rotation) -> Pending<Rotated>;

    /// The logins of a user that have not ended and are not over, newest first; at most `limit`.
    fn sessions_of(&self, user: &UserId, now: Timestamp, limit: usize) -> Pending<Vec<Session>>;

    /// Notes that the login was used.
    fn touch_session(&self, session: &SessionId, now: Timestamp) -> Pending<()>;

    /// Ends the login and writes the revocation, in one commit; tells whether it was there, of this user, and had not
    /// ended.
    fn end_session(
        &self,
        session: &SessionId,
        user: &UserId,
        now: Timestamp,
        revocation: Revocation,
    ) -> Pending<bool>;

    /// Ends the logins of the user that began at `began_by` or before, or all, in one commit with the revocations that
    /// `revoke` makes of them. Tells how many.
    fn end_sessions_of(
        &self,
        user: &UserId,
        began_by: Option<Timestamp>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize>;

    /// Forgets the logins that were over before `since`; tells how many.
    fn forget_sessions(&self, since: Timestamp) -> Pending<usize>;

    /// Revokes all of these, or none.
    fn revoke(&self, revocations: Vec<Revocation>) -> Pending<()>;

    /// Puts `cut_off`, which is about a user, in the place of that user's block; tells whether there was one.
    fn unblock(&self, cut_off: Revocation) -> Pending<bool>;

    /// All revocations, also those that are over.
    fn revocations(&self) -> Pending<Vec<Revocation>>;

    /// Forgets revocations that are over by `now`, at most `limit`; tells how many.
    fn purge_revocations(&self, now: Timestamp, limit: usize) -> Pending<usize>;

    /// Remembers that logins to an account failed, in the place of what was remembered of it before.
    fn note_login_failures(&self, failures: LoginFailures) -> Pending<()>;

    /// The failed logins that still count, the longest first; at most `limit`.
    fn login_failures(&self, now: Timestamp, limit: usize) -> Pending<Vec<LoginFailures>>;

    /// Forgets those that count no more, at most `limit`; tells how many.
    fn forget_login_failures(&self, now: Timestamp, limit: usize) -> Pending<usize>;

    /// Which accounts were logged in to since then, and from where, the latest first; at most `limit`.
    fn past_logins(&self, since: Timestamp, limit: usize) -> Pending<Vec<PastLogin>>;

    /// A user has come: brings the profile up to date, and gives the channels the user is in.
    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<ChannelId>>;

    /// What others see of the user.
    fn profile(&self, user: &UserId) -> Pending<Option<Profile>>;

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

    /// Appends a message if `permit` allows it to the sender.
    ///
    /// A retry, that is a draft whose client id the sender has used in this channel before, gives the message
    /// that was stored then and is not committed again. The sender must have a profile.
    fn append(&self, draft: Draft, permit: Permit) -> Pending<Message>;

    /// A stretch of the channel's history, oldest first, if `permit` allows it to the reader.
    fn history(&self, query: HistoryQuery, permit: Permit) -> Pending<Vec<Message>>;

    /// The message.
    fn message(&self, message: &MessageId) -> Pending<Option<Message>>;

    /// Finishes what was accepted, accepts nothing more, and lets go of the files.
    fn close(&self) -> BoxFuture<'static, ()>;
}
