//! Who is in the channels.

use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};
use roomkey_auth::{Identity, policy::Action};
use roomkey_model::{ChannelId, Failure, Role, Timestamp, UserId};
use roomkey_store::{Joined, Pending};

use crate::{
    Answer, Chat, channels::page_limit, chat::profile_of, reply::refused, rooms, sink::emission,
    view::MemberPage,
};

impl Chat {
    /// The members of a channel, by user id, after `after`.
    pub fn members(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        after: Option<&UserId>,
        limit: Option<usize>,
    ) -> Answer<MemberPage> {
        let limit = match page_limit(limit, &self.config.limits) {
            Ok(limit) => limit,
            Err(failure) => return refused(failure),
        };
        let permit = self.permit(identity, Action::ReadHistory);
        let members = self.store.members(channel, &identity.user, after, limit, permit);
        members.map_ok(MemberPage).err_into().boxed()
    }

    /// Makes the caller a member of a channel that everybody may join. All of the user's sockets hear it when it
    /// returns.
    pub fn join_channel(&self, identity: &Arc<Identity>, channel: &ChannelId) -> Answer<Joined> {
        let permit = self.permit(identity, Action::Join);
        self.come_in(identity, |now| {
            self.store.join_channel(channel, &identity.user, Role::Member, now, permit)
        })
    }

    /// Lets the caller in by what `join` asks of the store, and tells the caller's sockets.
    pub(crate) fn come_in(
        &self,
        identity: &Arc<Identity>,
        join: impl FnOnce(Timestamp) -> Pending<Joined>,
    ) -> Answer<Joined> {
        let now = self.clock.now();
        // Who has only used REST so far has no profile yet.
        let arrived = self.store.arrive(profile_of(identity), now);
        let joined = join(now);
        let tell = self.tell_joined(&identity.user);
        async move {
            arrived.await?;
            let joined = joined.await?;
            tell(&joined.channel.channel)?;
            Ok(joined)
        }
        .boxed()
    }

    /// Whether the caller may manage members here at all; whom, and as what, is asked when they do.
    pub fn may_manage_members(&self, identity: &Arc<Identity>, channel: &ChannelId) -> Answer<()> {
        self.may(identity, channel, Action::ManageMembers).boxed()
    }

    /// Adds a member, or changes a member's role. All sockets of the new member hear the channel when it returns.
    pub fn add_member(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
    ) -> Answer<()> {
        let permit = self.member_permit(identity, user, Some(role));
        let now = self.clock.now();
        let added = self.store.add_member(channel, &identity.user, user, role, now, permit);
        let (tell, channel) = (self.tell_joined(user), channel.clone());
        async move {
            let before = added.await?;
            if before.is_none() { tell(&channel) } else { Ok(()) }
        }
        .boxed()
    }

    /// Removes a member; everyone may remove themselves. None of the member's sockets hears the channel when it returns.
    pub fn remove_member(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        user: &UserId,
    ) -> Answer<bool> {
        let permit = self.member_permit(identity, user, None);
        self.store.remove_member(channel, &identity.user, user, permit).err_into().boxed()
    }

    /// What tells all sockets of a new member that they hear the channel, which they do already.
    pub(crate) fn tell_joined(
        &self,
        user: &UserId,
    ) -> impl FnOnce(&ChannelId) -> Result<(), Failure> + Send + use<> {
        let (node, namespace) = (self.node.clone(), self.config.namespace.clone());
        let personal = rooms::personal_room(user).map_err(rooms::unnamed);
        move |channel| {
            let joined = emission(&namespace, "roomJoined", &(rooms::channel_room(channel),));
            node.emit_to_room(&personal?, &joined);
            Ok(())
        }
    }
}
