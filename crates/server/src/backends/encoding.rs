//! What webhooks say of each change.

use roomkey_chat::{ChannelView, MessageDeleted, MessageView};
use roomkey_model::{Entropy, MessageId, Revocation, RevocationTarget, Timestamp};
use roomkey_store::{Committed, NewDelivery};
use serde::Serialize;
use serde_json::json;

use super::Webhook;

/// The deliveries of a change, one for each endpoint that is told of such.
pub(super) fn deliveries(
    webhooks: &[Webhook],
    change: &Committed,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Vec<NewDelivery> {
    let Some((event, body)) = body(change, now) else { return Vec::new() };
    let mut told = webhooks.iter().filter(|webhook| webhook.setup.events.match_event(event)).peekable();
    if told.peek().is_none() {
        return Vec::new();
    }
    let id = format!("msg_{}", MessageId::generate(now, entropy));
    told.map(|webhook| NewDelivery {
        endpoint: webhook.setup.name.clone(),
        id: id.clone(),
        body: body.clone(),
        created: now,
    })
    .collect()
}

/// The name of the event, and what is said. `None`: nobody is told.
fn body(change: &Committed, now: Timestamp) -> Option<(&'static str, String)> {
    let body = match change {
        Committed::ChannelUpdated(channel) => say("channel.updated", now, ChannelView::new(channel, None)),
        Committed::MemberAdded { channel, user, role, .. } => {
            say("member.added", now, json!({ "channelId": channel, "userId": user, "role": role }))
        }
        Committed::MemberRemoved { channel, user, .. } => {
            say("member.removed", now, json!({ "channelId": channel, "userId": user }))
        }
        Committed::MessageCreated(message) => say("message.created", now, MessageView::from(message)),
        Committed::MessageDeleted(message) => say("message.deleted", now, MessageDeleted::from(message)),
        Committed::MessageUpdated(message) => say("message.updated", now, MessageView::from(message)),
        Committed::PresenceChanged { change, .. } => {
            let seen = change.at.to_rfc3339();
            let data = json!({ "userId": change.user, "online": change.online, "lastSeen": seen });
            say("presence.update", now, data)
        }
        Committed::Revoked(revocation) => revoked(revocation, now),
        Committed::Unblocked(cut_off) => match &cut_off.target {
            RevocationTarget::User(user) => say("user.unblocked", now, json!({ "userId": user })),
            _ => return None,
        },
        // One for each message and member would be more than backends want to hear.
        Committed::WatermarkMoved { .. } => return None,
    };
    Some(body)
}

fn revoked(revocation: &Revocation, now: Timestamp) -> (&'static str, String) {
    let reason = revocation.reason.as_str();
    match &revocation.target {
        RevocationTarget::Key { issuer, key_id } => {
            say("key.revoked", now, json!({ "issuer": &**issuer, "keyId": &**key_id, "reason": reason }))
        }
        RevocationTarget::Session { issuer, session } => say(
            "session.revoked",
            now,
            json!({ "issuer": &**issuer, "sessionId": session, "reason": reason }),
        ),
        RevocationTarget::Token { issuer, token } => say(
            "token.revoked",
            now,
            json!({ "issuer": &**issuer, "tokenId": token.as_str(), "reason": reason }),
        ),
        RevocationTarget::User(user) => {
            let is_blocked = revocation.issued_before.is_none();
            say("user.revoked", now, json!({ "userId": user, "blocked": is_blocked, "reason": reason }))
        }
    }
}

/// As the specification of Standard Webhooks proposes it.
fn say(event: &'static str, now: Timestamp, data: impl Serialize) -> (&'static str, String) {
    let body = Body { event, timestamp: now.to_rfc3339(), data };
    (event, serde_json::to_string(&body).expect("plain data"))
}

#[derive(Serialize)]
struct Body<T> {
    #[serde(rename = "type")]
    event: &'static str,
    timestamp: String,
    data: T,
}
