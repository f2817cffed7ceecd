use std::sync::Arc;

use roomkey_model::{ErrorCode, Failure, RevocationReason, SessionId, Timestamp, UserId};
use roomkey_store::Account;
use serde::{Deserialize, Serialize};

use crate::{
    audit::Event,
    control::{Command, Named, Operator},
};

/// Why something was done, in the audit log.
pub(super) const BY_OPERATOR: &str = "an operator's command";

/// An account, as operators see it.
#[derive(Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) username: Option<String>,
    pub(crate) created: Timestamp,
    pub(crate) is_blocked: bool,
}

impl User {
    fn new(account: Account, operator: &Operator) -> Self {
        let is_blocked = operator.accounts.is_blocked(&account.user);
        let Account { user: id, email, username, created, .. } = account;
        Self { id, email, username, created, is_blocked }
    }
}

/// A new account, also while registration is closed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) email: String,
    pub(crate) username: Option<String>,
    pub(crate) password: String,
}

impl Command for Add {
    type Answer = User;

    const PATH: &'static str = "/users/add";

    async fn run(self, operator: Arc<Operator>) -> Result<User, Failure> {
        let account = operator.accounts.create(&self.email, self.username.as_deref(), &self.password).await?;
        operator.record(Event::UserCreated, BY_OPERATOR, account.user.as_str());
        Ok(User::new(account, &operator))
    }
}

/// Accounts by id; a page of them.
#[derive(Serialize, Deserialize)]
pub(crate) struct List {
    /// Only those behind this one.
    pub(crate) after: Option<UserId>,
    pub(crate) limit: usize,
}

impl Command for List {
    type Answer = Vec<User>;

    const PATH: &'static str = "/users/list";

    async fn run(self, operator: Arc<Operator>) -> Result<Vec<User>, Failure> {
        let accounts = operator.accounts.list(self.after.as_ref(), self.limit).await?;
        Ok(accounts.into_iter().map(|account| User::new(account, &operator)).collect())
    }
}

/// Keeps a user out, of whatever issuer.
#[derive(Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) user: Named,
}

/// What became of a user's sockets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) user: UserId,
    /// How many were closed.
    pub(crate) sockets: usize,
}

impl Command for Block {
    type Answer = Ended;

    const PATH: &'static str = "/users/block";

    async fn run(self, operator: Arc<Operator>) -> Result<Ended, Failure> {
        let user = operator.user(&self.user).await?;
        let swept = operator.accounts.block(&user).await?;
        operator.record(Event::UserBlocked, BY_OPERATOR, user.as_str());
        Ok(Ended { user, sockets: swept.sockets })
    }
}

/// Lets a user in again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Unblock {
    pub(crate) user: Named,
}

/// Who may come back.
#[derive(Serialize, Deserialize)]
pub(crate) struct Unblocked {
    pub(crate) user: UserId,
    pub(crate) was_blocked: bool,
}

impl Command for Unblock {
    type Answer = Unblocked;

    const PATH: &'static str = "/users/unblock";

    async fn run(self, operator: Arc<Operator>) -> Result<Unblocked, Failure> {
        let user = operator.user(&self.user).await?;
        let was_blocked = operator.accounts.unblock(&user).await?;
        if was_blocked {
            operator.record(Event::UserUnblocked, BY_OPERATOR, user.as_str());
        }
        Ok(Unblocked { user, was_blocked })
    }
}

/// Gives an account another password, and ends its sessions.
#[derive(Serialize, Deserialize)]
pub(crate) struct Passwd {
    pub(crate) user: Named,
    pub(crate) password: String,
}

impl Command for Passwd {
    type Answer = UserId;

    const PATH: &'static str = "/users/passwd";

    async fn run(self, operator: Arc<Operator>) -> Result<UserId, Failure> {
        let user = operator.user(&self.user).await?;
        operator.accounts.set_password(&user, &self.password).await?;
        operator.record(Event::PasswordChanged, BY_OPERATOR, user.as_str());
        Ok(user)
    }
}

/// The logins of a user that have not ended, newest first.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sessions {
    pub(crate) user: Named,
}

/// A login.
#[derive(Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    /// What the client calls itself.
    pub(crate) user_agent: Option<String>,
    pub(crate) created: Timestamp,
    /// When it was last used.
    pub(crate) seen: Timestamp,
}

impl Command for Sessions {
    type Answer = Vec<Session>;

    const PATH: &'static str = "/users/sessions";

    async fn run(self, operator: Arc<Operator>) -> Result<Vec<Session>, Failure> {
        let user = operator.user(&self.user).await?;
        let sessions = operator.accounts.sessions(&user).await?.into_iter().map(|session| Session {
            id: session.session,
            user_agent: session.user_agent,
            created: session.created,
            seen: session.seen,
        });
        Ok(sessions.collect())
    }
}

/// Ends all sessions of a user, or one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Logout {
    pub(crate) user: Named,
    pub(crate) session: Option<String>,
}

impl Command for Logout {
    type Answer = Ended;

    const PATH: &'static str = "/users/logout";

    async fn run(self, operator: Arc<Operator>) -> Result<Ended, Failure> {
        let user = operator.user(&self.user).await?;
        let reason = RevocationReason::LoggedOut;
        let swept = match self.session {
            None => operator.accounts.end_all_sessions(&user, Some(operator.clock.now()), reason).await?,
            Some(session) => {
                let no_session = || Failure::with_message(ErrorCode::NotFound, "there is no such session");
                let session = SessionId::new(session).map_err(|_| no_session())?;
                operator.accounts.end_session(&user, &session, reason).await?.ok_or_else(no_session)?
            }
        };
        operator.record(Event::TokenRevoked, reason.as_str(), user.as_str());
        Ok(Ended { user, sockets: swept.sockets })
    }
}
