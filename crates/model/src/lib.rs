//! The nouns of Roomkey, as types that cannot hold a wrong value.
//!
//! Every other crate speaks in these. This crate holds no logic and does no I/O: names and ids are checked
//! once, where they enter ([`UserId::new`], [`RoomName::new`], ...), and never again. Time and chance are
//! parameters everywhere ([`Clock`], [`Entropy`]), so that no test has to sleep or to guess.
//!
//! Start with [`Failure`]: every refusal a client can see is one of its [`ErrorCode`]s.

mod admin;
mod failure;
mod id;
mod limits;
mod membership;
mod name;
mod revocation;
mod time;

pub use admin::AdminRole;
pub use failure::{ErrorCode, Failure, FailureData, Retry};
pub use id::{ChannelId, MessageId, Seq, SessionId, SocketId, TokenId, UserId};
pub use limits::{Limit, LimitRow, Limits};
pub use membership::{Membership, Role, UnknownName, Visibility};
pub use name::{InvalidName, RoomName};
pub use revocation::{Revocation, RevocationReason, RevocationTarget, UnknownReason};
pub use time::{Clock, Entropy, InvalidTime, Timestamp};
