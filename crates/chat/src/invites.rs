use std::sync::Arc;

use futures_util::{FutureExt, TryFutureExt};
use roomkey_auth::{Identity, InviteToken};
use roomkey_model::{ChannelId, Failure, Limit, Role, Timestamp, UserId};
use roomkey_store::{Invite, Joined};
use serde::Deserialize;

use crate::{Answer, Chat, reply::refused, view::IssuedInvite};

/// An invite to be made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct NewInvite {
    /// What the new member may do.
    pub role: Role,
    /// The only one who can use it; none: whoever has it.
    pub user_id: Option<UserId>,
    /// Seconds in which it can be used; where it is not said, a week, or the longest there can be.
    pub expires_in_s: Option<u64>,
    /// How often it can be used.
    pub uses: u32,
}

impl Default for NewInvite {
    fn default() -> Self {
        Self { role: Role::Member, user_id: None, expires_in_s: None, uses: 1 }
    }
}

impl Chat {
    /// Makes an invite to a channel. Its text is told once, and kept nowhere.
    pub fn invite(
        &self,
        identity: &Arc<Identity>,
        channel: &ChannelId,
        new: NewInvite,
    ) -> Answer<IssuedInvite> {
        let limits = &self.config.limits;
        let longest_s = limits.invite_life_ms / 1000;
        let life_s = new.expires_in_s.unwrap_or(WEEK_S.min(longest_s));
        let checked = within("expiresInS", life_s, longest_s, Limit::InviteLife)
            .and_then(|()| within("uses", new.uses.into(), limits.invite_uses.into(), Limit::InviteUses));
        if let Err(failure) = checked {
            return refused(failure);
        }
        let (token, now) = (InviteToken::generate(self.entropy.as_ref()), self.clock.now());
        let ends = Timestamp(now.0.saturating_add(life_s.saturating_mul(1000)));
        let invite = Invite {
            digest: token.digest(),
            channel: channel.clone(),
            inviter: identity.user.clone(),
            user: new.user_id,
            role: new.role,
            uses: new.uses,
            ends,
        };
        let permit = self.invite_permit(identity, new.role);
        let created = self.store.create_invite(invite, limits.invites_per_channel, now, permit);
        created.map_ok(move |()| IssuedInvite::new(token, ends)).err_into().boxed()
    }

    /// Lets the caller in by an invite. All of the user's sockets hear the channel when it returns.
    pub fn use_invite(&self, identity: &Arc<Identity>, invite: &str) -> Answer<Joined> {
        let digest = InviteToken::digest_of(invite);
        let permit = self.invited_permit(identity);
        self.come_in(identity, |now| self.store.use_invite(digest, &identity.user, now, permit))
    }
}

const WEEK_S: u64 = 7 * 24 * 60 * 60;

fn within(field: &str, number: u64, max: u64, limit: Limit) -> Result<(), Failure> {
    if (1..=max).contains(&number) {
        return Ok(());
    }
    let failure = Failure::bad_payload(format!("{field}: must be from 1 to {max}"));
    Err(if number > max { failure.at(limit) } else { failure })
}
