//! The uses of the HTTP API, without HTTP.

use std::sync::Arc;

use roomkey_auth::{
    Identity,
    policy::{Action, Place},
};
use roomkey_model::{
    ChannelId, Failure, Limit, Limits, Membership, MessageId, Role, Seq, UserId, Visibility,
};
use roomkey_store::{Channel, Joined, Retention};
use serde::Deserialize;

use crate::{
    Chat,
    chat::profile_of,
    rooms,
    sink::emission,
    view::{ChannelPage, MemberPage, PublicChannelPage},
};

/// A channel to be created.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// Its name.
    pub name: String,
    /// Who may find and join it; private where it is not said.
    #[serde(default = "private")]
    pub visibility: Visibility,
}

fn private() -> Visibility {
    Visibility::Private
}

impl Chat {
    /// Creates a channel that the caller owns.
    pub async fn create_channel(&self, identity: &Identity, new: NewChannel) -> Result<Joined, Failure> {
        if !self.config.access.may(identity, Action::CreateChannel, Place::Nowhere, Membership::None) {
            return Err(Failure::forbidden());
        }
        text("name", &new.name, Limit::ChannelName, self.config.limits.channel_name_bytes)?;
        let now = self.clock.now();
        let channel = Channel {
            channel: self.new_channel_id(),
            name: new.name,
            visibility: new.visibility,
            creator: identity.user.clone(),
            created: now,
            last_seq: Seq(0),
            archived: None,
            retention: Retention::default(),
        };
        // Who has only used REST so far has no profile yet.
        let arrived = self.store.arrive(profile_of(identity), now);
        let created = self.store.create_channel(channel.clone());
        arrived.await?;
        created.await?;
        Ok(Joined { channel, role: Role::Owner })
    }

    /// The channels the caller is in, by id, after `after`.
    pub async fn channels(
        &self,
        identity: &Identity,
        after: Option<&ChannelId>,
        limit: Option<usize>,
    ) -> Result<ChannelPage, Failure> {
        let limit = page_limit(limit, &self.config.limits)?;
        Ok(ChannelPage(self.store.channels_of(&identity.user, after, limit).await?))
    }

    /// The public channels, by id, after `after`, whether the caller is in them or not: those that a visitor may read.
    pub async fn public_channels(
        &self,
        identity: &Identity,
        after: Option<&ChannelId>,
        limit: Option<usize>,
    ) -> Result<PublicChannelPage, Failure> {
        let limit = page_limit(limit, &self.config.limits)?;
        let mut page = self.store.public_channels(after, limit).await?;
        let access = &self.config.access;
        page.retain(|channel| {
            let place = Place::Channel(&channel.channel);
            access.may(identity, Action::ReadHistory, place, Membership::Visitor)
        });
        Ok(PublicChannelPage(page))
    }

    /// The members of a channel, by user id, after `after`.
    pub async fn members(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        after: Option<&UserId>,
        limit: Option<usize>,
    ) -> Result<MemberPage, Failure> {
        let limit = page_limit(limit, &self.config.limits)?;
        let permit = self.permit(identity, Action::ReadHistory);
        Ok(MemberPage(self.store.members(channel, &identity.user, after, limit, permit).await?))
    }

    /// Adds a member, or changes a member's role. All sockets of the new member hear the channel when it returns.
    pub async fn add_member(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
    ) -> Result<(), Failure> {
        let permit = self.member_permit(identity, user, Some(role));
        let now = self.clock.now();
        let before = self.store.add_member(channel, &identity.user, user, role, now, permit).await?;
        if before.is_none() {
            self.tell_joined(user)(channel)?;
        }
        Ok(())
    }

    /// Removes a member; everyone may remove themselves. None of the member's sockets hears the channel when it returns.
    pub async fn remove_member(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        user: &UserId,
    ) -> Result<bool, Failure> {
        let permit = self.member_permit(identity, user, None);
        Ok(self.store.remove_member(channel, &identity.user, user, permit).await?)
    }

    /// What tells all sockets of a new member that they hear the channel, which they do already.
    pub(crate) fn tell_joined(
        &self,
        user: &UserId,
    ) -> impl FnOnce(&ChannelId) -> Result<(), Failure> + Send + use<> {
        let (node, namespace) = (self.node.clone(), self.config.namespace.clone());
        let personal = rooms::personal_room(user);
        move |channel| {
            let joined = emission(&namespace, "roomJoined", &(rooms::channel_room(channel),));
            node.emit_to_room(&personal?, &joined);
            Ok(())
        }
    }

    fn new_channel_id(&self) -> ChannelId {
        // Of the same form as a message's: unique, and in the order of creation.
        let id = MessageId::generate(self.clock.now(), self.entropy.as_ref());
        ChannelId::new(id.to_string()).expect("a UUID is a good name")
    }
}

/// Checks a text that people read.
pub(crate) fn text(field: &str, text: &str, limit: Limit, bytes_max: usize) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::bad_payload(format!("{field}: must not be blank")));
    }
    if text.len() > bytes_max {
        let message = format!("{field}: must be at most {bytes_max} bytes long");
        return Err(Failure::bad_payload(message).at(limit));
    }
    Ok(())
}

pub(crate) fn page_limit(limit: Option<usize>, limits: &Limits) -> Result<usize, Failure> {
    let max = limits.page_entries;
    match limit {
        None => Ok(max),
        Some(limit) if (1..=max).contains(&limit) => Ok(limit),
        Some(0) => Err(Failure::bad_payload(format!("limit: must be from 1 to {max}"))),
        Some(_) => {
            Err(Failure::bad_payload(format!("limit: must be from 1 to {max}")).at(Limit::PageEntries))
        }
    }
}
