use std::sync::Arc;

use roomkey_model::{Failure, UserId};
use serde::{Deserialize, Serialize};

use crate::control::{Command, Operator};

/// A new account, also while registration is closed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) email: String,
    pub(crate) username: Option<String>,
    pub(crate) password: String,
}

/// An account that was made.
#[derive(Serialize, Deserialize)]
pub(crate) struct Added {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) username: Option<String>,
}

impl Command for Add {
    type Answer = Added;

    const PATH: &'static str = "/users/add";

    async fn run(self, operator: Arc<Operator>) -> Result<Self::Answer, Failure> {
        let account = operator.accounts.create(&self.email, self.username.as_deref(), &self.password).await?;
        Ok(Added { id: account.user, email: account.email, username: account.username })
    }
}
