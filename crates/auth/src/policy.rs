//! Who may do what: one function, default deny.

use roomkey_model::{Membership, Role, RoomName, UserId};

use crate::Identity;

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
    /// Rename the channel, change who sees it, delete it.
    EditChannel,
    /// Change a message of this author.
    EditMessage {
        /// Who wrote it.
        author: &'a UserId,
    },
    /// Become a member by one's own wish.
    JoinChannel,
    /// Receive what is sent to a room.
    JoinRoom(&'a RoomName),
    /// Stop being a member.
    LeaveChannel,
    /// Add and remove members and change their roles; the caller sees to it that nobody gives more than they have.
    ManageMembers,
    /// Read messages, members, who is typing, and who has seen what.
    ReadHistory,
    /// Send messages; say that one is typing, has received, has seen.
    SendMessage,
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

/// Decides on one action. `membership` is that of `identity` in the channel the action is about.
pub fn decide(identity: &Identity, action: Action<'_>, membership: Membership) -> Decision {
    use Membership::{Member, Visitor};
    let is_own = |author: &UserId| *author == identity.user;
    let allowed = match (action, membership) {
        (Action::CreateChannel, _) => true,
        (Action::JoinRoom(room), membership) => may_join(identity, room, membership),
        (Action::JoinChannel | Action::ReadHistory, Visitor | Member(_)) => true,
        (Action::LeaveChannel, Member(_)) => true,
        (Action::SendMessage, Member(role)) => role >= Role::Member,
        (Action::EditMessage { author }, Member(role)) => role >= Role::Member && is_own(author),
        (Action::DeleteMessage { author }, Member(role)) => {
            role >= Role::Moderator || (role >= Role::Member && is_own(author))
        }
        (Action::ManageMembers, Member(role)) => role >= Role::Moderator,
        (Action::EditChannel, Member(role)) => role >= Role::Owner,
        _ => false,
    };
    if allowed { Decision::Allowed } else { Decision::Denied }
}

/// The room of one's own, and the rooms of channels that one may read. Nothing else has a name that a client
/// can join: not the rooms of other users, not sockets' ids, not patterns.
fn may_join(identity: &Identity, room: &RoomName, membership: Membership) -> bool {
    let room = room.as_str();
    if let Some(user) = room.strip_prefix("user:").or_else(|| room.strip_prefix("user-")) {
        return user == identity.user.as_str();
    }
    room.starts_with("channel:") && membership != Membership::None
}

#[cfg(test)]
mod tests;
