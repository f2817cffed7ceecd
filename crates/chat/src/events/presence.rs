use std::{collections::BTreeSet, sync::Arc};

use roomkey_model::{ChannelId, Failure, Limit, UserId};
use serde::Deserialize;

use super::payload;
use crate::{Ack, Caller, Chat, Reply, view::PresencePage};

/// `presence:get`: of these users, or of the members of a channel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PresenceOf {
    user_ids: Option<BTreeSet<UserId>>,
    channel_id: Option<ChannelId>,
}

/// Who shares no channel with the caller that the caller may hear is left out, as if there were no such user.
pub(super) fn get(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let found = match payload::object(args_json)? {
        PresenceOf { user_ids: Some(users), channel_id: None } => {
            let max = chat.config.limits.page_entries;
            if users.len() > max {
                let message = format!("userIds: must be at most {max}");
                return Err(Failure::bad_payload(message).at(Limit::PageEntries));
            }
            let permit = chat.hearing_permit(&caller.identity);
            chat.store.last_seen_of(&caller.identity.user, users.into_iter().collect(), permit)
        }
        PresenceOf { user_ids: None, channel_id: Some(channel) } => {
            let permit = chat.presence_permit(&caller.identity);
            let members_max = chat.config.limits.presence_members;
            chat.store.last_seen_in(&channel, &caller.identity.user, members_max, permit)
        }
        _ => return Err(Failure::bad_payload("One of userIds and channelId must be given")),
    };
    let presence = Arc::clone(&chat.presence);
    Ok(Reply::later(async move {
        Ack::new(found.await.map(|found| PresencePage(presence.of(found))).map_err(Failure::from))
    }))
}
