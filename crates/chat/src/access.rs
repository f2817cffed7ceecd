//! Between what the store reads and what the policy asks.

use std::sync::Arc;

use roomkey_auth::{
    Identity,
    policy::{self, Action},
};
use roomkey_model::{Membership, Role, Timestamp, UserId, Visibility};
use roomkey_store::{MemberPermit, MessagePermit, Permit};

use crate::Chat;

impl Chat {
    /// A permit that asks the policy, inside the transaction, whether the user may do this in the channel.
    pub(crate) fn permit(&self, identity: &Arc<Identity>, action: Action<'static>) -> Permit {
        let identity = Arc::clone(identity);
        Box::new(move |standing| policy::decide(&identity, action, standing.membership()).is_allowed())
    }

    /// A permit to give `user` the role `role`, or to remove `user` where it is none.
    ///
    /// Nobody gives more than they have, nor touches who has as much as they; an owner may do all. Everyone may leave.
    pub(crate) fn member_permit(
        &self,
        identity: &Arc<Identity>,
        user: &UserId,
        role: Option<Role>,
    ) -> MemberPermit {
        let identity = Arc::clone(identity);
        let leaves = role.is_none() && identity.user == *user;
        Box::new(move |actor, target| {
            let action = if leaves { Action::LeaveChannel } else { Action::ManageMembers };
            let outranks = actor.role == Some(Role::Owner) || (role <= actor.role && target < actor.role);
            policy::decide(&identity, action, actor.membership()).is_allowed() && (leaves || outranks)
        })
    }

    /// A permit to edit a message: one's own, and for as long as it can be edited.
    pub(crate) fn edit_permit(&self, identity: &Arc<Identity>, now: Timestamp) -> MessagePermit {
        let (identity, window_ms) = (Arc::clone(identity), self.config.edit_window_ms);
        Box::new(move |standing, message| {
            let action = Action::EditMessage { author: &message.sender.user };
            let is_open = window_ms.is_none_or(|window| now.0 <= message.created.0.saturating_add(window));
            is_open && policy::decide(&identity, action, standing.membership()).is_allowed()
        })
    }

    /// A permit to delete a message.
    pub(crate) fn delete_permit(&self, identity: &Arc<Identity>) -> MessagePermit {
        let identity = Arc::clone(identity);
        Box::new(move |standing, message| {
            let action = Action::DeleteMessage { author: &message.sender.user };
            policy::decide(&identity, action, standing.membership()).is_allowed()
        })
    }

    /// A permit to invite others, as what they are to be: nobody gives more than they have.
    pub(crate) fn invite_permit(&self, identity: &Arc<Identity>, role: Role) -> Permit {
        let identity = Arc::clone(identity);
        Box::new(move |standing| {
            Some(role) <= standing.role
                && policy::decide(&identity, Action::ManageMembers, standing.membership()).is_allowed()
        })
    }

    /// A permit to come in by an invite: who has one may join the channel as if it were public.
    pub(crate) fn invited_permit(&self, identity: &Arc<Identity>) -> Permit {
        let identity = Arc::clone(identity);
        Box::new(move |standing| {
            let membership = Membership::new(Visibility::Public, standing.role);
            policy::decide(&identity, Action::JoinChannel, membership).is_allowed()
        })
    }
}
