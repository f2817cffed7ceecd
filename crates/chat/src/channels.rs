//! What is done with channels, by events as over REST. What a method asks of the store it has asked when it returns;
//! the answer is what is left to wait for.

use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt, future::OptionFuture};
use roomkey_auth::{
    Identity,
    policy::{Action, Place},
};
use roomkey_model::{ChannelId, Failure, Limit, Limits, Membership, MessageId, Role, Seq, Visibility};
use roomkey_store::{Channel, ChannelChange, Joined, Retention};
use serde::Deserialize;

use crate::{
    Answer, Chat,
    chat::profile_of,
    reply::refused,
    view::{ChannelList, ChannelPage, PublicChannelPage},
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

/// What is to be another with a channel. What is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPatch {
    /// Its name.
    pub name: Option<String>,
    /// Who may find and join it.
    pub visibility: Option<Visibility>,
    /// Whether it is archived: then it can be read, and nothing can be sent to it.
    pub archived: Option<bool>,
    /// How much of it is kept.
    pub retention: Option<Retention>,
}

/// Which channels, and which part of the list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListRequest {
    /// Without a scope: the first page of both, each channel once.
    pub scope: Option<Scope>,
    /// Those after this one.
    pub after: Option<ChannelId>,
    /// How many at most, of each scope; where it is not said, the most there can be.
    pub limit: Option<usize>,
}

/// Which channels: those the caller is a member of, or those that everybody may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Those the caller is a member of.
    Mine,
    /// The public ones, whether the caller is in them or not.
    Public,
}

impl Chat {
    /// Creates a channel that the caller owns.
    pub fn create_channel(&self, identity: &Identity, new: NewChannel) -> Answer<Joined> {
        if !self.config.access.may(identity, Action::CreateChannel, Place::Nowhere, Membership::None) {
            return refused(Failure::forbidden());
        }
        if let Err(failure) = self.check_name(&new.name) {
            return refused(failure);
        }
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
        async move {
            arrived.await?;
            created.await?;
            Ok(Joined { channel, role: Role::Owner })
        }
        .boxed()
    }

    /// Changes a channel; gives what it is now.
    pub fn update_channel(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        patch: ChannelPatch,
    ) -> Answer<Channel> {
        if let Some(Err(failure)) = patch.name.as_deref().map(|name| self.check_name(name)) {
            return refused(failure);
        }
        if let Some(Retention { max_age_s: Some(0), .. } | Retention { max_messages: Some(0), .. }) =
            patch.retention
        {
            return refused(Failure::bad_payload("retention: must be at least 1, or not given"));
        }
        let ChannelPatch { name, visibility, archived, retention } = patch;
        let change = ChannelChange { name, visibility, archived, retention };
        let permit = self.permit(identity, Action::EditChannel);
        self.store
            .update_channel(channel, &identity.user, change, self.clock.now(), permit)
            .err_into()
            .boxed()
    }

    /// Channels as the request says: the caller's, by id, and then public ones that are not the caller's.
    pub fn list_channels(&self, identity: &Arc<Identity>, request: &ListRequest) -> Answer<ChannelList> {
        let ListRequest { scope, ref after, limit } = *request;
        if scope.is_none() && after.is_some() {
            return refused(Failure::bad_payload("after: needs a scope, `mine` or `public`"));
        }
        let (mine, public) = (scope != Some(Scope::Public), scope != Some(Scope::Mine));
        let mine = mine.then(|| self.channels(identity, after.as_ref(), limit));
        let public = public.then(|| self.public_channels(identity, after.as_ref(), limit));
        async move {
            let mine = OptionFuture::from(mine).await.transpose()?.map_or(Vec::new(), |page| page.0);
            let mut public = OptionFuture::from(public).await.transpose()?.map_or(Vec::new(), |page| page.0);
            public.retain(|channel| !mine.iter().any(|joined| joined.channel.channel == channel.channel));
            Ok(ChannelList { mine, public })
        }
        .boxed()
    }

    /// The channels the caller is in, by id, after `after`: those that the caller may hear.
    pub fn channels(
        &self,
        identity: &Arc<Identity>,
        after: Option<&ChannelId>,
        limit: Option<usize>,
    ) -> Answer<ChannelPage> {
        let limit = match page_limit(limit, &self.config.limits) {
            Ok(limit) => limit,
            Err(failure) => return refused(failure),
        };
        let (mine, may_hear) =
            (self.store.channels_of(&identity.user, after, limit), self.hearing_permit(identity));
        async move {
            let mut page = mine.await?;
            page.retain(|joined| may_hear(&joined.channel.channel, joined.role));
            Ok(ChannelPage(page))
        }
        .boxed()
    }

    /// The public channels, by id, after `after`, whether the caller is in them or not: those that a visitor may read.
    pub fn public_channels(
        &self,
        identity: &Arc<Identity>,
        after: Option<&ChannelId>,
        limit: Option<usize>,
    ) -> Answer<PublicChannelPage> {
        let limit = match page_limit(limit, &self.config.limits) {
            Ok(limit) => limit,
            Err(failure) => return refused(failure),
        };
        let (public, access) = (self.store.public_channels(after, limit), self.config.access.clone());
        let identity = identity.clone();
        async move {
            let mut page = public.await?;
            page.retain(|channel| {
                let place = Place::Channel(&channel.channel);
                access.may(&identity, Action::ReadHistory, place, Membership::Visitor)
            });
            Ok(PublicChannelPage(page))
        }
        .boxed()
    }

    fn check_name(&self, name: &str) -> Result<(), Failure> {
        text("name", name, Limit::ChannelName, self.config.limits.channel_name_bytes)
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
