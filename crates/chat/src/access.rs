//! Between what the store reads and what the policy asks.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::RwLock;
use roomkey_auth::{
    Identity,
    policy::{Action, Place, Policy, Question},
};
use roomkey_hub::SocketKey;
use roomkey_model::{ChannelId, Failure, Membership, Role, RoomName, Timestamp, UserId};
use roomkey_store::{HearingPermit, MemberPermit, MessagePermit, Permit, Standing};

use crate::Chat;

/// The policy that is in force, and who is there to be bound by it.
pub struct Access {
    policy: RwLock<Arc<Policy>>,
    sockets_of: Option<SocketsOf>,
}

/// The live sockets of a user in the chat's namespace, each with what its token says.
pub type SocketsOf = Box<dyn Fn(&UserId) -> Vec<(SocketKey, Arc<Identity>)> + Send + Sync>;

impl Access {
    /// Without knowing whose token says what: every socket of a user hears what the user may hear.
    pub fn new(policy: Policy) -> Self {
        Self { policy: RwLock::new(Arc::new(policy)), sockets_of: None }
    }

    /// The same with sockets whose tokens are known, and may give one socket of a user less than another.
    #[must_use]
    pub fn with_sockets(self, sockets_of: SocketsOf) -> Self {
        Self { sockets_of: Some(sockets_of), ..self }
    }

    /// The rules in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.read().clone()
    }

    /// Puts other rules in force: whatever is decided from here on is by them. What was allowed before and goes on is
    /// for [`Chat::recheck`].
    pub fn replace(&self, policy: Policy) {
        *self.policy.write() = Arc::new(policy);
    }

    /// Whether the rules in force allow it.
    pub(crate) fn may(
        &self,
        identity: &Identity,
        action: Action<'_>,
        place: Place<'_>,
        membership: Membership,
    ) -> bool {
        let policy = self.policy();
        or_denied(|| policy.ask(&Question { identity, action, place, membership }).is_allowed())
    }

    /// The same in a channel.
    pub(crate) fn may_in(&self, identity: &Identity, action: Action<'_>, standing: &Standing) -> bool {
        self.may(identity, action, Place::Channel(&standing.channel), standing.membership())
    }

    /// Whether members may be managed. Who is allowed to by a built-in rule must outrank them; a rule of the configuration
    /// does not ask.
    fn may_manage(&self, identity: &Identity, actor: &Standing, outranks: bool) -> bool {
        let policy = self.policy();
        or_denied(|| {
            let ruling = policy.ask(&Question {
                identity,
                action: Action::ManageMembers,
                place: Place::Channel(&actor.channel),
                membership: actor.membership(),
            });
            ruling.is_allowed() && (outranks || ruling.is_configured())
        })
    }

    /// Whether a member hears the channel.
    pub(crate) fn may_hear(&self, identity: &Identity, channel: &ChannelId, role: Role) -> bool {
        self.may(identity, Action::ReadHistory, Place::Channel(channel), Membership::Member(role))
    }

    /// Whether it may be in a room that is no channel.
    pub(crate) fn may_join(&self, identity: &Identity, room: &RoomName) -> bool {
        self.may(identity, Action::Join, Place::Room(room), Membership::None)
    }

    /// A permit that asks the policy, inside the transaction, whether the user may do this in the channel.
    pub(crate) fn permit(self: &Arc<Self>, identity: &Arc<Identity>, action: Action<'static>) -> Permit {
        let (access, identity) = (self.clone(), identity.clone());
        Box::new(move |standing| access.may_in(&identity, action, &standing))
    }

    /// A permit that asks the policy which of the user's channels the user may hear.
    pub(crate) fn hearing_permit(self: &Arc<Self>, identity: &Arc<Identity>) -> HearingPermit {
        let (access, identity) = (self.clone(), identity.clone());
        Box::new(move |channel, role| access.may_hear(&identity, channel, role))
    }

    /// A permit to know who of a channel is here: only for those in it, public or not.
    pub(crate) fn presence_permit(self: &Arc<Self>, identity: &Arc<Identity>) -> Permit {
        let may_read = self.permit(identity, Action::ReadHistory);
        Box::new(move |standing| standing.role.is_some() && may_read(standing))
    }

    /// The live sockets of a user, where they are known.
    pub(crate) fn sockets_of(&self, user: &UserId) -> Option<Vec<(SocketKey, Arc<Identity>)>> {
        self.sockets_of.as_ref().map(|sockets_of| sockets_of(user))
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new(Policy::default())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// A decision that fails is no; the panic hook has logged it. Decisions are made on the writer's thread, which must go
/// on.
fn or_denied(decide: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(decide)).unwrap_or(false)
}

impl Chat {
    /// See [`Access::permit`].
    pub(crate) fn permit(&self, identity: &Arc<Identity>, action: Action<'static>) -> Permit {
        self.config.access.permit(identity, action)
    }

    /// See [`Access::hearing_permit`].
    pub(crate) fn hearing_permit(&self, identity: &Arc<Identity>) -> HearingPermit {
        self.config.access.hearing_permit(identity)
    }

    /// Asks the policy about something that is not in the store, with the membership as it is there.
    pub(crate) fn may(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        action: Action<'static>,
    ) -> impl Future<Output = Result<(), Failure>> + Send + use<> {
        let permit = self.permit(identity, action);
        let standing = self.store.standing(channel, &identity.user);
        async move {
            let is_allowed = standing.await?.is_some_and(permit);
            if is_allowed { Ok(()) } else { Err(Failure::forbidden()) }
        }
    }

    /// A permit to give `user` the role `role`, or to remove `user` where it is none.
    ///
    /// Nobody gives more than they have, nor touches who has as much as they; an owner may do all, and so may whom a
    /// rule of the configuration makes a manager. Everyone may leave.
    pub(crate) fn member_permit(
        &self,
        identity: &Arc<Identity>,
        user: &UserId,
        role: Option<Role>,
    ) -> MemberPermit {
        let (access, identity) = (self.config.access.clone(), identity.clone());
        let leaves = role.is_none() && identity.user == *user;
        Box::new(move |actor, target| {
            if leaves {
                return access.may_in(&identity, Action::LeaveChannel, &actor);
            }
            let outranks = actor.role == Some(Role::Owner) || (role <= actor.role && target < actor.role);
            access.may_manage(&identity, &actor, outranks)
        })
    }

    /// A permit to edit a message: one's own, and for as long as it can be edited.
    pub(crate) fn edit_permit(&self, identity: &Arc<Identity>, now: Timestamp) -> MessagePermit {
        let (access, identity) = (self.config.access.clone(), identity.clone());
        let window_ms = self.config.edit_window_ms;
        Box::new(move |standing, message| {
            let action = Action::EditMessage { author: &message.sender.user };
            let is_open = window_ms.is_none_or(|window| now.0 <= message.created.0.saturating_add(window));
            is_open && access.may_in(&identity, action, &standing)
        })
    }

    /// A permit to delete a message.
    pub(crate) fn delete_permit(&self, identity: &Arc<Identity>) -> MessagePermit {
        let (access, identity) = (self.config.access.clone(), identity.clone());
        Box::new(move |standing, message| {
            let action = Action::DeleteMessage { author: &message.sender.user };
            access.may_in(&identity, action, &standing)
        })
    }

    /// A permit to invite others, as what they are to be: nobody gives more than they have.
    pub(crate) fn invite_permit(&self, identity: &Arc<Identity>, role: Role) -> Permit {
        let (access, identity) = (self.config.access.clone(), identity.clone());
        Box::new(move |standing| access.may_manage(&identity, &standing, Some(role) <= standing.role))
    }

    /// A permit to come in by an invite: like a member, as whoever could give it has let them in.
    pub(crate) fn invited_permit(&self, identity: &Arc<Identity>) -> Permit {
        let (access, identity) = (self.config.access.clone(), identity.clone());
        Box::new(move |standing| {
            let membership = Membership::Member(standing.role.unwrap_or(Role::Reader));
            access.may(&identity, Action::Join, Place::Channel(&standing.channel), membership)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_that_panics_is_no() {
        assert!(or_denied(|| true));
        assert!(!or_denied(|| panic!("a rule that cannot be asked")));
    }
}
