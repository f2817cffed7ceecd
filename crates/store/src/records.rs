use std::{fmt, str::FromStr};

use roomkey_model::{ChannelId, MessageId, Seq, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// An account of the built-in issuer.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user it belongs to.
    pub user: UserId,
    /// The e-mail address as it was given; unique without regard to case.
    pub email: String,
    /// The name to log in with and to show; unique without regard to case.
    pub username: Option<String>,
    /// The password's hash, as a PHC string.
    pub password_hash: String,
    /// When it was created.
    pub created: Timestamp,
}

impl fmt::Debug for Account {
    /// Only the user: the rest is personal or secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

/// What others see of a user, whichever issuer the user is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// The address of a picture.
    pub avatar: Option<String>,
}

/// Who may find a channel and join it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Only those whom a member with the right to do so has added.
    Private,
    /// Everyone.
    Public,
}

/// What a member may do in a channel; a greater role may do all that a lesser one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and sends.
    Member,
    /// Also deletes what others sent, and adds and removes members.
    Moderator,
    /// Does everything.
    Owner,
}

/// Gives an enum its one text form, in the database as on the wire.
macro_rules! names {
    ($type:ident { $( $variant:ident = $name:literal ),* $(,)? }) => {
        impl $type {
            /// The name, in the database as on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name ),* }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                match name {
                    $( $name => Ok(Self::$variant), )*
                    _ => Err(UnknownName),
                }
            }
        }
    };
}

names!(Visibility { Private = "private", Public = "public" });
names!(Role { Reader = "reader", Member = "member", Moderator = "moderator", Owner = "owner" });

/// A text is none of the names of a [`Role`] or [`Visibility`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct UnknownName;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who may find and join the channel.
    pub visibility: Visibility,
    /// The user's role; none for who is not a member.
    pub role: Option<Role>,
}

/// A message to be stored. Its sequence number comes with the commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, new.
    pub message: MessageId,
    /// Where it goes.
    pub channel: ChannelId,
    /// Who sends it.
    pub sender: UserId,
    /// What it says.
    pub content: String,
    /// The client's name for it, unique per channel and sender: a retry with the same name is the same message.
    pub client_id: Option<String>,
    /// When it was sent.
    pub created: Timestamp,
}

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub message: MessageId,
    /// The channel it is in.
    pub channel: ChannelId,
    /// Its place in the channel.
    pub seq: Seq,
    /// Who sent it.
    pub sender: Profile,
    /// What it says; nothing once it is deleted.
    pub content: String,
    /// The client's name for it.
    pub client_id: Option<String>,
    /// When it was sent.
    pub created: Timestamp,
    /// When anything of it last changed.
    pub updated: Timestamp,
    /// When its content was last changed by a person.
    pub edited: Option<Timestamp>,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
}

/// A stretch of a channel's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The channel.
    pub channel: ChannelId,
    /// Who asks.
    pub reader: UserId,
    /// Which part.
    pub page: Page,
    /// How many messages at most.
    pub limit: usize,
}

/// Which messages, always told oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The oldest of those after this one.
    After(Seq),
    /// The newest of those before this one.
    Before(Seq),
    /// The newest.
    Latest,
}
