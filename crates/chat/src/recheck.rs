//! What a socket may hear, asked again: when its token says something else, and when the policy does.

use std::{collections::HashMap, sync::Arc};

use roomkey_auth::Identity;
use roomkey_hub::SocketKey;
use roomkey_model::{ChannelId, Role, RoomName};
use serde::Serialize;

use crate::{
    Chat,
    rooms::{self, Inside},
    sink::emission,
};

impl Chat {
    /// Takes the socket out of the rooms that it may not hear any more, and tells it so. Gives their names.
    ///
    /// What cannot be known, because the store does not answer, may not be heard.
    pub fn recheck(
        &self,
        identity: &Arc<Identity>,
        socket: &SocketKey,
    ) -> impl Future<Output = Vec<RoomName>> + Send + use<> {
        let channels_max = self.config.limits.channels_per_user;
        let (store, node, access) = (self.store.clone(), self.node.clone(), self.config.access.clone());
        let (identity, socket) = (identity.clone(), socket.clone());
        let (namespace, typing) = (self.config.namespace.clone(), self.typing.clone());
        async move {
            let mut lost = Vec::new();
            let mut roles: Option<HashMap<ChannelId, Role>> = None;
            for room in node.hub().rooms_of(&socket) {
                let may_stay = match rooms::inside(&room) {
                    Inside::Channel(channel) => {
                        if roles.is_none() {
                            let joined = store.channels_of(&identity.user, None, channels_max).await;
                            let joined = joined.unwrap_or_default().into_iter();
                            roles = Some(joined.map(|one| (one.channel.channel, one.role)).collect());
                        }
                        let role = roles.as_ref().and_then(|roles| roles.get(&channel)).copied();
                        match role {
                            Some(role) => access.may_hear(&identity, &channel, role),
                            // Joined since, perhaps.
                            None => match store.standing(&channel, &identity.user).await {
                                Ok(Some(standing)) => standing
                                    .role
                                    .is_some_and(|role| access.may_hear(&identity, &channel, role)),
                                _ => false,
                            },
                        }
                    }
                    Inside::Free => access.may_join(&identity, &room),
                    Inside::Personal => true,
                };
                if !may_stay {
                    if let Inside::Channel(channel) = rooms::inside(&room) {
                        typing.left(&channel, &identity.user, &socket);
                    }
                    node.leave(&socket, &room);
                    let evicted = emission(&namespace, "room:evicted", &(Evicted { room: room.as_str() },));
                    node.emit_to_socket(&socket, &evicted);
                    lost.push(room);
                }
            }
            lost
        }
    }

    /// Whether a socket that was away may be in the room again. Of channels it has joined by now what it may hear.
    pub fn may_return(&self, identity: &Identity, room: &RoomName) -> bool {
        matches!(rooms::inside(room), Inside::Free) && self.config.access.may_join(identity, room)
    }

    /// The rules in force.
    pub fn access(&self) -> &Arc<crate::Access> {
        &self.config.access
    }
}

/// What `room:evicted` says.
#[derive(Serialize)]
pub(crate) struct Evicted<'a> {
    pub(crate) room: &'a str,
}
