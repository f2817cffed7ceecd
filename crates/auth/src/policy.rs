//! Who may do what: a list of rules, and one function that asks them. What no rule allows is denied.
//!
//! A rule says about which actions, rooms, members and tokens it is, and whether it allows or denies. A rule that
//! denies wins over all that allow. The rules that every [`Policy`] begins with are in `builtin.rs`; a
//! configuration adds its own, and may do without some of those.
//!
//! [`Policy::ask`] reads nothing but its arguments: same question, same answer.

mod builtin;
mod explain;
mod pattern;
mod rule;

use roomkey_model::{ChannelId, Membership, RoomName, UserId};
use std::{borrow::Cow, collections::BTreeSet};

use crate::Identity;

pub use explain::{Considered, Explanation};
pub use pattern::{InvalidPattern, RoomPattern};
pub use rule::{ActionName, Effect, Mismatch, Rule};

use rule::{Listed, Origin};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// Make a channel.
    CreateChannel,
    /// Delete a message of this author.
    DeleteMessage {
        /// Who wrote it.
        author: &'a UserId,
    },
    /// Rename the channel, change who sees it, archive it.
    EditChannel,
    /// Change a message of this author.
    EditMessage {
        /// Who wrote it.
        author: &'a UserId,
    },
    /// Become a member of a channel by one's own wish; hear a room that is no channel.
    Join,
    /// Stop being a member.
    LeaveChannel,
    /// Add, invite and remove members and change their roles; the caller sees to it that nobody gives more than they
    /// have.
    ManageMembers,
    /// Hear the channel; read messages, members, who is typing, and who has seen what; say what one has received.
    ReadHistory,
    /// Send messages; say that one is typing.
    SendMessage,
}

/// Where somebody wants to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// In a channel. Rules know it as the room `channel:<id>`.
    Channel(&'a ChannelId),
    /// Nowhere in particular: no rule that names rooms is about it.
    Nowhere,
    /// In a room that is no channel, by the name that the router has for it.
    Room(&'a RoomName),
}

impl<'a> Place<'a> {
    /// The name of the room: the same bytes that emissions go by.
    pub(crate) fn room(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Channel(channel) => Some(format!("channel:{channel}").into()),
            Self::Nowhere => None,
            Self::Room(room) => Some(room.as_str().into()),
        }
    }
}

/// Somebody wants to do something somewhere. `membership` is what they are to the channel.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who.
    pub identity: &'a Identity,
    /// What.
    pub action: Action<'a>,
    /// Where.
    pub place: Place<'a>,
    /// As what; [`Membership::None`] where the place is no channel.
    pub membership: Membership,
}

/// The answer. There is no third one: what no rule allows is denied.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allowed,
    /// Answer as if it did not exist.
    Denied,
}

impl Decision {
    /// Whether to go on.
    #[must_use]
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }
}

/// A decision, and the rule that it is by: none where nothing allowed it.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub struct Ruling<'a> {
    /// The decision.
    pub decision: Decision,
    /// The rule.
    pub rule: Option<&'a Rule>,
    is_configured: bool,
}

impl Ruling<'_> {
    /// Whether to go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decision.is_allowed()
    }

    /// Whether a rule of the configuration allows it, and not one of those that every policy begins with.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.is_allowed() && self.is_configured
    }
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Policy {
    /// In the order in which they are asked.
    rules: Vec<Listed>,
}

impl Default for Policy {
    /// The built-in rules alone.
    fn default() -> Self {
        Self { rules: builtin::rules() }
    }
}

impl Policy {
    /// These rules and the built-in ones, but not those whose names are in `without`.
    pub fn new(configured: Vec<Rule>, without: &[String]) -> Self {
        let configured = configured.into_iter().map(|rule| Listed { rule, origin: Origin::Configured });
        let builtin = builtin::rules().into_iter().filter(|listed| !without.contains(&listed.rule.name));
        Self { rules: configured.chain(builtin).collect() }
    }

    /// The names of the built-in rules that allow: those that a configuration can do without.
    pub fn builtin_names() -> impl Iterator<Item = String> {
        let rules = builtin::rules().into_iter().map(|listed| listed.rule);
        rules.filter(|rule| rule.effect == Effect::Allow).map(|rule| rule.name)
    }

    /// Decides.
    pub fn ask(&self, question: &Question<'_>) -> Ruling<'_> {
        let room = question.place.room();
        let first = |effect: Effect| {
            let mut of_effect = self.rules.iter().filter(move |listed| listed.rule.effect == effect);
            of_effect.find(|listed| listed.matches(question, room.as_deref()).is_ok())
        };
        let (found, decision) = match first(Effect::Deny) {
            Some(rule) => (Some(rule), Decision::Denied),
            None => match first(Effect::Allow) {
                Some(rule) => (Some(rule), Decision::Allowed),
                None => (None, Decision::Denied),
            },
        };
        Ruling {
            decision,
            rule: found.map(|listed| &listed.rule),
            is_configured: found.is_some_and(|listed| !listed.is_builtin()),
        }
    }

    /// Decides, and says why.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        explain::explain(self, question)
    }

    /// The claims that rules speak of: identities must have them.
    pub fn claims(&self) -> BTreeSet<String> {
        self.rules.iter().flat_map(|listed| listed.rule.claim_names()).collect()
    }
}

/// Decides on one action: [`Policy::ask`] without the rule.
pub fn decide(policy: &Policy, question: &Question<'_>) -> Decision {
    policy.ask(question).decision
}

#[cfg(test)]
mod tests;
