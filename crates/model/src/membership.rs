use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// What somebody is to the channel that an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    /// Not a member; or there is no such channel, or none is meant.
    None,
    /// Not a member, but the channel is public.
    Visitor,
    /// A member with this role.
    Member(Role),
}

impl Membership {
    /// Of who has this role, or none, in a channel of this visibility.
    #[must_use]
    pub fn new(visibility: Visibility, role: Option<Role>) -> Self {
        match (role, visibility) {
            (Some(role), _) => Self::Member(role),
            (None, Visibility::Public) => Self::Visitor,
            (None, Visibility::Private) => Self::None,
        }
    }

    /// The name, in the configuration as in explanations: that of the role, `visitor` or `none`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Visitor => "visitor",
            Self::Member(role) => role.as_str(),
        }
    }
}

impl FromStr for Membership {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "none" => Ok(Self::None),
            "visitor" => Ok(Self::Visitor),
            role => role.parse().map(Self::Member),
        }
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownName;

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("unknown name")
    }
}

impl std::error::Error for UnknownName {}
