//! Between what the store reads and what the policy asks.

use std::sync::Arc;

use roomkey_auth::{
    Identity,
    policy::{self, Action, Membership},
};
use roomkey_model::UserId;
use roomkey_store::{MemberPermit, Permit, Role, Standing, Visibility};

/// A permit that asks the policy, inside the transaction, whether the user may do this in the channel.
pub(crate) fn permit(identity: &Arc<Identity>, action: Action<'static>) -> Permit {
    let identity = Arc::clone(identity);
    Box::new(move |standing| policy::decide(&identity, action, membership(standing)).is_allowed())
}

/// A permit to give `user` the role `role`, or to remove `user` where it is none.
///
/// Nobody gives more than they have, nor touches who has as much as they; an owner may do all. Everyone may leave.
pub(crate) fn member_permit(identity: &Arc<Identity>, user: &UserId, role: Option<Role>) -> MemberPermit {
    let identity = Arc::clone(identity);
    let leaves = role.is_none() && identity.user == *user;
    Box::new(move |actor, target| {
        let action = if leaves { Action::LeaveChannel } else { Action::ManageMembers };
        let outranks = actor.role == Some(Role::Owner) || (role <= actor.role && target < actor.role);
        policy::decide(&identity, action, membership(actor)).is_allowed() && (leaves || outranks)
    })
}

fn membership(standing: Standing) -> Membership {
    match (standing.role, standing.visibility) {
        (Some(role), _) => Membership::Member(policy_role(role)),
        (None, Visibility::Public) => Membership::Visitor,
        (None, Visibility::Private) => Membership::None,
    }
}

fn policy_role(role: Role) -> policy::Role {
    match role {
        Role::Reader => policy::Role::Reader,
        Role::Member => policy::Role::Member,
        Role::Moderator => policy::Role::Moderator,
        Role::Owner => policy::Role::Owner,
    }
}
