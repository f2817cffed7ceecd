use roomkey_auth::password;
use roomkey_model::{ErrorCode, Failure, RevocationReason, SessionId, UserId};
use roomkey_store::Account;
use secrecy::SecretString;

use super::{Accounts, fault};

/// What becomes of a user's sessions when the password is changed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OtherSessions<'a> {
    /// They end, but for this one.
    End { kept: Option<&'a SessionId> },
    /// They go on.
    Keep,
}

impl Accounts {
    /// Changes a user's own password.
    pub(crate) async fn change_password(
        &self,
        user: &UserId,
        current: &str,
        new: &str,
        others: OtherSessions<'_>,
    ) -> Result<(), Failure> {
        let account = self.store.account(user).await.map_err(|error| fault(&error))?;
        let hash = account.as_ref().map(|account| account.password_hash.clone());
        let verdict = self.hashing.verify(SecretString::from(current), hash).await?;
        match account {
            Some(account) if verdict.is_right() => self.replace_password(&account, new, others).await,
            _ => Err(ErrorCode::InvalidCredentials.into()),
        }
    }

    /// Gives a user another password, as an operator. All sessions end.
    pub(crate) async fn set_password(&self, user: &UserId, new: &str) -> Result<(), Failure> {
        let account = self.store.account(user).await.map_err(|error| fault(&error))?;
        let account = account.ok_or(ErrorCode::NotFound)?;
        self.replace_password(&account, new, OtherSessions::End { kept: None }).await
    }

    async fn replace_password(
        &self,
        account: &Account,
        new: &str,
        others: OtherSessions<'_>,
    ) -> Result<(), Failure> {
        let hash = self.hash_new(new, account.username.as_deref(), &account.email).await?;
        let OtherSessions::End { kept } = others else {
            let replaced = self.store.rehash_password(&account.user, &account.password_hash, hash).await;
            return replaced.map_err(|error| fault(&error));
        };
        let revoke = self.revoking(RevocationReason::PasswordChanged);
        // The sockets of those that are there now are waited for; the write also ends what has come since.
        let sessions = self.sessions(&account.user).await?.into_iter().map(|session| session.session);
        let others: Vec<SessionId> = sessions.filter(|session| Some(session) != kept).collect();
        let others = revoke(&others);
        let write = || {
            let now = self.clock.now();
            let (user, old) = (&account.user, &account.password_hash);
            self.store.change_password(user, old, hash, kept, now, Box::new(revoke))
        };
        self.revoker.with_sockets(&others, write).await.map(|_| ())
    }

    /// The hash of a password that is good enough.
    pub(super) async fn hash_new(
        &self,
        password: &str,
        username: Option<&str>,
        email: &str,
    ) -> Result<String, Failure> {
        password::check(password, username, Some(email))
            .map_err(|problem| Failure::bad_payload(problem.to_string()))?;
        self.hashing.hash(SecretString::from(password), self.entropy.clone()).await
    }

    /// Replaces a hash that is weaker than those made now, and gives the new one. If that fails, the next login tries
    /// again.
    pub(super) async fn rehash(&self, account: &Account, password: &str) -> Option<String> {
        let hash = self.hashing.hash(SecretString::from(password), self.entropy.clone()).await.ok()?;
        let (user, old) = (&account.user, &account.password_hash);
        match self.store.rehash_password(user, old, hash.clone()).await {
            Ok(()) => Some(hash),
            Err(error) => {
                tracing::warn!(%error, "a password could not be hashed anew");
                None
            }
        }
    }
}
