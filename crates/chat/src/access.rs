//! Between what the store reads and what the policy asks.

use std::sync::Arc;

use roomkey_auth::{
    Identity,
    policy::{self, Action},
};
use roomkey_model::{Role, UserId};
use roomkey_store::{MemberPermit, Permit};

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
}
