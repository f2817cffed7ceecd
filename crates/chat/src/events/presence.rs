use std::{collections::BTreeSet, sync::Arc};

use futures_util::FutureExt;
use roomkey_model::{ChannelId, Failure, Limit, UserId};
use roomkey_store::{LastSeen, Pending};
use serde::Deserialize;

use super::payload;
use crate::{
    Ack, Caller, Chat, Reply,
    presence::{Presence, UserPresence},
    view::PresencePage,
};

/// How often the store is asked at most. Where somebody goes each time, a last visit may be told late.
const ATTEMPTS: usize = 3;

/// `presence:get`: of these users, or of the members of a channel.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PresenceOf {
    user_ids: Option<BTreeSet<UserId>>,
    channel_id: Option<ChannelId>,
}

/// When users were last here, as the store says it now.
type Question = Box<dyn Fn() -> Pending<Vec<LastSeen>> + Send>;

/// Who shares no channel with the caller that the caller may hear is left out, as if there were no such user.
pub(super) fn get(chat: &Chat, caller: &Caller, args_json: &str) -> Result<Reply, Failure> {
    let (store, access) = (chat.store.clone(), chat.config.access.clone());
    let (identity, limits) = (caller.identity.clone(), chat.config.limits.clone());
    let question: Question = match payload::object(args_json)? {
        PresenceOf { user_ids: Some(users), channel_id: None } => {
            let max = limits.page_entries;
            if users.len() > max {
                let message = format!("userIds: must be at most {max}");
                return Err(Failure::bad_payload(message).at(Limit::PageEntries));
            }
            let users: Vec<_> = users.into_iter().collect();
            Box::new(move || {
                store.last_seen_of(&identity.user, users.clone(), access.hearing_permit(&identity))
            })
        }
        PresenceOf { user_ids: None, channel_id: Some(channel) } => Box::new(move || {
            let permit = access.presence_permit(&identity);
            store.last_seen_in(&channel, &identity.user, limits.presence_members, permit)
        }),
        _ => return Err(Failure::bad_payload("One of userIds and channelId must be given")),
    };
    Ok(Reply::later(answer(chat.presence.clone(), question).map(|users| Ack::new(users.map(PresencePage)))))
}

/// Who is here is known better than the store can say. So it is asked again where a departure was told meanwhile: it may
/// have answered before it knew when that was.
fn answer(
    presence: Arc<Presence>,
    question: Question,
) -> impl Future<Output = Result<Vec<UserPresence>, Failure>> + Send {
    let (mut told, mut asked) = (presence.departures_told(), question());
    async move {
        for _ in 1..ATTEMPTS {
            let users = presence.of(asked.await?);
            let told_before = std::mem::replace(&mut told, presence.departures_told());
            if told == told_before {
                return Ok(users);
            }
            asked = question();
        }
        Ok(presence.of(asked.await?))
    }
}
