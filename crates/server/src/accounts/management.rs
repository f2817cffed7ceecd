use roomkey_model::{ErrorCode, Failure, RevocationReason, RevocationTarget, SessionId, Timestamp, UserId};
use roomkey_store::{Account, Erased, PersonalData};

use super::{Accounts, fault};
use crate::revocation::{Sweeping, Swept};

/// How long a session is remembered after its end.
const REMEMBERED_MS: u64 = 24 * 3600 * 1000;

/// For operators and backends.
impl Accounts {
    /// Accounts by id, after `after`; at most `limit`.
    pub(crate) async fn list(&self, after: Option<&UserId>, limit: usize) -> Result<Vec<Account>, Failure> {
        self.store.accounts(after, limit).await.map_err(|error| fault(&error))
    }

    /// The account that an operator names by id, e-mail address or user name.
    pub(crate) async fn named(&self, id_or_name: &str) -> Result<Account, Failure> {
        if let Ok(user) = UserId::new(id_or_name)
            && let Some(account) = self.store.account(&user).await.map_err(|error| fault(&error))?
        {
            return Ok(account);
        }
        let found = self.find(id_or_name).await?;
        found.ok_or_else(|| Failure::with_message(ErrorCode::NotFound, "There is no such user"))
    }

    /// Keeps a user out, of whatever issuer: ends the sessions and sockets, and refuses whatever token they bring.
    pub(crate) async fn block(&self, user: &UserId) -> Result<Swept, Failure> {
        Ok(self.begin_to_block(user).await?.done().await)
    }

    /// The same, without waiting for the sockets: what is given does.
    pub(crate) async fn begin_to_block(&self, user: &UserId) -> Result<Sweeping, Failure> {
        self.begin_to_end_all_sessions(user, None, RevocationReason::Blocked).await
    }

    /// Lets a blocked user log in again; tells whether the user was blocked.
    pub(crate) async fn unblock(&self, user: &UserId) -> Result<bool, Failure> {
        self.revoker.unblock(user).await
    }

    /// Whether a user is kept out.
    pub(crate) fn is_blocked(&self, user: &UserId) -> bool {
        self.revoker.is_blocked(user)
    }

    /// Removes what is kept of a user, of whatever issuer, at once but for the messages, which then go in small batches:
    /// sessions and sockets end, and tokens that were issued by now are refused. Tells what there was.
    pub(crate) async fn erase(&self, user: &UserId) -> Result<(PersonalData, Erased, Swept), Failure> {
        // Before anything ends that cannot be brought back.
        let known = self.store.personal_data(user).await.map_err(|error| fault(&error))?;
        let known =
            known.ok_or_else(|| Failure::with_message(ErrorCode::NotFound, "There is no such user"))?;
        let (now, reason) = (self.clock.now(), RevocationReason::Revoked);
        let target = RevocationTarget::User(user.clone());
        let revocation = self.revoker.revocation(target, Some(now), reason);
        let write = || {
            let (user_wide, of_sessions) = (revocation.clone(), self.revoking(reason));
            let revoke =
                move |ended: &[SessionId]| [user_wide].into_iter().chain(of_sessions(ended)).collect();
            self.store.erase(user, now, Box::new(revoke))
        };
        let (erased, swept) = self.revoker.with_sockets(std::slice::from_ref(&revocation), write).await?;
        Ok((known, erased, swept))
    }

    /// Forgets sessions that ended long ago.
    pub(crate) async fn forget_sessions(&self, now: Timestamp) -> Result<(), Failure> {
        let since = Timestamp(now.0.saturating_sub(REMEMBERED_MS));
        self.store.forget_sessions(since).await.map_err(|error| fault(&error))?;
        Ok(())
    }
}
