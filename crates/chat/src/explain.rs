//! Who may do what here, and by which rule.

use std::{collections::BTreeMap, sync::Arc};

use roomkey_auth::{
    Identity,
    policy::{Action, ActionName, Considered, Place, Question},
};
use roomkey_model::{ChannelId, Failure, Membership, RoomName, UserId};
use roomkey_store::Store;
use serde::{Deserialize, Serialize};

use crate::{
    Access,
    rooms::{Room, channel_room, personal_room, unnamed},
};

/// What is to be explained, as somebody asks for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// What rules call the action.
    pub action: String,
    /// The room as clients name it; nothing where the action is about none.
    pub room: Option<String>,
    /// Whose message it is, where it is about one; that of who asks, unless it is said.
    pub author: Option<String>,
}

/// A decision, what it was made from, and every rule that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// `allowed` or `denied`.
    pub decision: String,
    /// The rule that it is by: none where nothing allowed it.
    pub rule: Option<String>,
    /// What it was made from.
    pub facts: Facts,
    /// The rules in the order in which they are asked.
    pub considered: Vec<Said>,
}

/// What a decision was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Who.
    pub user: String,
    /// Whether roles, scopes and claims are those of a token; otherwise there are none.
    pub token: bool,
    /// The roles.
    pub roles: Vec<String>,
    /// What the token is good for.
    pub scopes: Vec<String>,
    /// The claims that rules speak of.
    pub claims: BTreeMap<String, Vec<String>>,
    /// What.
    pub action: String,
    /// Where, by the name that rules have for it.
    pub room: Option<String>,
    /// What the user is to the channel.
    pub membership: String,
    /// Whose message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Its name.
    pub rule: String,
    /// `allow` or `deny`.
    pub effect: String,
    /// `builtin` or `configured`.
    pub origin: String,
    /// Whether it is about the question.
    pub matches: bool,
    /// The first of its conditions that does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<String>,
}

impl Access {
    /// What the rules in force say to `identity`, whose roles and claims are those of a token if `is_shown`. The channel
    /// is looked up now.
    pub async fn explain(
        &self,
        store: &dyn Store,
        identity: &Identity,
        is_shown: bool,
        asked: &Asked,
    ) -> Result<Explained, Failure> {
        let name: ActionName = asked.action.parse().map_err(|()| {
            let all: Vec<_> = ActionName::ALL.iter().map(|action| action.as_str()).collect();
            Failure::bad_payload(format!("action: must be one of {}", all.join(", ")))
        })?;
        let author = match &asked.author {
            Some(author) => UserId::new(author.as_str()).map_err(|error| wrong("author", &error))?,
            None => identity.user.clone(),
        };
        let room = asked.room.as_ref().map(|room| RoomName::new(room.as_str())).transpose();
        let room = room.map_err(|error| wrong("room", &error))?;
        let room = room.map(|room| Room::parse(&room, true)).transpose();
        let room = room.map_err(|error| wrong("room", &error))?;
        let action = action(name, &author);
        let (named, channel): (Option<RoomName>, Option<ChannelId>) = match room {
            _ if name == ActionName::Create => (None, None),
            None => return Err(Failure::bad_payload("room: must be given")),
            Some(Room::Channel(channel)) => (Some(channel_room(&channel)), Some(channel)),
            Some(Room::Free(room)) => (Some(room), None),
            Some(Room::Personal(user)) => (Some(personal_room(&user).map_err(unnamed)?), None),
        };
        let membership = match &channel {
            Some(channel) => match store.standing(channel, &identity.user).await? {
                Some(standing) => standing.membership(),
                None => Membership::None,
            },
            None => Membership::None,
        };
        let place = match (&channel, &named) {
            (Some(channel), _) => Place::Channel(channel),
            (None, Some(room)) => Place::Room(room),
            (None, None) => Place::Nowhere,
        };
        let explanation = self.policy().explain(&Question { identity, action, place, membership });
        let is_about_message = matches!(name, ActionName::Delete | ActionName::Edit);
        Ok(Explained {
            decision: if explanation.decision.is_allowed() { "allowed" } else { "denied" }.to_owned(),
            rule: explanation.rule,
            facts: Facts {
                token: is_shown,
                action: name.as_str().to_owned(),
                room: named.map(Into::into),
                membership: membership.as_str().to_owned(),
                author: is_about_message.then(|| author.to_string()),
                ..Facts::of(identity)
            },
            considered: explanation.considered.into_iter().map(Said::from).collect(),
        })
    }

    /// What the newest live socket of a user has shown; none where there is none.
    pub fn live_identity(&self, user: &UserId) -> Option<Arc<Identity>> {
        self.sockets_of(user)?.pop().map(|(_, identity)| identity)
    }
}

impl Facts {
    fn of(identity: &Identity) -> Self {
        let claims = identity.claims.iter().map(|(name, values)| {
            let values: Vec<String> = values.map(str::to_owned).collect();
            (name.to_owned(), values)
        });
        Self {
            user: identity.user.to_string(),
            token: false,
            roles: identity.roles.iter().map(ToString::to_string).collect(),
            scopes: identity.scopes.names().into_iter().map(str::to_owned).collect(),
            claims: claims.collect(),
            action: String::new(),
            room: None,
            membership: String::new(),
            author: None,
        }
    }
}

impl From<Considered> for Said {
    fn from(considered: Considered) -> Self {
        Self {
            rule: considered.rule,
            effect: considered.effect.as_str().to_owned(),
            origin: if considered.is_builtin { "builtin" } else { "configured" }.to_owned(),
            matches: considered.mismatch.is_none(),
            mismatch: considered.mismatch.map(|mismatch| mismatch.as_str().to_owned()),
        }
    }
}

fn action(name: ActionName, author: &UserId) -> Action<'_> {
    match name {
        ActionName::Create => Action::CreateChannel,
        ActionName::Delete => Action::DeleteMessage { author },
        ActionName::Edit => Action::EditMessage { author },
        ActionName::Join => Action::Join,
        ActionName::Leave => Action::LeaveChannel,
        ActionName::Manage => Action::ManageMembers,
        ActionName::Read => Action::ReadHistory,
        ActionName::Send => Action::SendMessage,
        ActionName::Update => Action::EditChannel,
    }
}

fn wrong(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::bad_payload(format!("{what}: {error}"))
}
