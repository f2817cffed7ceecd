//! What must survive a restart: accounts, sessions, channels, members and messages.
//!
//! [`Store`] is all the rest of Roomkey knows of it; [`SqliteStore`] is the backend that needs no other
//! service. What a caller may do is not decided here: a write that depends on a permission takes a [`Permit`]
//! and asks it inside the same transaction, so that nothing can change between the check and the act.
//! Nothing is broadcast here either: what was committed goes to the [`CommitSink`], in the order of the
//! commits, and whoever owns the sink tells the world.

mod accounts;
mod admins;
mod channels;
mod error;
mod invites;
mod logins;
mod members;
mod messages;
mod outbox;
mod personal;
mod presence;
mod retention;
mod revocations;
mod sessions;
mod sqlite;
mod store;
mod watermarks;

pub use accounts::{Account, AccountStore, Profile};
pub use admins::{Admin, AdminStore};
pub use channels::{Channel, ChannelChange, ChannelStore, Joined};
pub use error::{OpenError, StoreError};
pub use invites::{Invite, InviteStore};
pub use logins::{LoginFailures, LoginStore, PastLogin};
pub use members::{Member, MemberStore, Standing};
pub use messages::{Draft, Edit, HistoryQuery, Message, MessageStore, Page};
pub use outbox::{Backlog, Claimed, DeadLetter, Delivery, NewDelivery, OutboxEncoder, OutboxStore};
pub use personal::{ERASED, Erased, MembershipData, PersonalData, PersonalStore, SentAt};
pub use presence::{LastSeen, PresenceChange, PresenceStore};
pub use retention::{Overdue, Retention, RetentionStore};
pub use revocations::RevocationStore;
pub use roomkey_model::{AdminRole, Role, Visibility};
pub use sessions::{RefreshFamily, Revoke, Rotated, Rotation, Session, SessionStore};
pub use sqlite::{SqliteConfig, SqliteStore, backup};
pub use store::{CommitSink, Committed, HearingPermit, MemberPermit, MessagePermit, Pending, Permit, Store};
pub use watermarks::{
    DeliveryStatus, Mark, Marked, MessageStatus, Others, Passed, Progress, Receipt, RecipientStatus,
    StatusQuery, Undelivered, Waiting, WatermarkStore, Watermarks,
};
