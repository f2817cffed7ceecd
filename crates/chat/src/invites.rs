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
    /// Seconds in which it can be used.
    pub expires_in_s: u64,
    /// How often it can be used.
    pub uses: u32,
}

impl Default for NewInvite {
    fn default() -> Self {
        Self { role: Role::Member, user_id: None, expires_in_s: 7 * 24 * 60 * 60, uses: 1 }
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
        if let Err(failure) = self.check_invite(&new) {
            return refused(failure);
        }
        let (limits, life_ms) = (&self.config.limits, new.expires_in_s.saturating_mul(1000));
        let (token, now) = (InviteToken::generate(self.entropy.as_ref()), self.clock.now());
        let ends = Timestamp(now.0.saturating_add(life_ms));
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

    fn check_invite(&self, new: &NewInvite) -> Result<(), Failure> {
        let limits = &self.config.limits;
        within("expiresInS", new.expires_in_s, limits.invite_life_ms / 1000, Limit::InviteLife)?;
        within("uses", new.uses.into(), limits.invite_uses.into(), Limit::InviteUses)
    }

    /// Lets the caller in by an invite. All of the user's sockets hear the channel when it returns.
    pub fn use_invite(&self, identity: &Arc<Identity>, invite: &str) -> Answer<Joined> {
        let digest = InviteToken::digest_of(invite);
        let permit = self.invited_permit(identity);
        let joined = self.store.use_invite(digest, &identity.user, self.clock.now(), permit);
        let tell = self.tell_joined(&identity.user);
        async move {
            let joined = joined.await?;
            tell(&joined.channel.channel)?;
            Ok(joined)
        }
        .boxed()
    }
}

fn within(field: &str, number: u64, max: u64, limit: Limit) -> Result<(), Failure> {
    if (1..=max).contains(&number) {
        return Ok(());
    }
    let failure = Failure::bad_payload(format!("{field}: must be from 1 to {max}"));
    Err(if number > max { failure.at(limit) } else { failure })
}
