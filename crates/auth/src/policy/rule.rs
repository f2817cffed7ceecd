use std::str::FromStr;

use roomkey_model::Membership;

use super::{Action, Place, Question, RoomPattern};
use crate::Identity;

/// What follows from a rule that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The action is allowed unless another rule denies it.
    Allow,
    /// The action is denied, whatever other rules say.
    Deny,
}

impl Effect {
    /// As it is in the configuration and in explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Declares the names that actions have in rules.
macro_rules! action_names {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal ),* $(,)?) => {
        /// What rules call an action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ActionName { $( $(#[$doc])* $variant ),* }

        impl ActionName {
            /// All of them.
            pub const ALL: &[Self] = &[ $( Self::$variant ),* ];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $name ),* }
            }
        }
    };
}

action_names! {
    /// Make a channel.
    Create = "create",
    /// Delete a message.
    Delete = "delete",
    /// Change a message.
    Edit = "edit",
    /// Become a member of a channel; hear a room that is no channel.
    Join = "join",
    /// Stop being a member.
    Leave = "leave",
    /// Manage members.
    Manage = "manage",
    /// Hear and read.
    Read = "read",
    /// Send.
    Send = "send",
    /// Change the channel.
    Update = "update",
}

impl FromStr for ActionName {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name).ok_or(())
    }
}

impl Action<'_> {
    /// What rules call it.
    pub fn name(self) -> ActionName {
        match self {
            Self::CreateChannel => ActionName::Create,
            Self::DeleteMessage { .. } => ActionName::Delete,
            Self::EditChannel => ActionName::Update,
            Self::EditMessage { .. } => ActionName::Edit,
            Self::Join => ActionName::Join,
            Self::LeaveChannel => ActionName::Leave,
            Self::ManageMembers => ActionName::Manage,
            Self::ReadHistory => ActionName::Read,
            Self::SendMessage => ActionName::Send,
        }
    }

    /// Whether `identity` does it to what is their own. Only messages are somebody's.
    fn is_on_own(self, identity: &Identity) -> bool {
        match self {
            Self::DeleteMessage { author } | Self::EditMessage { author } => *author == identity.user,
            _ => true,
        }
    }

    /// Whether the scopes of the token cover it.
    fn is_in_scope(self, place: Place<'_>, identity: &Identity) -> bool {
        let only_hears = match self {
            Self::ReadHistory => true,
            Self::Join => matches!(place, Place::Room(_)),
            _ => false,
        };
        if only_hears { identity.scopes.read } else { identity.scopes.write }
    }
}

/// Says of some actions that they are allowed, or denied. Every condition must hold; one that is empty always does.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What explanations call it; unique.
    pub name: String,
    /// What follows from it.
    pub effect: Effect,
    /// The action is one of these.
    pub actions: Vec<ActionName>,
    /// The room is one of these.
    pub rooms: Option<RoomPattern>,
    /// Who asks is one of these to the channel.
    pub membership: Vec<Membership>,
    /// Their token has one of these roles.
    pub roles: Vec<String>,
    /// Their token has each of these claims, with one of its values.
    pub claims: Vec<(String, Vec<String>)>,
}

/// A rule as a policy has it.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) rule: Rule,
    pub(super) origin: Origin,
}

/// Where a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is built in, and may have one more condition.
    Builtin(Condition),
    Configured,
}

/// What only built-in rules ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    None,
    /// The scopes of the token do not cover the action.
    OutOfScope,
    /// The message is of who asks.
    Own,
}

/// The first condition of a rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is about other actions.
    Action,
    /// The message is somebody else's.
    Author,
    /// The token has no such claim, or with another value.
    Claim,
    /// Who asks is something else to the channel.
    Membership,
    /// The token has no such role.
    Role,
    /// It is about other rooms.
    Room,
    /// The scopes of the token cover the action.
    Scope,
}

impl Mismatch {
    /// In one word, for explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Author => "author",
            Self::Claim => "claim",
            Self::Membership => "membership",
            Self::Role => "role",
            Self::Room => "room",
            Self::Scope => "scope",
        }
    }
}

impl Rule {
    /// A rule about everything.
    pub fn new(name: impl Into<String>, effect: Effect) -> Self {
        Self {
            name: name.into(),
            effect,
            actions: Vec::new(),
            rooms: None,
            membership: Vec::new(),
            roles: Vec::new(),
            claims: Vec::new(),
        }
    }

    /// The claims that it speaks of.
    pub(super) fn claim_names(&self) -> Vec<String> {
        let in_rooms = self.rooms.iter().flat_map(RoomPattern::claims).map(str::to_owned);
        in_rooms.chain(self.claims.iter().map(|(name, _)| name.clone())).collect()
    }
}

impl Listed {
    /// Whether it is one of those that every policy begins with.
    pub(super) fn is_builtin(&self) -> bool {
        self.origin != Origin::Configured
    }

    /// Whether it is about the question; `room` is the name of its place.
    pub(super) fn matches(&self, question: &Question<'_>, room: Option<&str>) -> Result<(), Mismatch> {
        let Question { identity, action, place, membership } = *question;
        let rule = &self.rule;
        let holds = |holds: bool, mismatch| if holds { Ok(()) } else { Err(mismatch) };
        holds(rule.actions.is_empty() || rule.actions.contains(&action.name()), Mismatch::Action)?;
        if let Some(rooms) = &rule.rooms {
            let is_strict = rule.effect == Effect::Allow;
            holds(room.is_some_and(|room| rooms.matches(room, identity, is_strict)), Mismatch::Room)?;
        }
        holds(rule.membership.is_empty() || rule.membership.contains(&membership), Mismatch::Membership)?;
        let has_role = |role: &String| identity.roles.iter().any(|its| **its == **role);
        holds(rule.roles.is_empty() || rule.roles.iter().any(has_role), Mismatch::Role)?;
        let has_claim = |(name, values): &(String, Vec<String>)| {
            identity.claims.get(name).any(|its| values.iter().any(|value| value == its))
        };
        holds(rule.claims.iter().all(has_claim), Mismatch::Claim)?;
        match self.origin {
            Origin::Configured | Origin::Builtin(Condition::None) => Ok(()),
            Origin::Builtin(Condition::OutOfScope) => {
                holds(!action.is_in_scope(place, identity), Mismatch::Scope)
            }
            Origin::Builtin(Condition::Own) => holds(action.is_on_own(identity), Mismatch::Author),
        }
    }
}
